"""Runs ministack with one repair: a function's error carries its class name, as on AWS.

AWS reports `errorType` as the exception's bare class name, which Step Functions matches against
`ErrorEquals`; ministack 1.5.33 says `Runtime.HandlerError` for all. Its log ends with the
traceback, whose last line has the name.
"""

from __future__ import annotations

import re
from typing import Any

from ministack.app import main  # type: ignore[import-untyped]
from ministack.services import lambda_svc  # type: ignore[import-untyped]

_LAST_LINE = re.compile(r"^([A-Za-z_][\w.]*)(?::|$)")

_execute = lambda_svc._execute_function_warm


def _execute_with_error_type(func: dict[str, Any], event: Any, request_id: str) -> Any:
    reply = _execute(func, event, request_id)
    body = reply.get("body")
    if reply.get("error") and isinstance(body, dict):
        lines = str(reply.get("log") or "").rstrip().splitlines()
        found = _LAST_LINE.match(lines[-1]) if lines else None
        if body.get("errorType") == "Runtime.HandlerError" and found:
            body["errorType"] = found[1].rpartition(".")[2]
    return reply


if __name__ == "__main__":
    lambda_svc._execute_function_warm = _execute_with_error_type
    main()
