"""`python -m trainbell.simulators deepva --port 0 --speed 10` prints its URL and serves."""

from __future__ import annotations

import argparse
import pkgutil
import sys
from importlib import import_module

import trainbell.simulators
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.server import listening, serve, url_of
from trainbell.simulators.service import SimulatedService


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


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m trainbell.simulators", description=__doc__)
    parser.add_argument("name", choices=names())
    parser.add_argument("--port", type=int, default=0, help="0 takes a free one")
    parser.add_argument("--speed", type=float, default=1.0, help="how fast its clock runs")
    given = parser.parse_args(arguments)
    try:
        sock = listening(given.port)
    except OSError as exc:
        sys.stderr.write(f"port {given.port} cannot be used: {exc.strerror}\n")
        return 1
    service = simulator(given.name, SimulatorClock(speed=given.speed))
    sys.stdout.write(f"{url_of(sock)}{service.base_path}\n")
    sys.stdout.flush()
    serve(service, sock)
    return 0


if __name__ == "__main__":
    sys.exit(main())
