"""Everything that Trainbell can ask of DataRobot's custom models, by resource."""

from __future__ import annotations

from trainbell.ports import ProviderContext
from trainbell.providers.credentials import HeaderSecret, secret_reference, service_url
from trainbell.providers.datarobot.file_transfer import FileTransfer
from trainbell.providers.datarobot.resources.access_control import AccessControl
from trainbell.providers.datarobot.resources.conversions import Conversions
from trainbell.providers.datarobot.resources.custom_models import CustomModels
from trainbell.providers.datarobot.resources.dependency_builds import DependencyBuilds
from trainbell.providers.datarobot.resources.feature_impacts import FeatureImpacts
from trainbell.providers.datarobot.resources.model_tests import ModelTests
from trainbell.providers.datarobot.resources.statuses import Statuses
from trainbell.providers.datarobot.resources.versions import Versions


class DataRobotClient:
    """One account. Thread-safe. No retries, no sleeping; see `resources` for the errors."""

    def __init__(self, http: FileTransfer) -> None:
        self.http = http
        self.models = CustomModels(http)
        self.versions = Versions(http)
        self.tests = ModelTests(http)
        self.builds = DependencyBuilds(http)
        self.conversions = Conversions(http)
        self.impacts = FeatureImpacts(http)
        self.statuses = Statuses(http)
        self.access = AccessControl(http)

    @classmethod
    def from_context(cls, context: ProviderContext) -> DataRobotClient:
        """Raises ConfigInvalid where the connection's secret or base URL cannot be used."""
        return cls(
            FileTransfer(
                provider="DataRobot",
                base_url=service_url(context),
                credential=HeaderSecret(
                    context.secrets, secret_reference(context), scheme="Bearer"
                ),
                clock=context.clock,
                transport=context.transport,
            )
        )

    def close(self) -> None:
        self.http.close()
