"""The cloud: DynamoDB, Step Functions, EventBridge, secrets of AWS."""

from __future__ import annotations

from functools import cache
from random import SystemRandom

from trainbell.channels.catalog import FoundChannels
from trainbell.clock import SystemClock
from trainbell.cloud.clients import AwsClients
from trainbell.cloud.environment import CloudEnvironment, read_environment
from trainbell.cloud.not_granted import NoScheduler, NoWatchers
from trainbell.cloud.secrets import CloudSecrets
from trainbell.ports import Nowhere, Overflow, Scheduler, Watchers
from trainbell.providers.catalog import Catalog
from trainbell.stores.dynamodb.store import DynamoDBStore
from trainbell.use_cases.ground.services import Services


def assemble(environment: CloudEnvironment, clients: AwsClients) -> Services:
    clock = SystemClock()
    secrets = CloudSecrets(clients, environment.secret_prefix, clock)
    return Services(
        store=DynamoDBStore(environment.table_name, clients.dynamodb),
        providers=Catalog(secrets, clock, engine="cloud", installation=environment.installation),
        channels=FoundChannels(
            secrets, clock, topic_arn=environment.topic_arn, bus_name=environment.bus_name
        ),
        watchers=_watchers(environment, clients),
        scheduler=_scheduler(environment, clients),
        secrets=secrets,
        clock=clock,
        random=SystemRandom(),
        page_url=environment.page_url,
        engine="cloud",
        reach=environment.reach,
        overflow=_overflow(environment, clients),
    )


@cache
def cloud_services() -> Services:
    """This process's services, made on the first call and kept: a warm function reuses them.

    Raises:
        ConfigInvalid: the environment is wrong.
        StoreTooNew: a newer Trainbell wrote the table.
        StoreUnavailable: it cannot be read now.
    """
    clients = AwsClients()
    DynamoDBStore(cloud_environment().table_name, clients.dynamodb).migrate()
    return assemble(cloud_environment(), clients)


@cache
def cloud_environment() -> CloudEnvironment:
    return read_environment()


def _watchers(environment: CloudEnvironment, clients: AwsClients) -> Watchers:
    if environment.state_machine_arn is None:
        return NoWatchers()
    # Here and below: a function that may not use it does not load it.
    from trainbell.cloud.step_functions_watchers import StepFunctionsWatchers

    return StepFunctionsWatchers(clients.stepfunctions, environment.state_machine_arn)


def _overflow(environment: CloudEnvironment, clients: AwsClients) -> Overflow:
    if environment.overflow_bucket is None:
        return Nowhere()
    from trainbell.cloud.s3_overflow import S3Overflow

    return S3Overflow(clients, environment.overflow_bucket, environment.installation)


def _scheduler(environment: CloudEnvironment, clients: AwsClients) -> Scheduler:
    target = environment.schedule_target
    if target is None:
        return NoScheduler()
    from trainbell.cloud.eventbridge_scheduler import EventBridgeScheduler

    return EventBridgeScheduler(clients.scheduler, target)
