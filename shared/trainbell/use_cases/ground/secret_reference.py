"""A field that says where a secret is, never what it is."""

from __future__ import annotations

import re
from typing import Annotated

from pydantic import AfterValidator, StringConstraints
from pydantic_core import PydanticCustomError

_REFERENCE = re.compile(
    r"env:[A-Za-z_][A-Za-z0-9_]*|file:[/~][^\x00-\x1f]*|(secretsmanager|ssm):[\w/.:+=@!-]+"
)


def _check(text: str) -> str:
    # A secret itself may stand here by mistake, so no message repeats any part of it.
    if not _REFERENCE.fullmatch(text):
        raise PydanticCustomError(
            "secret_reference",
            "must say where the secret is, not what it is: env:NAME, file:/path, "
            "secretsmanager:NAME or ssm:NAME. If this was the secret itself, change it",
        )
    return text


SecretReference = Annotated[str, StringConstraints(max_length=512), AfterValidator(_check)]
