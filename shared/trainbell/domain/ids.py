"""Identity: sortable by time, unguessable, fit for URLs, file names and execution names."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import datetime

ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
_TIME_DIGITS = 10
_RANDOM_DIGITS = 16

_AT_THE_END = re.compile(rf"[{ALPHABET}]{{{_TIME_DIGITS + _RANDOM_DIGITS}}}\Z")

RandomBits = Callable[[int], int]
"""Given a number of bits, a random integer of that many bits, as `random.Random.getrandbits`."""


def new_job_id(now: datetime, random_bits: RandomBits) -> str:
    """26 characters: milliseconds since 1970, then 80 random bits (the layout of a ULID)."""
    milliseconds = int(now.timestamp() * 1000)
    return _encode(milliseconds, _TIME_DIGITS) + _encode(random_bits(80), _RANDOM_DIGITS)


def job_id_at_the_end(name: str) -> str | None:
    """The job's id in a name that a provider has made of it; None where there is none."""
    found = _AT_THE_END.search(name)
    return found[0] if found else None


def _encode(number: int, digits: int) -> str:
    letters = []
    for _ in range(digits):
        number, rest = divmod(number, 32)
        letters.append(ALPHABET[rest])
    return "".join(reversed(letters))
