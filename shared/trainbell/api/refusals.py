"""Why the API refuses a request before any use case sees it. `problems` maps each to a status."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.errors import InputInvalid, TrainbellError


class RequestMalformed(InputInvalid):
    """The request cannot be read: broken JSON, a body where none is taken, a wrong query."""


class CallerUnknown(TrainbellError):
    """The request does not prove who sends it."""


class CallerRefused(TrainbellError):
    """The request comes from a place that may not send any, such as another site's page."""


class Misdirected(TrainbellError):
    """The request is addressed to a host that this server is not."""


class NoSuchCall(TrainbellError):
    """No call of the API has this path."""


class MethodNotAllowed(TrainbellError):
    """The path is right, the method is not. `allowed` are those that are."""

    def __init__(self, method: str, path: str, allowed: Sequence[str]) -> None:
        self.allowed = tuple(allowed)
        super().__init__(f"{path} takes {' or '.join(self.allowed)}, not {method}")


class MediaTypeUnsupported(TrainbellError):
    """The body is not declared to be JSON."""


class BodyTooLarge(TrainbellError):
    """The body has more bytes than this server reads."""


class BodyTooSlow(TrainbellError):
    """The body did not arrive in time."""


class Overloaded(TrainbellError):
    """As much as may be done at once is being done. `retry_after_seconds`: when to try again."""

    def __init__(self, message: str, retry_after_seconds: int) -> None:
        self.retry_after_seconds = retry_after_seconds
        super().__init__(message)
