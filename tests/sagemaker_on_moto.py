"""SageMaker on this machine: moto's server on a real socket, behind a front that mends it.

What moto 5.2.5 does otherwise than AWS, and the front puts right:
- a new training job is Completed at once (here: InProgress, Starting);
- a name that is taken is given to the new job (ResourceInUse);
- StopTrainingJob does not exist (500, not implemented);
- Environment is dropped from the description, BillableTimeInSeconds is never there;
- no signature is checked, and any role is taken.
The front also asks for the faults of the simulators, and counts what was asked for.
"""

from __future__ import annotations

import json
import logging
import re
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any

import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from moto.backends import get_backend
from moto.server import ThreadedMotoServer

from trainbell.simulators.server import running
from trainbell.simulators.service import Answer, Request, SimulatedService

REGION = "eu-west-1"
ACCOUNT = "123456789012"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI-K7MDENG-bPxRfiCYEXAMPLEKEY"
KEYS = json.dumps({"access_key_id": ACCESS_KEY, "secret_access_key": SECRET_KEY})
REFUSED_ROLE = f"arn:aws:iam::{ACCOUNT}:role/not-for-sagemaker"

_CREDENTIAL = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/\d+/([^/]+)/([^/]+)/aws4_request, "
    r"SignedHeaders=([^,]+), Signature=([0-9a-f]{64})"
)
_RUNNING = frozenset({"InProgress", "Stopping"})


class SageMakerOnMoto(SimulatedService):
    def __init__(self, moto_url: str) -> None:
        super().__init__()
        self.calls: Counter[str] = Counter()
        self._moto = httpx.Client(base_url=moto_url, trust_env=False)
        self._environments: dict[str, Any] = {}
        self._billable: dict[str, int] = {}

    def handle(self, request: Request) -> Answer:
        target = request.headers.get("x-amz-target", "").rpartition(".")[2]
        self.calls[target] += 1
        if not _is_signed_well(request):
            words = "The security token included in the request is invalid."
            return _refusal("UnrecognizedClientException", words)
        body = json.loads(request.body or b"{}")
        match target:
            case "CreateTrainingJob":
                return self._create(request, body)
            case "DescribeTrainingJob":
                return self._describe(request, body["TrainingJobName"])
            case "StopTrainingJob":
                return self._stop(body["TrainingJobName"])
        return self._forward(request)

    # ---------------------------------------- what AWS does by itself

    def say(self, name: str, status: str, stage: str | None = None, **fields: Any) -> None:
        """The job is in this status from now on. `fields`: attributes of moto's job."""
        job = self.jobs()[name]
        job.training_job_status = status
        job.secondary_status = stage or ("Training" if status == "InProgress" else status)
        vars(job).update(fields)

    def begin(self, name: str) -> None:
        job = self.jobs()[name]
        self.say(name, "InProgress", training_start_time=job.creation_time)

    def finish(self, name: str, *, billable_seconds: int = 100) -> None:
        job = self.jobs()[name]
        start: datetime = job.creation_time
        self._billable[name] = billable_seconds
        end = start + timedelta(seconds=billable_seconds)
        self.say(name, "Completed", training_start_time=start, training_end_time=end)

    def get_on(self) -> None:
        """One step further with every job: moto's have no course of their own."""
        following = {"InProgress": "Completed", "Stopping": "Stopped"}
        for name, job in self.jobs().items():
            if job.training_start_time is None and job.training_job_status == "InProgress":
                self.begin(name)
            elif (status := following.get(job.training_job_status)) is not None:
                self.say(name, status, training_end_time=job.creation_time)

    def jobs(self) -> dict[str, Any]:
        jobs: dict[str, Any] = get_backend("sagemaker")[ACCOUNT][REGION].training_jobs
        return jobs

    def close(self) -> None:
        self._moto.close()

    # ---------------------------------------- the calls

    def _create(self, request: Request, body: Mapping[str, Any]) -> Answer:
        name = body["TrainingJobName"]
        if name in self.jobs():
            words = "Training job names must be unique within an AWS account and region"
            return _refusal("ResourceInUse", words)
        if body["RoleArn"] == REFUSED_ROLE:
            return _refusal("ValidationException", f"Could not assume role {REFUSED_ROLE}.")
        answer = self._forward(request)
        if answer.status == httpx.codes.OK:
            self.starts[name[-26:]] += 1
            self._environments[name] = body.get("Environment")
            self.say(name, "InProgress", "Starting", training_start_time=None)
            vars(self.jobs()[name]).update(training_end_time=None, final_metric_data_list=[])
        return answer

    def _describe(self, request: Request, name: str) -> Answer:
        answer = self._forward(request)
        if answer.status != httpx.codes.OK:
            return answer
        shown = json.loads(answer.body)
        shown["Environment"] = self._environments.get(name)
        shown["BillableTimeInSeconds"] = self._billable.get(name)
        return Answer.json({key: value for key, value in shown.items() if value is not None})

    def _stop(self, name: str) -> Answer:
        job = self.jobs().get(name)
        if job is None:
            return _refusal("ValidationException", "Requested resource not found.")
        status = job.training_job_status
        if status not in _RUNNING:
            words = f"The request was rejected because the training job is in status {status}."
            return _refusal("ValidationException", words)
        self.say(name, "Stopping")
        return Answer(200)

    def _forward(self, request: Request) -> Answer:
        passed = {
            name: value
            for name, value in request.headers.items()
            if name not in ("host", "connection", "content-length")
        }
        answer = self._moto.request(
            request.method, request.path, headers=passed, content=request.body
        )
        kept = {k: v for k, v in answer.headers.items() if k.startswith("x-amzn-")}
        kind = answer.headers.get("content-type", "application/x-amz-json-1.1")
        return Answer(answer.status_code, answer.content, kind, kept)


def parameters(**changes: Any) -> dict[str, Any]:
    """Of a training job that is accepted."""
    given: dict[str, Any] = {
        "AlgorithmSpecification": {
            "TrainingImage": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/faces:1",
            "TrainingInputMode": "File",
        },
        "RoleArn": f"arn:aws:iam::{ACCOUNT}:role/training",
        "InputDataConfig": [a_channel()],
        "OutputDataConfig": {"S3OutputPath": "s3://models/out"},
        "ResourceConfig": {
            "InstanceType": "ml.g5.xlarge",
            "InstanceCount": 1,
            "VolumeSizeInGB": 50,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 3600},
        "HyperParameters": {"epochs": "3"},
    }
    return {**given, **changes}


def a_channel(**changes: Any) -> dict[str, Any]:
    place = {"S3DataType": "S3Prefix", "S3Uri": "s3://data/faces/"}
    return {"ChannelName": "train", "DataSource": {"S3DataSource": place}, **changes}


@contextmanager
def sagemaker_on_moto() -> Iterator[tuple[SageMakerOnMoto, str]]:
    """The front, and its URL."""
    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    moto = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    moto.start()
    try:
        _, port = moto.get_host_and_port()
        front = SageMakerOnMoto(f"http://127.0.0.1:{port}")
        with running(front) as url:
            yield front, url
        front.close()
    finally:
        moto.stop()


def _is_signed_well(request: Request) -> bool:
    """Signature Version 4, made again by botocore with the one key that this account has."""
    found = _CREDENTIAL.fullmatch(request.headers.get("authorization", ""))
    if found is None or found[1] != ACCESS_KEY:
        return False
    _, _, region, service = found[0], found[1], found[2], found[3]
    auth = SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), service, region)
    signed = {name: request.headers[name] for name in found[4].split(";")}
    url = f"http://{request.headers['host']}{request.path}"
    again = AWSRequest(request.method, url, headers=signed, data=request.body)
    again.context["timestamp"] = request.headers["x-amz-date"]
    text = auth.string_to_sign(again, auth.canonical_request(again))
    signature: str = auth.signature(text, again)
    return signature == found[5]


def _refusal(code: str, words: str) -> Answer:
    return Answer.json({"__type": code, "message": words}, 400)
