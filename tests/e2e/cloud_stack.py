"""template.yaml, deployed to AWS on this machine, and a caller who may use its API."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import httpx
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from tests.e2e.ministack_server import CREDENTIALS, REGION, free_port, ministack
from tests.infra.translated import ROOT, source, translate
from trainbell.client import Trainbell
from trainbell.domain.secret_bounds import Destination

NAME = "trainbell"
BUCKET = "packages"
LAUNCHER = Path(__file__).with_name("ministack_launcher.py")


@dataclass
class Cloud:
    """A region of AWS that can be ended and started again with all that it had stored."""

    directory: Path
    port: int
    url: str = ""

    @contextmanager
    def running(self) -> Iterator[None]:
        state = self.directory / "state"
        environment = {
            "PERSIST_STATE": "1",
            "STATE_DIR": str(state),
            "PYTHONPATH": str(ROOT),
            "LAMBDA_DATA_DIR": str(state),
        }
        program = (str(LAUNCHER),)
        with ministack(
            self.directory, environment=environment, port=self.port, program=program
        ) as self.url:
            yield

    def client(self, service: str) -> Any:
        session: Any = boto3
        return session.client(service, endpoint_url=self.url, **CREDENTIALS)


def new_cloud(directory: Path) -> Cloud:
    return Cloud(directory, free_port())


@dataclass(frozen=True)
class Stack:
    cloud: Cloud
    outputs: Mapping[str, str]
    key: Credentials

    def trainbell(self) -> Trainbell:
        """A client of the API, and of nothing else."""
        address = f"{self.cloud.url}/_aws/execute-api/{self.outputs['ApiId']}/$default"
        return Trainbell(address, sign=_signer(self.key))

    def keep_secret(self, name: str, value: str) -> str:
        """Put it where the functions may read it; the reference for a connection."""
        whole = f"{self.outputs['SecretPrefix']}{name}"
        self.cloud.client("secretsmanager").create_secret(Name=whole, SecretString=value)
        return f"secretsmanager:{whole}"

    def allow(self, connection: Mapping[str, Any]) -> None:
        """As its owner, let the secret of this connection go where it leads."""
        hosts = {str(Destination.of_url(connection["base_url"]))}
        tags = {"trainbell:hosts": " ".join(hosts), "trainbell:provider": connection["provider"]}
        self.cloud.client("secretsmanager").tag_resource(
            SecretId=connection["secret"].removeprefix("secretsmanager:"),
            Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
        )

    def silence_rules(self) -> None:
        """The minute's retry would hide a stream that does not wake the publisher."""
        events = self.cloud.client("events")
        for rule in events.list_rules()["Rules"]:
            events.disable_rule(Name=rule["Name"])

    def invoke(self, logical_id: str) -> None:
        """What a rule does when its time has come."""
        resource = self.cloud.client("cloudformation").describe_stack_resource(
            StackName=NAME, LogicalResourceId=logical_id
        )
        name = resource["StackResourceDetail"]["PhysicalResourceId"]
        answer = self.cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}")
        assert "FunctionError" not in answer, answer["Payload"].read()

    def executions(self, job_id: str) -> Mapping[str, str]:
        """Status by name, of all watchers of a job."""
        machine = self.outputs["StateMachineArn"]
        found = self.cloud.client("stepfunctions").list_executions(stateMachineArn=machine)
        return {
            each["name"]: each["status"]
            for each in found["executions"]
            if each["name"].startswith(job_id)
        }


@contextmanager
def deployed(directory: Path, parameters: Mapping[str, str] | None = None) -> Iterator[Stack]:
    """A fresh region with the stack in it."""
    cloud = new_cloud(directory)
    with cloud.running():
        yield deploy(cloud, parameters or {})


def deploy(cloud: Cloud, parameters: Mapping[str, str]) -> Stack:
    """Upload, create the stack, and wait for it."""
    _upload(cloud)
    template = json.dumps(translate(source()))
    template = template.replace("https://local.example/", f"{cloud.url}/{BUCKET}/")
    template = template.replace('"S3Bucket": "local"', f'"S3Bucket": "{BUCKET}"')
    cloudformation = cloud.client("cloudformation")
    cloudformation.create_stack(
        StackName=NAME,
        TemplateBody=template,
        Parameters=[
            {"ParameterKey": name, "ParameterValue": value}
            # The simulated services are on this machine.
            for name, value in {"PrivateNetworks": "127.0.0.0/8", **parameters}.items()
        ],
        Capabilities=["CAPABILITY_IAM", "CAPABILITY_AUTO_EXPAND"],
    )
    waiter = cloudformation.get_waiter("stack_create_complete")
    waiter.wait(StackName=NAME, WaiterConfig={"Delay": 1, "MaxAttempts": 30})
    [stack] = cloudformation.describe_stacks(StackName=NAME)["Stacks"]
    outputs = {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}
    return Stack(cloud, outputs, _new_user(cloud))


def _upload(cloud: Cloud) -> None:
    s3 = cloud.client("s3")
    s3.create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": REGION})
    package = ROOT / "shared"
    layer = _zipped(package / "trainbell", lambda path: f"python/{path.relative_to(package)}")
    functions = _zipped(ROOT / "functions", lambda path: path.name)
    s3.put_object(Bucket=BUCKET, Key="layer.zip", Body=layer)
    s3.put_object(Bucket=BUCKET, Key="functions.zip", Body=functions)
    for path in (ROOT / "infra").glob("*.yaml"):
        s3.put_object(Bucket=BUCKET, Key=f"infra/{path.name}", Body=path.read_bytes())


def _zipped(folder: Path, name_of: Callable[[Path], str]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for path in sorted(folder.rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                archive.write(path, name_of(path))
    return buffer.getvalue()


def _new_user(cloud: Cloud) -> Credentials:
    iam = cloud.client("iam")
    iam.create_user(UserName="scientist")
    key = iam.create_access_key(UserName="scientist")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def _signer(key: Credentials) -> Callable[[httpx.Request], None]:
    auth = SigV4Auth(key, "execute-api", REGION)

    def sign(request: httpx.Request) -> None:
        signed = AWSRequest(request.method, str(request.url), data=request.content)
        auth.add_auth(signed)
        request.headers.update(dict(signed.headers.items()))

    return sign
