"""Drives a simulated DataRobot with DataRobot's own client, and prints what it saw as JSON.

Runs in the environment of requirements/vendor-datarobot.txt, where Trainbell is not installed:

    python tests/vendor/datarobot_session.py URL KEY FOLDER
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import datarobot as dr  # type: ignore[import-not-found]
from datarobot.errors import (  # type: ignore[import-not-found]
    AsyncProcessUnsuccessfulError,
    ClientError,
    InvalidUsageError,
)
from datarobot.models.custom_model_version import (  # type: ignore[import-not-found]
    CustomModelVersionConversion,
    CustomModelVersionDependencyBuild,
)
from datarobot.models.status_check_job import StatusCheckJob  # type: ignore[import-not-found]

DATASET = "5f5f5f5f5f5f5f5f5f5f5f01"
ENVIRONMENT = "6d6d6d6d6d6d6d6d6d6d6d01"
AT_ONCE = {"queued_seconds": 0, "running_seconds": 0}
# The client sleeps 5 seconds between two looks, so it only waits for what has ended.
NO_WAIT = None


class Session:
    def __init__(self, url: str, key: str, folder: str) -> None:
        self.url = url
        self.folder = Path(folder)
        dr.Client(token=key, endpoint=f"{url}/api/v2")
        self.seen: dict[str, Any] = {}

    def control(self, what: str, **wish: Any) -> None:
        body = json.dumps(wish).encode()
        urlopen(Request(f"{self.url}/_simulator/{what}", body, method="POST")).close()

    def call(self, step: str, method: Callable[..., Any], *given: Any, **named: Any) -> Any:
        """Call it, and note the answer, or the error as the client raises it."""
        try:
            answer = method(*given, **named)
        except ClientError as error:
            body = error.json
            self.seen[step] = {"error": type(error).__name__, "status": error.status_code}
            self.seen[step]["body"] = body
            return None
        except (AsyncProcessUnsuccessfulError, InvalidUsageError) as error:
            self.seen[step] = {"error": type(error).__name__}
            return None
        self.seen[step] = _told(answer)
        return answer

    def models(self) -> None:
        create = dr.CustomInferenceModel.create
        self.model = self.call(
            "create", create, "Fraud", dr.TARGET_TYPE.BINARY, "is_fraud", language="python"
        )
        self.call("name too long", create, "x" * 256, dr.TARGET_TYPE.BINARY, "t")
        self.call("update", self.model.update, description="better")
        self.seen["updated"] = self.model.description
        self.call("list", dr.CustomInferenceModel.list, search_for="FRAUD", order_by="-created")
        self.call("deployed", dr.CustomInferenceModel.list, is_deployed=True)
        self.call("unknown", dr.CustomInferenceModel.get, "nope")

    def versions(self) -> None:
        create = dr.CustomModelVersion.create_clean
        version = self.call(
            "version", create, self.model.id, ENVIRONMENT, folder_path=str(self.folder)
        )
        self.version = self.call(
            "from previous",
            dr.CustomModelVersion.create_from_previous,
            self.model.id,
            is_major_update=False,
            files=[(str(self.folder / "custom.py"), "lib/custom.py")],
            files_to_delete=[i.id for i in version.items if i.file_path == "requirements.txt"],
        )
        self.call("versions", dr.CustomModelVersion.list, self.model.id)
        self.call("describe", self.version.update, description="the second")
        self.call("download", self.version.download, str(self.folder.parent / "vendor.zip"))
        copied = dr.CustomInferenceModel.copy_custom_model(self.model.id)
        self.call("copied", dr.CustomModelVersion.list, copied.id)
        self.call("delete copy", copied.delete)
        self.call("copy gone", dr.CustomInferenceModel.get, copied.id)

    def builds(self) -> None:
        build = CustomModelVersionDependencyBuild
        ids = (self.model.id, self.version.id)
        self.call("not built", build.get_build_info, *ids)
        started = self.call("build", build.start_build, *ids, max_wait=NO_WAIT)
        self.call("build cancelled", started.cancel)
        self.call("build gone", build.get_build_info, *ids)
        self.control("settings", plans=[AT_ONCE])
        self.call("built", build.start_build, *ids)
        self.call("cancel too late", started.cancel)

    def training_data(self) -> None:
        self.call("impact without data", self.version.calculate_feature_impact, NO_WAIT)
        self.control("settings", plans=[AT_ONCE])
        self.call("assign", self.model.assign_training_data, DATASET)
        self.seen["assigned"] = self.model.training_dataset_id
        self.call("assign nothing", self.model.assign_training_data, "nope")

    def impact(self) -> None:
        self.call("impact", self.version.calculate_feature_impact, NO_WAIT)
        self.call("impact again", self.version.calculate_feature_impact, NO_WAIT)
        self.call("impact in progress", self.version.get_feature_impact)
        self.control("clock", advance=60)
        self.call("impacts", self.version.get_feature_impact)

    def tests(self) -> None:
        ids = (self.model.id, self.version.id, DATASET)
        test = self.call("test", dr.CustomModelTest.create, *ids, max_wait=NO_WAIT)
        self.call("test again", dr.CustomModelTest.create, *ids, max_wait=NO_WAIT)
        self.call("delete while tested", self.model.delete)
        self.control("clock", advance=2)
        self.call("tail", test.get_log_tail)
        self.call("cancel", test.cancel)
        self.call("cancelled", dr.CustomModelTest.get, test.id)
        self.call("cancel again", test.cancel)
        self.control("settings", plans=[AT_ONCE])
        self.call("tested", dr.CustomModelTest.create, *ids)
        self.control("settings", plans=[{**AT_ONCE, "trouble": {"errorCheck": "no rows"}}])
        failed = self.call("failed", dr.CustomModelTest.create, *ids)
        self.seen["log"] = failed.get_log().splitlines()[-3:]
        self.call("tests", dr.CustomModelTest.list, self.model.id)

    def conversions(self) -> None:
        conversion = CustomModelVersionConversion
        ids = (self.model.id, self.version.id)
        main = self.version.items[0].id
        first = self.call("convert", conversion.run_conversion, *ids, main)
        self.control("clock", advance=5)
        self.call("stop", conversion.stop_conversion, *ids, first)
        self.call("stopped", conversion.get, *ids, first)
        self.call("stop again", conversion.stop_conversion, *ids, first)
        self.control("settings", plans=[AT_ONCE])
        self.call("converted", conversion.run_conversion, *ids, main, max_wait=600)
        self.call("latest", conversion.get_latest, *ids)
        self.call("no main program", conversion.run_conversion, *ids, "nope")

    def access(self) -> None:
        owner = self.model.get_access_list()[0].username
        share = self.model.share
        self.call("share", share, [dr.SharingAccess("ann@example.com", "EDITOR", can_share=True)])
        self.call("roles", self.model.get_access_list)
        self.call("no owner", share, [dr.SharingAccess(owner, None)])
        self.call("no such user", share, [dr.SharingAccess("x@example.com", "USER")])

    def statuses(self) -> None:
        path = f"customModels/{self.model.id}/versions/{self.version.id}/"
        post = dr.client.get_client().post
        for end in ("COMPLETED", "ERROR", "ABORTED"):
            self.control("settings", plans=[{**AT_ONCE, "ends": end}])
            answer = post(f"{path}predictionExplanationsInitialization/")
            job = StatusCheckJob.from_response(answer)
            self.call(f"status {end}", lambda job=job: job.wait_for_completion()._asdict())


def _told(value: Any) -> Any:
    """The client's objects as JSON, by their public fields."""
    if isinstance(value, dict):
        return {key: _told(part) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_told(part) for part in value]
    if value is None or isinstance(value, str | int | float | bool):
        return value
    if hasattr(value, "status_code"):
        return {"status": value.status_code}
    fields = {k: v for k, v in vars(value).items() if not k.startswith("_")}
    return {key: _told(part) for key, part in fields.items()}


def main() -> None:
    session = Session(*sys.argv[1:4])
    for act in (
        session.models,
        session.versions,
        session.builds,
        session.training_data,
        session.impact,
        session.tests,
        session.conversions,
        session.access,
        session.statuses,
    ):
        act()
    json.dump(session.seen, sys.stdout, default=str)


if __name__ == "__main__":
    main()
