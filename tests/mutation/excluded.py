"""Mutants that no test can kill, because they do what the original does. Each says why."""

from __future__ import annotations

from collections.abc import Mapping

_NONE_EMPTY = "the pattern takes no empty text either"
_LENGTH_RULES = "the field's own greatest length is less"
_KMS = r"^[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]{0,%d}$"

EXCLUDED: Mapping[str, str] = {
    "lookout_vision.account_calls: ProjectName: min_length 1 - 1": _NONE_EMPTY,
    "lookout_vision.account_calls: OfResource.arn: min_length 1 + 1": (
        "the pattern takes five and more"
    ),
    "lookout_vision.account_calls: OfResource.arn: min_length 1 - 1": _NONE_EMPTY,
    "lookout_vision.parameters: TrainParameters.project_name: min_length 1 - 1": _NONE_EMPTY,
    "lookout_vision.parameters: TrainParameters.kms_key_id: min_length 1 - 1": _NONE_EMPTY,
    **{
        "lookout_vision.parameters: TrainParameters.kms_key_id: "
        f"{_KMS % 2048} is {_KMS % length}": _LENGTH_RULES
        for length in (2047, 2049)
    },
    "lookout_vision.signing: _is_covered: host is not named": "botocore covers it in any case",
    "deepva.parameters: TrainParameters.output_model_name: min_length 1 - 1": _NONE_EMPTY,
    "einstein.parameters: TrainParameters.name: min_length 1 - 1": _NONE_EMPTY,
    "einstein.parameters: EinsteinOptions.account: min_length 3 - 1": (
        "the pattern takes no two characters"
    ),
    r"einstein.vendor_models: Token.access_token: ^[\x21-\x7e]+$ is ^[\x21-\x7e]*$": (
        "its least length is 1"
    ),
}
"""By a mutant's name."""
