"""`--direct`: files of any size go between this machine and DataRobot, not through Trainbell.

Then this machine reads the connection's secret, from where its reference says. That is for whoever
may read it: everything else goes by the server's credentials.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import NamedTemporaryFile
from typing import TYPE_CHECKING, Annotated

import typer

from trainbell.cli.datarobot.account import Account, say
from trainbell.cli.exit_codes import ExitCode
from trainbell.cli.output import errors

if TYPE_CHECKING:
    from trainbell.providers.datarobot.client import DataRobotClient

DirectOption = Annotated[
    bool,
    typer.Option(
        "--direct",
        help="Move the files between this machine and DataRobot, of any size; this machine then "
        "reads the connection's secret.",
    ),
]


@contextmanager
def direct(account: Account) -> Iterator[DataRobotClient]:
    """The account's service itself, for as long as one command takes. Nothing is sent again.

    Raises ConfigInvalid where the secret cannot be read on this machine.
    """
    # Here, because every other command needs no HTTP client of a provider.
    from trainbell.clock import SystemClock
    from trainbell.domain.settings import Connection
    from trainbell.embedded.data_dir import default_data_dir
    from trainbell.errors import ProviderJobMissing, ProviderRejected
    from trainbell.extensions.bound_secret import BoundSecret
    from trainbell.ports import ProviderContext
    from trainbell.providers.datarobot import PROVIDER
    from trainbell.providers.datarobot.client import DataRobotClient
    from trainbell.secret_sources import MachineSecrets

    connection = Connection(
        name=account.name,
        provider=PROVIDER.name,
        base_url=account.document.get("base_url") or PROVIDER.default_base_url,
        secret=account.document.get("secret"),
    )
    # What this machine's owner allows counts, whatever the server says of the connection.
    vault = MachineSecrets(default_data_dir())
    secret = BoundSecret(vault, connection.secret, PROVIDER.secret_use(connection))
    client = DataRobotClient.from_context(
        ProviderContext(connection=connection, secrets=secret, clock=SystemClock())
    )
    try:
        yield client
    except (ProviderRejected, ProviderJobMissing) as refused:
        errors.print(f"trainbell: {refused}", style="red", markup=False, soft_wrap=True)
        raise typer.Exit(ExitCode.REFUSED) from refused
    finally:
        client.close()


def save(to: Path, write_into: Callable[[Callable[[bytes], object]], int], as_json: bool) -> None:
    """Write a download to a file, which is there whole or not at all."""
    with NamedTemporaryFile(dir=to.parent, prefix=f".{to.name}.", delete=False) as file:
        part = Path(file.name)
        try:
            size = write_into(file.write)
            file.flush()
            part.replace(to)
        except BaseException:
            part.unlink(missing_ok=True)
            raise
    say({"path": str(to), "bytes": size}, as_json)
