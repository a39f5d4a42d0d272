"""All that the simulation uses of Trainbell, in one place."""

from types import SimpleNamespace

from trainbell.domain import lifecycle, polling, searching, size_bounds, starting
from trainbell.domain.access import Caller, CallerKind
from trainbell.domain.events import EventType, JobEvent
from trainbell.domain.failure import Failure, FailureKind
from trainbell.domain.job import EndReason, Job, State
from trainbell.domain.lifecycle import WatchRules
from trainbell.domain.observation import Observation
from trainbell.domain.outbox import DeliveryState, OutboxEntry, given_up
from trainbell.domain.recording import Decision
from trainbell.domain.schedule_times import next_due_of
from trainbell.domain.settings import ChannelConfig, Connection, Schedule
from trainbell.domain.starting import Settling
from trainbell.embedded.clock_steps import ClockSteps, mend_times
from trainbell.embedded.schedule_clock import run_due_schedules
from trainbell.errors import (
    Conflict,
    InputInvalid,
    JobConflict,
    NotFound,
    NotifyRejected,
    NotifyUnavailable,
    ProviderAuthFailed,
    ProviderError,
    ProviderJobMissing,
    ProviderRejected,
    ProviderReplyInvalid,
    ProviderThrottled,
    ProviderUnavailable,
    StartOutcomeUnknown,
    StoreUnavailable,
    TrainbellError,
)
from trainbell.ports import (
    Change,
    Channel,
    ChannelSpec,
    Found,
    Handle,
    JobQuery,
    Kind,
    Notice,
    Provider,
    ProviderSpec,
    ServiceState,
    ServiceStatus,
    StartOrder,
    Store,
)
from trainbell.stores.codec import dump_job
from trainbell.stores.sqlite import quarantine
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground import door
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.ground.services import log as trainbell_log
from trainbell.use_cases.jobs import advance_job as advancing
from trainbell.use_cases.jobs import poll_job, start_job
from trainbell.use_cases.jobs import resume_starts as resuming
from trainbell.use_cases.jobs.advance_job import Advance, advance_job
from trainbell.use_cases.jobs.cancel_job import cancel_job
from trainbell.use_cases.jobs.forget_job import forget_job
from trainbell.use_cases.jobs.reconcile_jobs import reconcile_jobs
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.jobs.resend_job import resend_job
from trainbell.use_cases.jobs.resume_starts import resume_starts
from trainbell.use_cases.schedules import run_schedule as scheduling
from trainbell.use_cases.schedules.configure_schedules import delete_schedule, put_schedule
from trainbell.use_cases.schedules.run_schedule import run_schedule
from trainbell.use_cases.schedules.scheduled_job import DUE_AT_TAG, due_text
from trainbell.use_cases.settings.configure_channels import put_channel, try_channel
from trainbell.use_cases.settings.configure_connections import put_connection
from trainbell.use_cases.telling import publish_changes as publishing
from trainbell.use_cases.telling.publish_changes import publish_changes
from trainbell.use_cases.telling.redeliver import redeliver

modules = SimpleNamespace(
    ProviderSpec=ProviderSpec,
    advance_job=advancing,
    door=door,
    lifecycle=lifecycle,
    poll_job=poll_job,
    polling=polling,
    publishing=publishing,
    quarantine=quarantine,
    resuming=resuming,
    scheduling=scheduling,
    searching=searching,
    size_bounds=size_bounds,
    start_job=start_job,
    starting=starting,
)
"""Where faults are planted."""

__all__ = [
    "DUE_AT_TAG",
    "Advance",
    "Caller",
    "CallerKind",
    "Change",
    "Channel",
    "ChannelConfig",
    "ChannelSpec",
    "ClockSteps",
    "Conflict",
    "Connection",
    "Decision",
    "DeliveryState",
    "EndReason",
    "EventType",
    "Failure",
    "FailureKind",
    "Found",
    "Handle",
    "InputInvalid",
    "Job",
    "JobConflict",
    "JobEvent",
    "JobQuery",
    "Kind",
    "NotFound",
    "Notice",
    "NotifyRejected",
    "NotifyUnavailable",
    "Observation",
    "OutboxEntry",
    "Provider",
    "ProviderAuthFailed",
    "ProviderError",
    "ProviderJobMissing",
    "ProviderRejected",
    "ProviderReplyInvalid",
    "ProviderSpec",
    "ProviderThrottled",
    "ProviderUnavailable",
    "Schedule",
    "ServiceState",
    "ServiceStatus",
    "Services",
    "Settling",
    "SqliteStore",
    "StartOrder",
    "StartOutcomeUnknown",
    "State",
    "Store",
    "StoreUnavailable",
    "TrainbellError",
    "WatchRules",
    "advance_job",
    "cancel_job",
    "delete_schedule",
    "due_text",
    "dump_job",
    "forget_job",
    "given_up",
    "mend_times",
    "modules",
    "next_due_of",
    "publish_changes",
    "publishing",
    "put_channel",
    "put_connection",
    "put_schedule",
    "reconcile_jobs",
    "redeliver",
    "request_job",
    "resend_job",
    "resume_starts",
    "run_due_schedules",
    "run_schedule",
    "trainbell_log",
    "try_channel",
]
