"""The reason of a failure, as the command itself said it: the end of its standard error."""

from __future__ import annotations

from collections.abc import Sequence

from trainbell.providers.local.log_tail import tail
from trainbell.providers.local.passed_variables import read_passed
from trainbell.providers.local.run_directory import RunDirectory
from trainbell.providers.redaction import Redactor
from trainbell.redaction import is_secret_name, redacted_text

LINES = 20
MAX_BYTES = 65_536
SECRET_CHARACTERS = 8
"""A passed value of so many characters is masked, whatever its name: it may be a secret."""


def last_words(run: RunDirectory) -> Sequence[str]:
    """Without secrets that are known by name, by form, or because they were passed by name."""
    try:
        known = Redactor(
            value
            for name, value in read_passed(run.passed_path).items()
            if len(value) >= SECRET_CHARACTERS or is_secret_name(name)
        )
        lines = tail(run.errors_path, LINES, max_bytes=MAX_BYTES)
    except (OSError, ValueError):
        return ()
    return tuple(redacted_text(known.text(line)) for line in lines)
