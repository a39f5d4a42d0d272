"""What does not fit into stored jobs, in an S3 bucket: one object a job."""

from __future__ import annotations

from botocore.exceptions import ClientError

from trainbell.cloud.aws_errors import code_of, mapped_errors
from trainbell.cloud.clients import AwsClients


class S3Overflow:
    """Implements `ports.Overflow`. What its methods raise: `aws_errors.mapped_errors`."""

    def __init__(self, clients: AwsClients, bucket: str, installation: str) -> None:
        """`installation`: the stack's name, for several may share a bucket. The client is made with
        the first document: few jobs have one."""
        self._clients = clients
        self._bucket = bucket
        self._prefix = f"{installation}/jobs/"

    def keep(self, job_id: str, document: bytes) -> bool:
        with mapped_errors("keeping it in S3"):
            self._clients.s3.put_object(
                Bucket=self._bucket,
                Key=self._key(job_id),
                Body=document,
                ContentType="application/json",
            )
        return True

    def read(self, job_id: str) -> bytes | None:
        try:
            with mapped_errors("reading it from S3"):
                answer = self._clients.s3.get_object(Bucket=self._bucket, Key=self._key(job_id))
                document: bytes = answer["Body"].read()
                return document
        except Exception as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and code_of(cause) == "NoSuchKey":
                return None
            raise

    def forget(self, job_id: str) -> None:
        with mapped_errors("removing it from S3"):
            self._clients.s3.delete_object(Bucket=self._bucket, Key=self._key(job_id))

    def _key(self, job_id: str) -> str:
        return f"{self._prefix}{job_id}.json"
