"""`python -m trainbell.simulators deepva einstein --speed 10`: simulated services on this machine.

Of each it prints the base URL, in a line of its own, and how Trainbell is connected to it; then it
serves until Ctrl-C. With --json it prints one JSON object a line instead.
"""

from __future__ import annotations

import argparse
import json
import pkgutil
import shlex
import socket
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from importlib import import_module
from urllib.parse import urlsplit

import trainbell.simulators
from trainbell.simulators.access import Access
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.server import listening, serve, serving, url_of
from trainbell.simulators.service import SimulatedService

ALL = "all"
LAST_PORT = 65535


def names() -> list[str]:
    """The simulated services."""
    return sorted(m.name for m in pkgutil.iter_modules(trainbell.simulators.__path__) if m.ispkg)


def simulator(name: str, clock: SimulatorClock) -> SimulatedService:
    """A fresh simulator of this service (one of `names()`)."""
    make = import_module(f"trainbell.simulators.{name}").SIMULATOR
    service = make(clock)
    if not isinstance(service, SimulatedService):
        raise TypeError(f"{name} has no SIMULATOR that makes a SimulatedService")
    return service


def access(name: str) -> Access:
    """How its callers are let in."""
    found = import_module(f"trainbell.simulators.{name}").ACCESS
    if not isinstance(found, Access):
        raise TypeError(f"{name} has no ACCESS that says how to be let in")
    return found


def chosen(wanted: Sequence[str]) -> list[str]:
    """The services meant by these words, each once. Raises ValueError for a word that is none."""
    known = names()
    for word in wanted:
        if word not in (ALL, *known):
            raise ValueError(f"'{word}' is none of: {', '.join(known)}, {ALL}")
    return known if ALL in wanted else list(dict.fromkeys(wanted))


def run(wanted: Sequence[str], *, port: int = 0, speed: float = 1.0, as_json: bool = False) -> int:
    """Serve all of these until SIGINT or SIGTERM; they begin together or not at all.

    `port`: of the first, and each further one takes the next; 0 takes free ones. 1 where a port
    cannot be used.
    """
    with ExitStack() as stack:
        try:
            sockets = _listening(stack, port, len(wanted))
        except OSError as exc:
            sys.stderr.write(f"port {exc.filename} cannot be used: {exc.strerror}\n")
            return 1
        services = [simulator(name, SimulatorClock(speed=speed)) for name in wanted]
        tell = as_json_line if as_json else as_text
        for name, service, sock in zip(wanted, services, sockets, strict=True):
            sys.stdout.write(tell(name, url_of(sock) + service.base_path, access(name)))
        sys.stdout.flush()
        # One has the main thread, which is where signals come in; its end ends the others.
        for service, sock in zip(services[1:], sockets[1:], strict=True):
            stack.enter_context(serving(service, sock))
        serve(services[0], sockets[0])
    return 0


def _listening(stack: ExitStack, port: int, count: int) -> list[socket.socket]:
    """Raises OSError, with the port as its `filename`."""
    sockets = []
    for number in range(count):
        wanted = port + number if port else 0
        try:
            if wanted > LAST_PORT:
                raise OSError(None, f"the last one is {LAST_PORT}")
            sockets.append(sock := listening(wanted))
        except OSError as exc:
            raise OSError(exc.errno, exc.strerror, str(wanted)) from exc
        stack.callback(sock.close)
    return sockets


def as_json_line(name: str, url: str, given: Access) -> str:
    document = {"provider": name, "base_url": url, "secret": given.secret, "options": given.options}
    return json.dumps(document) + "\n"


def as_text(name: str, url: str, given: Access) -> str:
    """The URL first, for whoever reads one line only; then three commands to copy.

    The secret goes into a file: a variable would have to be there before `trainbell up`.
    """
    file = f"simulated-{name}-secret"
    put = ["trainbell", "connections", "put", name, "--provider", name, "--base-url", url]
    for key, value in given.options.items():
        put += ["--option", f"{key}={value}"]
    keep = f"(umask 077 && printf %s {shlex.quote(given.secret)} > {file})"
    secret = f'"file:$PWD/{file}"'
    allow = f"trainbell secrets allow {secret} --provider {name} --host {urlsplit(url).netloc}"
    return f"{url}\n{keep}\n{allow}\n{shlex.join(put)} --secret {secret}\n\n"


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m trainbell.simulators", description=__doc__)
    parser.add_argument("names", nargs="+", metavar="NAME", help=f"{', '.join(names())}, or {ALL}")
    parser.add_argument("--port", type=int, default=0, help="of the first; 0 takes free ones")
    parser.add_argument("--speed", type=float, default=1.0, help="how fast their clocks run")
    parser.add_argument("--json", action="store_true", help="one JSON object a line")
    given = parser.parse_args(arguments)
    try:
        wanted = chosen(given.names)
    except ValueError as exc:
        parser.error(str(exc))
    return run(wanted, port=given.port, speed=given.speed, as_json=given.json)


if __name__ == "__main__":
    sys.exit(main())
