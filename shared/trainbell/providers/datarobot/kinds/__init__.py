"""The kinds of jobs, by name. Each is started, found, polled and cancelled in its own way."""

from __future__ import annotations

from collections.abc import Mapping

from trainbell.providers.datarobot.kinds.conversion import ConversionKind
from trainbell.providers.datarobot.kinds.dependency_build import BuildKind
from trainbell.providers.datarobot.kinds.explanations import ExplainKind
from trainbell.providers.datarobot.kinds.feature_impact import FeatureImpactKind
from trainbell.providers.datarobot.kinds.kind import JobKind
from trainbell.providers.datarobot.kinds.model_test import ModelTestKind
from trainbell.providers.datarobot.kinds.repository_import import ImportKind
from trainbell.providers.datarobot.kinds.training_data import AssignKind

KINDS: Mapping[str, type[JobKind]] = {
    "test": ModelTestKind,
    "build_dependencies": BuildKind,
    "convert": ConversionKind,
    "feature_impact": FeatureImpactKind,
    "explain": ExplainKind,
    "assign_training_data": AssignKind,
    "import_version": ImportKind,
}
