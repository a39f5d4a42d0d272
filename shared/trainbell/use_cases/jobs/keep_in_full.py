"""Keep in full, beside the store, what an end says and a stored job cannot hold."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from trainbell.domain.in_full import full_document, written
from trainbell.domain.observation import Observation
from trainbell.domain.recording import Decision
from trainbell.errors import NotFound, TrainbellError
from trainbell.use_cases.ground.services import Services, log


def keep_in_full(services: Services, seen: Observation, decision: Decision) -> tuple[str, ...]:
    """What is kept of this decision's end, before it is stored: what a stored job says is there.

    An end never waits for it: where it cannot be kept, the log says so.
    """
    job = decision.job
    if not decision.ended_now or not job.seen.cut:
        return ()
    document = full_document(seen, job.seen.cut)
    if not document["parts"]:
        return ()
    try:
        kept = services.overflow.keep(job.id, written(document))
    except TrainbellError:
        log.exception("what does not fit of the end of job %s is not kept in full", job.id)
        return ()
    return tuple(sorted(document["parts"])) if kept else ()


def naming(decision: Decision, in_full: tuple[str, ...]) -> Decision:
    """The decision, with what is kept in full named in its job."""
    if not in_full or not decision.ended_now:
        return decision
    job = decision.job
    return replace(decision, job=replace(job, seen=replace(job.seen, in_full=in_full)))


def read_in_full(services: Services, job_id: str) -> Mapping[str, Any]:
    """The document (`domain.in_full`).

    Raises:
        NotFound: no such job, or nothing of it is kept in full.
        StoreUnavailable, ConfigInvalid: the place does not give it.
    """
    job = services.store.get(job_id)
    text = services.overflow.read(job.id) if job.seen.in_full else None
    if text is None:
        raise NotFound(f"nothing of job {job.id} is kept beside it: what was cut is gone")
    document: Mapping[str, Any] = json.loads(text)
    return document
