"""How long jobs like this one took: the knowledge behind the polling policy.

Durations are counted in bins of equal ratio, so that seconds and weeks are told apart equally well
and a count stays small whatever the number of jobs.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import accumulate, pairwise

from trainbell.domain.job import Job

BINS_PER_DOUBLING = 4
BINS = 23 * BINS_PER_DOUBLING
"""Bin b holds durations from 2^(b/4) s; the first begins at 0, the last (97 days) never ends."""

PRIOR_WEIGHT = 10.0
"""What is less alike counts as at most this many jobs, however many there were."""

NEIGHBOURS = 0.2
"""The share of each counted job that goes to either neighbouring bin: no two jobs are equal."""

FLOOR = 0.002
"""The share of jobs of which nothing is known, spread evenly over the bins: nothing is impossible.
"""

_EDGES = (0.0, *(2 ** (b / BINS_PER_DOUBLING) for b in range(1, BINS)))


@dataclass(frozen=True, slots=True, eq=False)
class Prior:
    """The share of jobs in each bin, before any job of this kind was seen. Sums to 1."""

    shares: tuple[float, ...]

    @classmethod
    def from_cdf(cls, percents: Sequence[float]) -> Prior:
        """From the percentages of jobs that took at most 1, 2, 4, 8 … s, in that order."""
        shares = [0.0] * BINS
        shares[0] = percents[0] / 100
        for doubling, (low, high) in enumerate(pairwise(percents)):
            for part in range(BINS_PER_DOUBLING):
                shares[doubling * BINS_PER_DOUBLING + part] += (
                    (high - low) / 100 / BINS_PER_DOUBLING
                )
        total = sum(shares)
        return cls(tuple((1 - FLOOR) * share / total + FLOOR / BINS for share in shares))


# The mean of the CDFs of five public GPU-cluster traces, each with the same weight:
# Acme Seren and Kalos (Hu et al., NSDI '24, github.com/InternLM/AcmeTrace), Microsoft Philly
# (Jeon et al., ATC '19, github.com/msr-fiddle/philly-traces), SenseTime Helios (Hu et al., SC '21,
# github.com/S-Lab-System-Group/HeliosData) and Alibaba PAI (Weng et al., NSDI '22,
# github.com/alibaba/clusterdata, cluster-trace-gpu-v2020). The five CDFs themselves are in
# benchmarks/data/job_durations.json; a test computes this row from them.
PRIOR = Prior.from_cdf(
    (
        *(1.25, 1.57, 2.45, 4.14, 8.43, 17.37, 28.03, 38.62, 52.48, 62.68, 72.98),
        *(81.42, 87.67, 91.74, 95.08, 96.94, 98.19, 99.04, 99.55, 99.83, 99.95, 99.99),
    )
)


@dataclass(frozen=True, slots=True)
class DurationHistory:
    """Counts of ended jobs by duration bin, from the most alike to the least.

    `by_likeness`: one mapping (bin number → jobs) for each of `history_keys(job)`, in that order.
    """

    by_likeness: tuple[Mapping[int, int], ...] = field(default=())
    prior: Prior = PRIOR

    def life_table(self) -> LifeTable:
        """What these counts say of a job's end. The last 256 tables are kept."""
        counts = tuple(tuple(level.items()) for level in self.by_likeness if level)
        return _life_table(self.prior, counts)


class LifeTable:
    """The hazard of an end by age, and how densely it is worth looking.

    The hazard is constant within a bin; of a job older than all bins it is 1/age of the last bin.
    """

    __slots__ = ("_looks", "_root_hazards")

    def __init__(self, shares: Sequence[float]) -> None:
        """`shares`: the share of jobs that end in each bin; each above 0."""
        # Added up from the end: what is left of the jobs never falls to 0 by rounding.
        left = list(accumulate(reversed(shares)))[::-1]
        widths = [end - begin for begin, end in pairwise(_EDGES)]
        roots = [
            math.sqrt(math.log1p(share / after) / width)
            for share, after, width in zip(shares, left[1:], widths, strict=False)
        ]
        roots.append(math.sqrt(1 / _EDGES[-1]))
        self._root_hazards = tuple(roots)
        looks = (root * width for root, width in zip(roots, widths, strict=False))
        self._looks = tuple(accumulate(looks, initial=0.0))

    def hazard(self, age_seconds: float) -> float:
        """The chance per second that a job of this age, not ended yet, ends now."""
        root = self._root_hazards[bin_of(age_seconds)]
        return root * root

    def wait_seconds(self, age_seconds: float, seconds_per_poll: float) -> float:
        """Seconds from this age to the next worthwhile look.

        Looks are worth their price where they come at the rate √(hazard / 2·price); the next one
        is due where that rate has added up to 1. So a wait ends early where an end grows likely.
        """
        here = bin_of(age_seconds)
        looked = self._looks[here] + self._root_hazards[here] * (age_seconds - _EDGES[here])
        due = looked + math.sqrt(2 * seconds_per_poll)
        there = bisect_right(self._looks, due) - 1
        return _EDGES[there] + (due - self._looks[there]) / self._root_hazards[there] - age_seconds


def bin_of(seconds: float) -> int:
    """The bin in which a duration is counted, 0 to `BINS` - 1. Negative ones count as 0 s."""
    # 1e-9: 2^(b/4) itself belongs to bin b, whatever the rounding of the logarithm.
    if seconds <= 1:
        return 0
    return min(int(math.log2(seconds) * BINS_PER_DOUBLING + 1e-9), BINS - 1)


def history_keys(job: Job) -> tuple[str, ...]:
    """Under which keys a job's duration is counted and looked up, the most alike first."""
    kind = f"{job.order.provider}/{job.order.kind}"
    return (kind,) if job.order.dataset is None else (f"{kind}/{job.order.dataset}", kind)


@lru_cache(maxsize=256)
def _life_table(prior: Prior, levels: tuple[tuple[tuple[int, int], ...], ...]) -> LifeTable:
    """Shrink level by level: each is pulled towards the next less alike by `PRIOR_WEIGHT` jobs."""
    shares: Sequence[float] = prior.shares
    for counts in reversed(levels):
        shares = _shrunk(counts, shares)
    return LifeTable(shares)


def _shrunk(counts: Iterable[tuple[int, int]], less_alike: Sequence[float]) -> Sequence[float]:
    weights = [PRIOR_WEIGHT * share for share in less_alike]
    for number, jobs in counts:
        middle = min(max(number, 0), BINS - 1)
        for near in (max(middle - 1, 0), min(middle + 1, BINS - 1)):
            weights[near] += NEIGHBOURS * jobs
        weights[middle] += (1 - 2 * NEIGHBOURS) * jobs
    total = sum(weights)
    return [weight / total for weight in weights]
