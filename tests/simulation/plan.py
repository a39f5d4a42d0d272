"""What a seed stands for: which engine, which services, which jobs, and what goes wrong when."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from random import Random

HOUR = 3600.0
DAY = 24 * HOUR


@dataclass(frozen=True)
class Window:
    """What holds from `begin` until `end`, in seconds of true time."""

    begin: float
    end: float
    what: str
    value: float = 0.0

    def covers(self, now: float) -> bool:
        return self.begin <= now < self.end


@dataclass(frozen=True, kw_only=True)
class ServicePlan:
    """A training service. `has_token`: a second start of a job joins the first one's training.

    `commits_within`: so late, at most, a start appears there. `settle_seconds`: what its
    connection says of that, if anything. `joins_datasets`: a start on a dataset that is being
    trained on gives the training that runs.
    """

    name: str
    has_token: bool
    commits_within: float
    settle_seconds: float | None
    slow_answers: float
    lost_answers: float
    refusals: float
    calls_per_minute: float | None
    joins_datasets: bool
    weather: tuple[Window, ...]


@dataclass(frozen=True, kw_only=True)
class JobPlan:
    """`asked_at`, and then, if at all, when a person cancels it or forgets it."""

    number: int
    service: str
    asked_at: float
    queued_for: float
    runs_for: float
    fails: bool
    dataset: str | None
    deadline_seconds: float | None
    on_unclear: str
    intervals: tuple[float, float]
    cancelled_after: float | None
    forgotten_after: float | None


@dataclass(frozen=True, kw_only=True)
class ReceiverPlan:
    name: str
    weather: tuple[Window, ...]
    mended: bool


@dataclass(frozen=True, kw_only=True)
class SchedulePlan:
    """`edits`: when a person does what to it (`disable`, `enable`, `delete`)."""

    minutes: int
    edits: tuple[tuple[float, str], ...]


@dataclass(frozen=True, kw_only=True)
class Extras:
    """What happens in a few worlds only.

    `commits_late`: the tokenless service takes longer than its connection says. `freezes`:
    functions freeze in the middle of a look-up, and the next goes on without them. `verbose_job`:
    one with more text than a store takes. `spoiled_at`: when a row of a job that nobody waits for
    is made unreadable. `late_runs`: a due time of the schedule may be delivered after the next.
    """

    commits_late: bool = False
    freezes: bool = False
    verbose_job: int | None = None
    spoiled_at: float | None = None
    late_runs: bool = False


@dataclass(frozen=True, kw_only=True)
class Plan:
    seed: int
    engine: str
    chaos_for: float
    kills: float
    stalls: float
    store_failures: float
    clock: tuple[Window, ...]
    services: tuple[ServicePlan, ...]
    jobs: tuple[JobPlan, ...]
    receivers: tuple[ReceiverPlan, ...]
    schedule: SchedulePlan | None
    connection_edits: tuple[tuple[float, str, str], ...] = field(default=())
    extras: Extras = Extras()

    def service(self, name: str) -> ServicePlan:
        return next(each for each in self.services if each.name == name)


def plan_of(seed: int, engine: str | None = None) -> Plan:
    """The plan of a seed; with `engine`, of that one whatever the seed would have."""
    rng = Random(seed)
    chaos_for = rng.choice((HOUR, 3 * HOUR, 8 * HOUR))
    engine = engine or rng.choice(("embedded", "embedded", "cloud"))
    extras = _extras(Random(f"extras of {seed}"), chaos_for)
    services = (_late(_marked(rng, chaos_for), extras), _tokened(rng, chaos_for))
    return Plan(
        seed=seed,
        engine=engine,
        chaos_for=chaos_for,
        kills=rng.choice((0.0, 0.002, 0.01, 0.03)),
        stalls=rng.choice((0.0, 0.0, 0.01, 0.05)) if engine == "cloud" else 0.0,
        store_failures=rng.choice((0.0, 0.0, 0.01)),
        clock=_clock(rng, chaos_for) if engine == "embedded" else (),
        services=services,
        jobs=tuple(_job(rng, n, chaos_for) for n in range(rng.randint(2, 5))),
        receivers=tuple(_receiver(rng, n, chaos_for) for n in range(rng.randint(1, 3))),
        schedule=_schedule(rng, chaos_for) if rng.random() < 0.5 else None,
        connection_edits=_connection_edits(rng, chaos_for),
        extras=extras,
    )


def _extras(rng: Random, chaos_for: float) -> Extras:
    """Of dice of their own, so that a new one leaves all the rest of a seed as it was."""
    return Extras(
        commits_late=rng.random() < 0.15,
        freezes=rng.random() < 0.5,
        verbose_job=0 if rng.random() < 0.05 else None,
        spoiled_at=rng.uniform(0, chaos_for / 2) if rng.random() < 0.1 else None,
        late_runs=rng.random() < 0.3,
    )


def _late(plan: ServicePlan, extras: Extras) -> ServicePlan:
    return replace(plan, commits_within=500.0, settle_seconds=60.0) if extras.commits_late else plan


def _marked(rng: Random, chaos_for: float) -> ServicePlan:
    """Without a token: a second start makes a second training."""
    settle = rng.choice((None, None, 60.0, 150.0))
    return ServicePlan(
        name="marked",
        has_token=False,
        commits_within=rng.choice((0.0, 30.0, 58.0 if settle == 60.0 else 120.0)),
        settle_seconds=settle,
        slow_answers=rng.choice((0.0, 0.1, 0.5)),
        lost_answers=rng.choice((0.05, 0.3, 0.6)),
        refusals=rng.choice((0.0, 0.02, 0.2)),
        calls_per_minute=rng.choice((None, None, 30.0)),
        joins_datasets=False,
        weather=_service_weather(rng, chaos_for),
    )


def _tokened(rng: Random, chaos_for: float) -> ServicePlan:
    return ServicePlan(
        name="tokened",
        has_token=True,
        commits_within=rng.choice((0.0, 0.0, 60.0)),
        settle_seconds=None,
        slow_answers=rng.choice((0.0, 0.1, 0.5)),
        lost_answers=rng.choice((0.05, 0.3)),
        refusals=rng.choice((0.0, 0.02, 0.2)),
        calls_per_minute=rng.choice((None, 20.0)),
        joins_datasets=rng.random() < 0.3,
        weather=_service_weather(rng, chaos_for),
    )


def _service_weather(rng: Random, chaos_for: float) -> tuple[Window, ...]:
    windows = []
    for _ in range(rng.randint(0, 4)):
        begin = rng.uniform(0, chaos_for)
        what = rng.choice(
            ("down", "flaps", "forgets", "mixes", "proxy", "throttles", "locked", "garbles")
        )
        lasts = rng.choice((60.0, 400.0, 1500.0, HOUR))
        value = rng.choice((1.0, 30.0, 900.0, DAY, 5 * DAY)) if what == "throttles" else 0.0
        windows.append(Window(begin, min(begin + lasts, chaos_for), what, value))
    return tuple(windows)


def _clock(rng: Random, chaos_for: float) -> tuple[Window, ...]:
    if rng.random() < 0.6:
        return ()
    begin = rng.uniform(0, chaos_for * 0.7)
    lasts = rng.choice((45.0, 300.0, 2000.0))
    ahead = rng.choice((HOUR, HOUR, DAY))
    return (Window(begin, min(begin + lasts, chaos_for), "ahead", ahead),)


def _job(rng: Random, number: int, chaos_for: float) -> JobPlan:
    shortest = rng.choice((5.0, 20.0, 60.0))
    return JobPlan(
        number=number,
        service=rng.choice(("marked", "marked", "tokened")),
        asked_at=rng.uniform(0, chaos_for * 0.6),
        queued_for=rng.choice((0.0, 20.0, 200.0)),
        runs_for=rng.choice((30.0, 300.0, 1500.0, 2 * HOUR)),
        fails=rng.random() < 0.2,
        dataset=rng.choice((None, "faces", "faces")),
        deadline_seconds=rng.choice((None, None, None, HOUR)),
        on_unclear=rng.choice(("wait", "wait", "ask")),
        intervals=(shortest, rng.choice((300.0, 900.0))),
        cancelled_after=rng.uniform(1, 2000) if rng.random() < 0.3 else None,
        forgotten_after=rng.uniform(0, 2000) if rng.random() < 0.4 else None,
    )


def _receiver(rng: Random, number: int, chaos_for: float) -> ReceiverPlan:
    windows = []
    for _ in range(rng.randint(0, 2)):
        begin = rng.uniform(0, chaos_for)
        lasts = rng.choice((100.0, 1000.0, 2 * HOUR))
        what = rng.choice(("down", "refuses", "rests"))
        windows.append(Window(begin, begin + lasts, what, rng.choice((30.0, 2 * DAY))))
    return ReceiverPlan(name=f"bell{number}", weather=tuple(windows), mended=rng.random() < 0.5)


def _schedule(rng: Random, chaos_for: float) -> SchedulePlan:
    minutes = rng.choice((20, 45, 90))
    edits = []
    at = rng.uniform(0, chaos_for * 0.5)
    for what in rng.choice((("disable",), ("delete",), ("disable", "enable", "disable"))):
        # Near a due time, where a run is under way.
        due = minutes * 60 * max(1, round(at / (minutes * 60)))
        edits.append((due + rng.uniform(0.0, 0.3), what))
        at += minutes * 60
    return SchedulePlan(minutes=minutes, edits=tuple(edits))


def _connection_edits(rng: Random, chaos_for: float) -> tuple[tuple[float, str, str], ...]:
    """Somebody lets a connection lead to another account for a while, and then back."""
    if rng.random() < 0.75:
        return ()
    name = rng.choice(("marked", "tokened"))
    begin = rng.uniform(0, chaos_for * 0.8)
    end = min(begin + rng.choice((60.0, 900.0, 2 * HOUR)), chaos_for)
    return ((begin, name, "elsewhere"), (end, name, "home"))
