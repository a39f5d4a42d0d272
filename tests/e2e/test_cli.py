"""The command line against a real Trainbell: what it prints, and its exit status."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.up_process import TRAINBELL, UpProcess
from trainbell.cli.app import exit_status
from trainbell.client import Trainbell
from trainbell.embedded.data_dir import open_data_dir, running_server
from trainbell.embedded.instance import EmbeddedInstance
from trainbell.simulators.slack import SlackReceiver

pytestmark = pytest.mark.e2e

OK, BAD_INPUT, FAILED, CANCELLED, EXPIRED, LOST, NOT_REACHED, REFUSED = 0, 2, 3, 4, 5, 6, 7, 8
QUICK = ("--min-interval", "1", "--max-interval", "1")


@dataclass
class Said:
    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def one_line(self) -> str:
        """What went wrong, which is always one line."""
        assert self.out == ""
        assert self.err.count("\n") == 1, self.err
        return self.err


Run = Callable[..., Said]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    def run(*args: str | Path) -> Said:
        capsys.readouterr()
        code = exit_status([str(each) for each in args])
        said = capsys.readouterr()
        assert "Traceback" not in said.err
        return Said(code, said.out, said.err)

    return run


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name in ("TRAINBELL_URL", "TRAINBELL_TOKEN", "TRAINBELL_SIGN", "COLUMNS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("TRAINBELL_DATA_DIR", str(tmp_path / "data"))
    return tmp_path / "data"


@pytest.fixture
def trainbell(data_dir: Path) -> Iterator[EmbeddedInstance]:
    with EmbeddedInstance(data_dir, port=0) as instance:
        yield instance


def local(code: str) -> tuple[str, ...]:
    command = json.dumps(["sh", "-c", code])
    return ("start", "--provider", "local", "--param", f"command={command}", *QUICK)


REPORT = """echo '{"progress": 0.5, "metrics": {"accuracy": 0.9}}' >> $TRAINBELL_PROGRESS_FILE;"""


# ------------------------------------------------------------ jobs


def test_start_and_wait_prints_the_ended_job(trainbell: EmbeddedInstance, run: Run) -> None:
    job = run(*local(REPORT), "--name", "first", "--tag", "a=b", "--wait", "--json").json
    assert (job["state"], job["end_reason"]) == ("succeeded", "completed")
    assert job["performance"]["metrics"] == {"accuracy": 0.9}
    assert job["parameters"]["cwd"] == str(Path.cwd())

    page = run("show", job["id"]).out
    assert [line.split()[:2] for line in page.splitlines()[:3]] == [
        ["job", job["id"]],
        ["state", "succeeded"],
        ["name", "first"],
    ]
    assert run("show", job["id"], "--json").json["id"] == job["id"]

    (row,) = run("jobs").out.splitlines()[1:]
    assert row.split()[:3] == [job["id"], "succeeded", "local"]
    assert "first" in row
    assert "accuracy 0.9" in row
    assert run("jobs", "--state", "succeeded,failed", "--tag", "a=b", "--json").json["items"]
    assert run("jobs", "--state", "running").out == "no jobs\n"

    events = run("events", job["id"], "--json").json
    assert events["events"][-1]["type"] == "JobFinished"
    assert "JobFinished" in run("events", job["id"]).out

    again = run("retry", job["id"], "--json").json
    assert again["retry_of"] == job["id"]
    run("wait", again["id"])
    assert job["id"] in run("forget", job["id"]).out
    assert run("forget", again["id"], "--json").json == {"id": again["id"], "forgotten": True}
    assert run("show", job["id"]).code == REFUSED


def test_the_exit_status_says_how_it_ended(trainbell: EmbeddedInstance, run: Run) -> None:
    failed = run(*local("echo oops; exit 3"), "--wait")
    assert failed.code == FAILED
    assert "exit code" in failed.out
    assert "failed" in failed.err  # It was told as it happened, too.

    job = run(*local("sleep 30"), "--json").json
    _until(lambda: run("show", job["id"], "--json").json["state"] == "running")
    cancelled = run("cancel", job["id"])
    assert (cancelled.code, cancelled.out.split()[:2]) == (OK, [job["id"], "cancelling"])
    assert run("wait", job["id"]).code == CANCELLED
    assert run("cancel", job["id"]).code == REFUSED

    expired = run(*local("sleep 30"), "--deadline", "1s", "--wait", "--json")
    assert (expired.code, expired.json["state"]) == (EXPIRED, "expired")


@pytest.mark.parametrize(
    ("state", "code"),
    [
        ("succeeded", OK),
        ("failed", FAILED),
        ("cancelled", CANCELLED),
        ("expired", EXPIRED),
        ("lost", LOST),
    ],
)
def test_each_end_has_a_status_of_its_own(
    trainbell: EmbeddedInstance, run: Run, state: str, code: int
) -> None:
    job = run(*local("exit 0"), "--json").json
    ended = {**job, "state": state, "has_ended": True, "end_reason": "any"}
    with Answering(200, json.dumps(ended).encode()) as (url, _):
        assert run("wait", job["id"], "--url", url).code == code


def test_logs_are_printed_without_what_moves_a_terminal(
    trainbell: EmbeddedInstance, run: Run
) -> None:
    job = run(*local(r"printf 'one\ntwo \033]0;title\007\033[2Jx\n'"), "--wait", "--json").json
    assert run("logs", job["id"], "--lines", "1", "--json").json["lines"][0].startswith("two ")
    shown = run("logs", job["id"]).out
    assert shown.startswith("one\ntwo ")
    assert "\x1b" not in shown
    assert "\x07" not in shown


# As a service may have said it, and a Trainbell tells it on: C0, C1, and text that turns around.
HOSTILE = "a\\u001b[2Jb\\u009b2Jc\\u202ed\\u0007e"
RAW = "\x1b\x9b\u202e\x07"


@pytest.mark.parametrize(
    ("args", "status", "document"),
    [
        (("jobs", "--json"), 200, {"items": [HOSTILE], "next_cursor": None}),
        (("jobs",), 422, {"title": HOSTILE, "detail": HOSTILE}),
        (
            ("jobs",),
            422,
            {
                "title": HOSTILE,
                "errors": [{"path": HOSTILE, "message": HOSTILE}, {"path": "b", "message": "c"}],
            },
        ),
        (("channels", "test", "x"), 200, {"message": HOSTILE}),
        (("channels", "list"), 200, {"items": [{"name": HOSTILE}], "next_cursor": None}),
        (("connections", "show", "x"), 200, {"name": HOSTILE, HOSTILE: [HOSTILE]}),
        (
            ("events", "x"),
            200,
            {
                "items": [
                    {
                        "at": "2026-03-02T12:00:00Z",
                        "type": HOSTILE,
                        "state": HOSTILE,
                        "data": {HOSTILE: HOSTILE},
                        "done_at": None,
                        "channel": HOSTILE,
                        "event_type": HOSTILE,
                        "attempts": 1,
                        "last_error": HOSTILE,
                    }
                ],
                "next_cursor": None,
            },
        ),
    ],
)
def test_nothing_that_was_said_moves_a_terminal(
    run: Run, args: tuple[str, ...], status: int, document: dict[str, Any]
) -> None:
    with Answering(status, json.dumps(document).replace("\\\\u", "\\u").encode()) as (url, _):
        said = run(*args, "--url", url)
    shown = said.out + said.err
    assert "2J" in shown
    assert not set(RAW) & set(shown)


# ------------------------------------------------------------ settings


def test_connections(trainbell: EmbeddedInstance, run: Run) -> None:
    put = ("connections", "put", "faces", "--provider", "deepva", "--secret", "env:NO_SUCH_KEY")
    url = ("--calls-per-minute", "60", "--max-active", "2")
    assert run(*put, *url).out == "faces saved\n"
    assert run(*put, *url, "--json").json["calls_per_minute"] == 60
    assert "faces" in run("connections", "list").out
    listed = run("connections", "list", "--json").json["items"]
    assert {"faces", "local"} <= {each["name"] for each in listed}
    assert "env:NO_SUCH_KEY" in run("connections", "show", "faces").out
    assert run("connections", "show", "faces", "--json").json["provider"] == "deepva"
    assert "NO_SUCH_KEY" in run("connections", "test", "faces").one_line
    assert run("connections", "test", "local", "--json").json["ok"] is True
    lists = ("--option", "pass_environment=CUDA_HOME", "--option", "pass_environment=HF_HOME")
    here = run("connections", "put", "here", "--provider", "local", *lists, "--json").json
    assert here["options"]["pass_environment"] == ["CUDA_HOME", "HF_HOME"]
    one = run("connections", "put", "here", "--provider", "local", *lists[:2], "--json").json
    assert one["options"]["pass_environment"] == ["CUDA_HOME"]
    assert run(*put, "--calls-per-minute", "nan").code == BAD_INPUT
    assert run("connections", "delete", "faces").out == "faces deleted\n"
    assert run("connections", "delete", "faces").code == REFUSED


def test_channels(trainbell: EmbeddedInstance, run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    with SlackReceiver() as slack:
        monkeypatch.setenv("TEST_SLACK_URL", slack.url)
        put = ("channels", "put", "team", "--kind", "slack", "--secret", "env:TEST_SLACK_URL")
        assert run(*put, "--event", "JobFinished").out == "team saved\n"
        assert run("channels", "test", "team").code == OK
        assert len(slack.messages) == 1
        assert "JobFinished" in run("channels", "list").out
        assert run("channels", "show", "team", "--json").json["kind"] == "slack"
        job = run(*local("exit 0"), "--wait", "--json").json
        _until(lambda: len(slack.messages) == 2)
        _until(lambda: "delivered" in run("events", job["id"]).out)
        assert run("channels", "delete", "team", "--json").json == {"name": "team", "deleted": True}


def test_schedules(trainbell: EmbeddedInstance, run: Run, tmp_path: Path) -> None:
    file = tmp_path / "parameters.json"
    file.write_text('{"command": ["true"], "grace_seconds": 1}')
    put = ("schedules", "put", "nightly", "--expression", "rate(6 hours)", "--provider", "local")
    answer = run(*put, "--params-file", file, "-p", "grace_seconds=2", "--tag", "a=b", "--json")
    assert answer.json["job"]["parameters"] == {
        "command": ["true"],
        "grace_seconds": 2,
        "cwd": str(Path.cwd()),
    }
    assert "rate(6 hours)" in run("schedules", "list").out
    again = ("--time-zone", "Europe/Berlin", "--expression", "cron(0 2 * * *)", "--name", "digits")
    more = ("--deadline", "2h", "--when-busy", "wait", "--min-interval", "5", "--project", "vision")
    answer = run(*put, *again, *more, "-p", 'command=["true"]', "--json").json
    job = {key: answer["job"][key] for key in answer["job"] if key != "parameters"}
    assert job == {
        "provider": "local",
        "project": "vision",
        "name": "digits",
        "deadline_seconds": 7200,
        "when_busy": "wait",
        "min_interval_seconds": 5,
    }
    assert " 02:00:00 CE" in run("schedules", "show", "nightly").out  # CET or CEST, as it is there.
    assert "next due" in run("schedules", "test", "nightly").out
    passed = run(*put, "--expression", "at(2020-01-01T00:00:00)", "-p", 'command=["true"]')
    assert (passed.code, "has passed" in passed.one_line) == (BAD_INPUT, True)
    assert "nightly" in run("schedules", "show", "nightly").out
    assert run("schedules", "delete", "nightly").code == OK
    assert run("schedules", "list").out == "no schedules\n"


def test_what_there_is(trainbell: EmbeddedInstance, run: Run) -> None:
    assert "deepva" in run("providers").out
    assert {"deepva", "local"} <= {
        each["name"] for each in run("providers", "--json").json["items"]
    }
    assert run("providers", "local").json["abilities"]["cancel"] is True
    status = run("status", "--json").json
    assert (status["url"], status["by"], status["status"]) == (trainbell.url, "owner", "ok")
    assert trainbell.url in run("status").out
    assert run("version", "--json").json == {"version": run("version").out.strip()}


# ------------------------------------------------------------ trouble


def test_every_problem_of_the_input_is_listed(trainbell: EmbeddedInstance, run: Run) -> None:
    said = run("start", "--provider", "local", "--tag", "=x")
    assert "KEY=VALUE" in said.one_line
    said = run("start", "--provider", "nobody", "--name", "x" * 300, "--kind", "")
    assert said.code == BAD_INPUT
    listed = [line.strip().partition(":")[0] for line in said.err.splitlines()[1:]]
    assert {"name", "provider"} <= set(listed)
    single = run("start", "--provider", "local")
    assert single.code == BAD_INPUT
    assert "parameters.command: is required" in single.one_line
    first = local("exit 0")
    assert run(*first, "--idempotency-key", "k-1").code == OK
    assert run(*local("exit 1"), "--idempotency-key", "k-1").code == REFUSED
    span = (*local("exit 0"), "--deadline", "2h", "--idempotency-key", "k-2", "--json")
    assert run(*span).json["id"] == run(*span).json["id"]
    assert run("jobs", "--state", "nonsense").code == BAD_INPUT


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (("nonsense",), "No such command 'nonsense'"),
        (("start",), "Missing option '--provider'"),
        (("jobs", "--limit", "0"), "--limit"),
        (("jobs", "--nonsense"), "No such option: --nonsense"),
        (("start", "--provider", "local", "--deadline", "99999999999d"), "--deadline"),
        (("status", "--url", "127.0.0.1:8765"), "is no URL"),
        (("status", "--url", "http://["), "is no URL"),
        (("simulate", "nonsense"), "none of: "),
    ],
)
def test_wrong_options_are_said_in_one_line(run: Run, args: tuple[str, ...], words: str) -> None:
    said = run(*args)
    assert said.code == BAD_INPUT
    assert words in said.one_line


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b'{"a": 1', "no valid JSON"),
        (b"[1]", "no JSON object"),
        (b"\xff", "cannot be read"),
        (b'{"a": NaN}', "cannot be read"),
        (b'{"a": 1e999}', "cannot be read"),
        (b"[" * 100_000, "cannot be read"),
    ],
)
def test_a_file_of_parameters_that_cannot_be_read(
    run: Run, tmp_path: Path, content: bytes, words: str
) -> None:
    file = tmp_path / "p.json"
    file.write_bytes(content)
    said = run("start", "--provider", "local", "--params-file", file)
    assert said.code == BAD_INPUT
    assert words in said.one_line


def test_nobody_answers(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "trainbell up" in run("jobs").one_line
    assert run("jobs").code == NOT_REACHED
    assert "nothing answers at http://127.0.0.1:1" in run("jobs", "--url", "http://127.0.0.1:1").err
    monkeypatch.setenv("TRAINBELL_URL", "http://127.0.0.1:1")
    assert run("start", "--provider", "local", "--wait").code == NOT_REACHED


def test_a_server_that_is_just_beginning_is_waited_for(run: Run, data_dir: Path) -> None:
    with open_data_dir(data_dir) as begun:
        answers = threading.Timer(0.3, begun.announce, args=["http://127.0.0.1:1"])
        answers.start()
        assert "nothing answers at http://127.0.0.1:1" in run("jobs").one_line
        answers.join()


@pytest.mark.parametrize(
    ("status", "body"),
    [(200, b"<html>"), (200, b"{}"), (200, b"[]"), (404, b"<html>"), (302, b""), (200, b"\xff{")],
)
def test_what_answers_is_no_trainbell(run: Run, status: int, body: bytes) -> None:
    with Answering(status, body) as (url, _):
        said = run("jobs", "--url", url)
    assert said.code == NOT_REACHED
    assert "is no Trainbell" in said.one_line


def test_a_wrong_token_is_refused(
    trainbell: EmbeddedInstance, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run("status", "--url", trainbell.url).code == OK  # Its own token is found.
    monkeypatch.setenv("TRAINBELL_TOKEN", "wrong")
    said = run("status", "--url", trainbell.url)
    assert said.code == REFUSED
    assert "token" in said.one_line


def test_calls_are_signed_for_aws(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRAINBELL_SIGN", "1")
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "an-example-and-no-secret")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-session")
    monkeypatch.setenv("AWS_REGION", "eu-central-1")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-central-1")
    with Answering(403, b'{"message": "Forbidden"}') as (url, requests):
        said = run(*local("true"), "--tag", "ü=ö", "--url", url)
    assert said.code == REFUSED
    assert "Forbidden" in said.one_line
    (request,) = requests
    given = {name.lower(): value for name, value in request.headers.items()}
    _, _, rest = given["authorization"].partition("Credential=AKIDEXAMPLE/")
    assert "/eu-central-1/execute-api/aws4_request" in rest
    signed_names = rest.partition("SignedHeaders=")[2].partition(",")[0].split(";")
    assert {"host", "content-type", "idempotency-key", "x-amz-date"} <= set(signed_names)
    assert rest.partition("Signature=")[2] == _signature(url, given, signed_names, request.body)


# ------------------------------------------------------------ waiting


def test_with_no_server_the_command_watches_by_itself(
    run: Run, data_dir: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with SlackReceiver() as slack:
        monkeypatch.setenv("TEST_SLACK_URL", slack.url)
        with (
            EmbeddedInstance(data_dir, port=0) as before,
            Trainbell(before.url, token=before.token) as client,
        ):
            client.put("channels", "team", {"kind": "slack", "secret": "env:TEST_SLACK_URL"})
        said = run(*local("sleep 0.5"), "--wait", "--json")
        assert (said.code, said.json["state"]) == (OK, "succeeded")
        assert len(slack.messages) == 1  # Told before the command ended.
    assert running_server(data_dir) is None


def test_ctrl_c_detaches_and_never_cancels(data_dir: Path, run: Run) -> None:
    command = [str(TRAINBELL), *local("sleep 4"), "--wait"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    job_id = process.stderr.readline().split()[0]
    assert "watches the job itself" in process.stderr.readline()
    while "running" not in process.stderr.readline():
        pass
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=20)
    assert process.returncode == 130
    assert f"trainbell wait {job_id}" in err
    assert "Nobody watches it" in err
    assert out == ""
    job = run("wait", job_id, "--json").json
    assert job["state"] == "succeeded"
    assert job["cancel_requested_at"] is None


def test_a_restart_meanwhile_is_waited_for(tmp_path: Path, run: Run) -> None:
    with UpProcess(tmp_path) as up:
        job = run(*local("sleep 3"), "--json").json

        def restart() -> None:
            time.sleep(0.7)
            up.kill()
            time.sleep(0.5)
            up.start()

        restarting = threading.Thread(target=restart)
        restarting.start()
        said = run("wait", job["id"], "--url", up.url)
        restarting.join()
    assert said.code == OK
    assert "waiting for it" in said.err


def test_what_reads_our_output_may_stop(trainbell: EmbeddedInstance) -> None:
    piped = f"{sys.executable} -m trainbell.cli providers local | head -c 1"
    ended = subprocess.run(
        ["bash", "-o", "pipefail", "-c", piped], check=False, capture_output=True, timeout=20
    )
    assert (ended.returncode, ended.stdout, ended.stderr) == (0, b"{", b"")


def test_simulate_serves_until_ctrl_c() -> None:
    command = [str(TRAINBELL), "simulate", "deepva", "--speed", "10"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        assert httpx.get(f"{url}/trainings/", trust_env=False).status_code == 401
        process.send_signal(signal.SIGTERM)


# ------------------------------------------------------------ parts


@dataclass
class Seen:
    headers: Any
    body: bytes


class Answering:
    """A server that gives one answer to everything, and keeps what it was asked."""

    def __init__(self, status: int, body: bytes) -> None:
        seen: list[Seen] = []

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                length = int(self.headers.get("Content-Length") or 0)
                seen.append(Seen(self.headers, self.rfile.read(length)))
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def do_POST(self) -> None:
                self.do_GET()

            def log_message(self, format: str, *args: Any) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._seen = seen

    def __enter__(self) -> tuple[str, list[Seen]]:
        self._thread.start()
        return f"http://127.0.0.1:{self._server.server_address[1]}", self._seen

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


def _signature(url: str, given: dict[str, str], names: list[str], body: bytes) -> str:
    """What botocore makes of the request as it arrived."""
    headers = {name: given[name] for name in names}
    request = AWSRequest("POST", f"{url}/v1/jobs", headers=headers, data=body)
    request.context["timestamp"] = given["x-amz-date"]
    credentials = Credentials("AKIDEXAMPLE", "an-example-and-no-secret", "a-session")
    auth = SigV4Auth(credentials, "execute-api", "eu-central-1")
    text = auth.string_to_sign(request, auth.canonical_request(request))
    return auth.signature(text, request)


def _until(wanted: Callable[[], bool], seconds: float = 20.0) -> None:
    deadline = time.monotonic() + seconds
    while not wanted():
        assert time.monotonic() < deadline
        time.sleep(0.1)
