"""The service's documented errors, in their wire form, and its checks of texts and numbers."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from typing import Any

from trainbell.simulators.service import Answer


class Refused(Exception):
    """An answer other than success. `code` travels in the header `x-amzn-ErrorType`."""

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        retry_after: str | None = None,
        **members: str,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.retry_after = retry_after
        self.members = {"Message": message, **members}

    def answer(self, request_id: str) -> Answer:
        headers = {"x-amzn-ErrorType": self.code, "x-amzn-RequestId": request_id}
        if self.retry_after is not None:
            headers["Retry-After"] = self.retry_after
        return Answer.json(self.members, self.status, **headers)


STATUS_OF = {
    "AccessDeniedException": 403,
    "ConflictException": 409,
    "InternalServerException": 500,
    "ResourceNotFoundException": 404,
    "ServiceQuotaExceededException": 402,
    "ThrottlingException": 429,
    "ValidationException": 400,
}
"""Every error that the API reference lists for CreateModel."""


def invalid(message: str) -> Refused:
    return Refused(400, "ValidationException", message)


def missing(kind: str, name: str) -> Refused:
    message = f"The {kind.lower()} {name} could not be found."
    return Refused(404, "ResourceNotFoundException", message, ResourceId=name, ResourceType=kind)


def conflict(kind: str, name: str, message: str) -> Refused:
    return Refused(409, "ConflictException", message, ResourceId=name, ResourceType=kind)


def over_quota(kind: str, name: str, message: str, quota: str) -> Refused:
    return Refused(
        402,
        "ServiceQuotaExceededException",
        message,
        ResourceId=name,
        ResourceType=kind,
        QuotaCode=quota,
        ServiceCode="lookoutvision",
    )


def denied(operation: str) -> Refused:
    message = f"User is not authorized to perform: lookoutvision:{operation}"
    return Refused(403, "AccessDeniedException", message)


NAMES: Mapping[str, tuple[int, int, re.Pattern[str]]] = {
    "projectName": (1, 255, re.compile(r"[a-zA-Z0-9][a-zA-Z0-9_\-]*")),
    "clientToken": (1, 64, re.compile(r"[a-zA-Z0-9-]+")),
    "datasetType": (1, 10, re.compile(r"train|test")),
    "modelVersion": (1, 10, re.compile(r"[1-9][0-9]*|latest")),
    "description": (1, 500, re.compile(r"[0-9A-Za-z.\-_]*")),
    "kmsKeyId": (1, 2048, re.compile(r"[A-Za-z0-9][A-Za-z0-9:_/+=,@.-]{0,2048}")),
    "bucket": (3, 63, re.compile(r"[0-9A-Za-z.\-_]*")),
    "prefix": (0, 1024, re.compile(r"([a-zA-Z0-9!_.*'()-][/a-zA-Z0-9!_.*'()-]*)?")),
    "nextToken": (0, 2048, re.compile(r"[a-zA-Z0-9/+=]{0,2048}")),
}
"""Shortest, longest, pattern: as in botocore's model of the service."""

MAX_TAGS = 200
_TAG_SIGNS = frozenset("_.:/=+-@")


class Checks:
    """Collects what is wrong with one request, and refuses it with all of it at once."""

    def __init__(self) -> None:
        self._problems: list[str] = []

    def text(self, value: Any, rule: str, path: str | None = None, *, required: bool) -> None:
        path = path or rule
        if value is None:
            if required:
                self._say(value, path, "Member must not be null")
            return
        if not isinstance(value, str):
            raise Refused(400, "SerializationException", f"{path} is not a string")
        shortest, longest, pattern = NAMES[rule]
        if not shortest <= len(value) <= longest:
            self._say(value, path, f"Member must have length between {shortest} and {longest}")
        if not pattern.fullmatch(value):
            rule_text = f"Member must satisfy regular expression pattern: {pattern.pattern}"
            self._say(value, path, rule_text)

    def members(self, value: Any, path: str) -> Mapping[str, Any] | None:
        """A structure that must be there; None, and noted, where it is not."""
        if value is None:
            self._say(value, path, "Member must not be null")
            return None
        if not isinstance(value, dict):
            raise Refused(400, "SerializationException", f"{path} is not a structure")
        return value

    def tags(self, tags: Any) -> None:
        if not isinstance(tags, list):
            raise Refused(400, "SerializationException", "tags is not a list")
        if len(tags) > MAX_TAGS:
            self._say("…", "tags", f"Member must have length less than or equal to {MAX_TAGS}")
        for number, tag in enumerate(tags, 1):
            given = self.members(tag, f"tags.{number}.member") or {}
            self._tag_text(given.get("Key"), f"tags.{number}.member.key", 1, 128)
            self._tag_text(given.get("Value"), f"tags.{number}.member.value", 0, 256)

    def done(self) -> None:
        """Raises Refused (ValidationException) where anything was wrong."""
        if self._problems:
            count = len(self._problems)
            plural = "s" if count > 1 else ""
            raise invalid(
                f"{count} validation error{plural} detected: " + "; ".join(self._problems[:10])
            )

    def _tag_text(self, value: Any, path: str, shortest: int, longest: int) -> None:
        if not isinstance(value, str):
            self._say(value, path, "Member must not be null")
        elif not shortest <= len(value) <= longest:
            self._say(value, path, f"Member must have length between {shortest} and {longest}")
        elif not all(c in _TAG_SIGNS or unicodedata.category(c)[0] in "LZN" for c in value):
            self._say(value, path, "Member must satisfy the pattern of tags")

    def _say(self, value: Any, path: str, constraint: str) -> None:
        shown = "null" if value is None else f"'{str(value)[:100]}'"
        self._problems.append(
            f"Value {shown} at '{path}' failed to satisfy constraint: {constraint}"
        )
