"""A call at a connection's service that is about no job. It goes by the server's credentials and
through the one door, so rate budget and deadline hold for it as for any other."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from trainbell.errors import Conflict, InputInvalid, NotFound
from trainbell.ports.account_calls import AccountCall, ask
from trainbell.use_cases.ground.door import door_to
from trainbell.use_cases.ground.find_connection import find_connection
from trainbell.use_cases.ground.problems import problems_of
from trainbell.use_cases.ground.services import Services

ANSWER_BYTES_AT_MOST = 5_000_000
"""An answer of a cloud's function has 6 MB at most."""


def call_account(
    services: Services, name: str, call: str, body: Mapping[str, Any]
) -> Mapping[str, Any]:
    """Make the call, once. Its answer is a JSON object, as the provider declares it.

    Raises:
        NotFound: no such connection, or its provider has no such call.
        InputInvalid: with every problem of the parameters; nothing was sent.
        Conflict: the answer is larger than an answer of the API may be.
        ProviderError, ConfigInvalid: as the service and the connection have it.
    """
    connection = find_connection(services, name)
    spec = services.providers.spec(connection.provider)
    known = spec.calls.get(call)
    if known is None:
        there = ", ".join(sorted(spec.calls)) or "none"
        raise NotFound(f"{spec.title} has no call {call}; there are: {there}")
    given = _checked(known, body)
    answer = door_to(services, connection).call(lambda service: ask(service, known, given))
    size = len(json.dumps(answer, default=str))
    if size > ANSWER_BYTES_AT_MOST:
        raise Conflict(
            f"the answer has {size:,} bytes, more than {ANSWER_BYTES_AT_MOST:,}: ask for less of it"
        )
    return answer


def _checked(known: AccountCall, body: Mapping[str, Any]) -> Any:
    try:
        # As JSON, in which a strict model takes what Python would call by another type.
        return known.parameters.model_validate_json(json.dumps(dict(body)))
    except ValidationError as error:
        raise InputInvalid(problems_of(error)) from error
