"""A service that repeats our secret, in every text and in every form: it is found nowhere.

The real use cases, store, API and Slack channel. A secret that was echoed by two of the services
was found 44 times before what a service says passed one redaction.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.api_clients import EmbeddedClient
from tests.builders import a_caller
from tests.contract.echoing_service import (
    Echo,
    Where,
    everywhere,
    forms_of,
    in_free_texts,
    in_words_of_state,
)
from tests.e2e.test_every_kind import JOBS
from tests.open_secrets import OpenSecrets
from tests.toy_service import ToyService, a_trainbell
from trainbell.channels.catalog import FoundChannels
from trainbell.domain.job import Job, State
from trainbell.domain.settings import ChannelConfig, Connection
from trainbell.providers.catalog import Catalog
from trainbell.simulators.__main__ import access, names, simulator
from trainbell.simulators.clock import SimulatorClock
from trainbell.simulators.server import running
from trainbell.simulators.slack import SlackReceiver
from trainbell.stores.sqlite.store import SqliteStore
from trainbell.use_cases.ground.services import Services
from trainbell.use_cases.jobs.advance_job import advance_job
from trainbell.use_cases.jobs.request_job import request_job
from trainbell.use_cases.telling.publish_changes import publish_changes

LOOKS_AT_MOST = 100
CHANNEL = ChannelConfig(name="team", kind="slack", secret="env:SLACK")


@dataclass
class Secrets(OpenSecrets):
    key: str
    webhook: str

    def read(self, reference: str) -> str:
        return self.webhook if reference == "env:SLACK" else self.key


@dataclass
class Scene:
    services: Services
    clock: SimulatorClock
    echo: Echo
    slack: SlackReceiver
    folder: Path

    def run(self, provider: str) -> Job:
        """Until its end, or for so many looks; and tell what there is to tell."""
        kind, parameters = next(iter(JOBS[provider].items()))
        body = {
            "provider": provider,
            "kind": kind,
            "parameters": parameters,
            "min_interval_seconds": 1,
            "max_interval_seconds": 10,
        }
        job, _ = request_job(self.services, body, by=a_caller())
        for _ in range(LOOKS_AT_MOST):
            outcome = advance_job(self.services, job.id)
            if outcome.wait_seconds is None:
                break
            self.clock.advance(min(outcome.wait_seconds, 15))
        publish_changes(self.services)
        return outcome.job

    def shown(self, job: Job) -> str:
        """All that anybody can see: the API, what Slack was told, and the files."""
        client = EmbeddedClient(self.services)
        parts = ["", "/events?limit=100", "/logs", "/performance", "/deliveries"]
        answers = []
        for part in parts:
            path, _, query = f"/v1/jobs/{job.id}{part}".partition("?")
            answers.append(client.call("GET", path, query={"limit": 100} if query else None).text)
        name = job.order.connection
        for method, path in (
            ("GET", "/v1/jobs"),
            ("GET", f"/v1/connections/{name}"),
            ("POST", f"/v1/connections/{name}/test"),
        ):
            answers.append(client.call(method, path).text)
        told = json.dumps(self.slack.messages, ensure_ascii=False)
        files = [path.read_bytes().decode("latin-1") for path in self.folder.iterdir()]
        return "\n".join([*answers, *(json.dumps(json.loads(a)) for a in answers), told, *files])


@contextmanager
def scene(provider: str, folder: Path, where: Where, *, breaks: bool = False) -> Iterator[Scene]:
    clock = SimulatorClock(speed=0, start=datetime.now(UTC))
    service = simulator(provider, clock)
    given = access(provider)
    echo = Echo(_parts(given.secret), where, breaks=breaks)
    with ExitStack() as stack:
        slack = stack.enter_context(SlackReceiver())
        store = stack.enter_context(closing(SqliteStore(folder / "jobs.sqlite3")))
        url = stack.enter_context(running(service)) + service.base_path
        stack.callback(echo.close)
        store.put_config(
            Connection(
                name=provider,
                provider=provider,
                base_url=url,
                secret="env:KEY",
                options=given.options,
            )
        )
        store.put_config(CHANNEL)
        secrets = Secrets(given.secret, slack.url)
        catalog = stack.enter_context(closing(Catalog(secrets, clock, transport=echo)))
        channels = stack.enter_context(closing(FoundChannels(secrets, clock, allow_loopback=True)))
        toy = ToyService(clock)  # type: ignore[arg-type]  # only its clock is used here
        services = replace(
            a_trainbell(store, toy, providers=catalog, clock=clock, secrets=secrets),
            channels=channels,
        )
        yield Scene(services, clock, echo, slack, folder)


def _parts(secret: str) -> list[str]:
    """What is shared with a service: the key itself, or AWS's secret part. A private key is not;
    the tokens that are got for it are seen on their way."""
    if secret.startswith("{"):
        return [json.loads(secret)["secret_access_key"]]
    return [] if "\n" in secret else [secret]


def found(scene: Scene, text: str) -> list[str]:
    return [form for secret in scene.echo.secrets for form in forms_of(secret) if form in text]


@pytest.mark.parametrize("provider", names())
def test_in_every_free_text_of_a_job_that_takes_its_course(
    provider: str, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    with scene(provider, tmp_path, in_free_texts) as at:
        job = at.run(provider)
        assert job.state is State.SUCCEEDED, job
        assert len(at.slack.messages) == 1
        assert found(at, at.shown(job) + caplog.text) == []


@pytest.mark.parametrize("breaks", [False, True], ids=["answers", "errors"])
@pytest.mark.parametrize("where", [in_words_of_state, everywhere])
@pytest.mark.parametrize("provider", names())
def test_in_every_text_that_is_not_free(
    provider: str,
    where: Where,
    breaks: bool,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    with scene(provider, tmp_path, where, breaks=breaks) as at:
        job = at.run(provider)
        assert at.echo.echoed
        assert found(at, at.shown(job) + caplog.text) == []
