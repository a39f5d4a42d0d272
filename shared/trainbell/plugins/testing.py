"""For a plugin's tests: the suites to derive from, and what it is held against. Needs pytest."""

from trainbell.clock import SystemClock
from trainbell.conformance import (
    ChannelConformance,
    ChannelSubject,
    HttpConformance,
    HttpSubject,
    ProviderConformance,
    Subject,
)
from trainbell.conformance.notices import a_notice
from trainbell.simulators.faults import Fault, FaultKind
from trainbell.simulators.server import running
from trainbell.simulators.service import Answer, Request, SimulatedService

__all__ = [
    "Answer",
    "ChannelConformance",
    "ChannelSubject",
    "Fault",
    "FaultKind",
    "HttpConformance",
    "HttpSubject",
    "ProviderConformance",
    "Request",
    "SimulatedService",
    "Subject",
    "SystemClock",
    "a_notice",
    "running",
]
