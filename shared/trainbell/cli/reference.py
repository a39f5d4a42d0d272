"""Writes docs/cli.md from the commands themselves: `python -m trainbell.cli.reference`."""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping
from typing import Any

from trainbell.cli.command_table import COMMANDS, load
from trainbell.cli.exit_codes import MEANINGS

HEAD = """# The command line

Made from the commands themselves by `python -m trainbell.cli.reference`; a test keeps it current.

`trainbell` talks to the API that `--url` or `TRAINBELL_URL` names, or else to the Trainbell that
runs on this machine, whose address and owner's token it finds in the data directory
(`TRAINBELL_DATA_DIR`). Calls to an address of AWS are signed with the caller's AWS identity;
`TRAINBELL_SIGN=1` asks for that elsewhere. `TRAINBELL_TOKEN` is the owner's token of an embedded
Trainbell on another machine. Neither goes to another machine in clear: a URL is https, or leads to
this machine (through a tunnel, for one); `TRAINBELL_PLAIN_HTTP_TO=HOST` allows it for one host on a
network that is trusted. Every command that prints something takes `--json`.

Where none is named and none runs, `wait` and `start --wait` watch the job in their own process,
and make room for a `trainbell up` that begins meanwhile.
Ctrl-C while waiting stops the looking and never the job.

## Exit status

| status | meaning |
|---:|---|
"""


def reference() -> str:
    """The whole page, in Markdown."""
    codes = "".join(f"| {code.value} | {meaning} |\n" for code, meaning in MEANINGS.items())
    commands = {entry.name: load(entry) for entry in COMMANDS}
    return f"{HEAD}{codes}\n## Commands\n{''.join(_sections(commands, 'trainbell'))}"


def _sections(commands: Mapping[str, Any], path: str) -> Iterable[str]:
    for name, command in commands.items():
        if hasattr(command, "commands"):
            yield from _sections(command.commands, f"{path} {name}")
        else:
            yield _section(command, f"{path} {name}")


def _section(command: Any, path: str) -> str:
    arguments = "".join(
        f" {each.metavar}" if each.required else f" [{each.metavar or each.name.upper()}]"
        for each in command.params
        if each.param_type_name == "argument"
    )
    rows = "".join(_row(each) for each in command.params if each.param_type_name == "option")
    table = f"\n| option | |\n|---|---|\n{rows}" if rows else ""
    return f"\n### `{path}{arguments}`\n\n{command.help}\n{table}"


def _row(option: Any) -> str:
    names = ", ".join((*option.opts, *option.secondary_opts))
    metavar = f" {option.metavar}".replace("|", r"\|") if option.metavar else ""
    facts = [option.help or ""]
    if option.required:
        facts.append("Required.")
    if option.default not in (None, False, [], ()) and not option.required:
        facts.append(f"Default: {'yes' if option.default is True else option.default}.")
    said = " ".join(fact for fact in facts if fact)
    return f"| `{names}{metavar}` | {said} |\n"


if __name__ == "__main__":
    sys.stdout.write(reference())
