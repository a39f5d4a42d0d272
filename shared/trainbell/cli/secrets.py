"""`trainbell secrets`: where the secrets of this machine may go. No server is asked: whoever may
write the list is the owner."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Annotated

import typer

from trainbell.cli.exit_codes import ExitCode
from trainbell.cli.options import JsonOption
from trainbell.cli.output import console, print_json, rows_table
from trainbell.domain.secret_bounds import AMBIENT, Bound
from trainbell.embedded.data_dir import default_data_dir
from trainbell.errors import ConfigInvalid
from trainbell.secret_list import SecretList, canonical

secrets = typer.Typer(
    no_args_is_help=True, help="Where the secrets of this machine may go; their owner says it."
)

ReferenceArgument = Annotated[
    str, typer.Argument(metavar="SECRET", help="Its reference: file:/path or env:NAME.")
]


@secrets.command("allow")
def allow(
    reference: ReferenceArgument,
    host: Annotated[
        list[str] | None,
        typer.Option(metavar="HOST", help="api.example.com, *.example.com, [::1]:80; repeatable."),
    ] = None,
    provider: Annotated[
        str | None, typer.Option(help="For it alone: a provider, or a kind of channel.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Allow a secret to go to these hosts, or to those that its provider brings.

    A secret that is in the list goes nowhere else. One that is not may go to the own hosts of
    whatever provider it is used for.
    """
    listed = SecretList(default_data_dir())
    listed.allow(_checked(reference), Bound.of(host or (), provider))
    _print({canonical(reference): listed.bounds(reference)}, as_json)


@secrets.command("list")
def list_all(as_json: JsonOption = False) -> None:
    """List what is allowed, and nothing of the secrets themselves."""
    _print(SecretList(default_data_dir()).all(), as_json)


@secrets.command("withdraw")
def withdraw(reference: ReferenceArgument) -> None:
    """Take a secret out of the list; what it was allowed beyond its provider's own hosts ends."""
    if not SecretList(default_data_dir()).withdraw(_checked(reference)):
        console.print(f"{reference} is not in the list", markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.REFUSED)
    console.print(f"{reference} is taken out", markup=False, soft_wrap=True)


def _checked(reference: str) -> str:
    """Raises ConfigInvalid; what is given may be the secret itself, so nothing is repeated."""
    if reference == AMBIENT:
        return reference
    kind, _, rest = reference.partition(":")
    if kind in ("secretsmanager", "ssm"):
        raise ConfigInvalid(
            "a secret of the cloud is bound by its tags trainbell:hosts and trainbell:provider, "
            "see docs/access.md"
        )
    if kind not in ("env", "file") or not rest:
        raise ConfigInvalid("name the secret by its reference: file:/path or env:NAME")
    if kind == "file" and not rest.startswith("/"):
        raise ConfigInvalid("a file is named by its whole path: file:/path")
    return reference


def _print(listed: Mapping[str, Sequence[Bound]], as_json: bool) -> None:
    if as_json:
        items = [
            {"secret": each, "provider": bound.user, "hosts": list(map(str, bound.hosts))}
            for each, bounds in listed.items()
            for bound in bounds
        ]
        print_json({"items": items})
        return
    rows = (
        (each, bound.user or "any", ", ".join(map(str, bound.hosts)) or "its own")
        for each, bounds in listed.items()
        for bound in bounds
    )
    console.print(rows_table(("secret", "for", "hosts"), rows))
