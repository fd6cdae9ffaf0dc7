"""Puts a stage into an AWS account, and takes it away again.

python infra/deploy.py deploy STAGE [Name=value …]
python infra/deploy.py destroy STAGE [keep|delete]

`make deploy` and `make destroy` call it in the environment that has sam.
"""

from __future__ import annotations

import mimetypes
import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import boto3
from botocore.exceptions import BotoCoreError, ClientError, NoCredentialsError

ROOT = Path(__file__).resolve().parents[1]
BUILD = ROOT / ".data" / "package"
Run = Callable[[Sequence[str]], None]
_NOT_SERVED = ("test", "package.json", "README.md")


class DeployError(Exception):
    """What is missing, or went wrong, in a sentence."""


def sam(arguments: Sequence[str]) -> None:
    """Runs the sam of this environment.

    Raises:
        DeployError: It failed; it has said why.
    """
    command = [str(Path(sys.executable).with_name("sam")), *arguments]
    environment = {**os.environ, "SAM_CLI_TELEMETRY": "0"}
    if subprocess.run(command, cwd=ROOT, env=environment, check=False).returncode:
        raise DeployError(f"sam {arguments[0]} failed")


class Deployment:
    """One stage in the account of the environment.

    Raises:
        DeployError: The stage has no good name, or there are no credentials.
    """

    def __init__(self, stage: str, run: Run = sam) -> None:
        if stage == "local" or not re.fullmatch("[a-z][a-z0-9]{0,15}", stage):
            raise DeployError(
                "STAGE: expected 1 to 16 lower-case letters and digits, a letter first, and not "
                f"`local`; found {stage!r}: make deploy STAGE=prod"
            )
        self._stage, self._stack, self._run = stage, f"lambchat-{stage}", run
        self._account = _account()

    def deploy(self, parameters: Sequence[str]) -> dict[str, str]:
        """Builds, deploys, uploads the page; the addresses."""
        self._run(["build", "-t", "template.yaml", "-b", str(BUILD), "--build-in-source"])
        self._run(
            [
                *("deploy", "--template-file", str(BUILD / "template.yaml")),
                *("--stack-name", self._stack, "--resolve-s3", "--no-fail-on-empty-changeset"),
                *("--capabilities", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"),
                *("--parameter-overrides", f"Stage={self._stage}", *parameters),
            ]
        )
        outputs = self._outputs()
        self._upload(outputs)
        return outputs

    def _outputs(self) -> dict[str, str]:
        (stack,) = boto3.client("cloudformation").describe_stacks(StackName=self._stack)["Stacks"]
        return {one["OutputKey"]: one["OutputValue"] for one in stack["Outputs"]}

    def _upload(self, outputs: Mapping[str, str]) -> None:
        s3 = boto3.client("s3")
        for key, kind, body in page(outputs["RestUrl"]):
            s3.put_object(Bucket=outputs["PageBucket"], Key=key, Body=body, ContentType=kind)
        boto3.client("cloudfront").create_invalidation(
            DistributionId=outputs["PageDistribution"],
            InvalidationBatch={
                "Paths": {"Quantity": 1, "Items": ["/*"]},
                "CallerReference": os.urandom(8).hex(),
            },
        )

    def destroy(self, *, with_data: bool) -> None:
        """Deletes the stack; what users have only when it is asked for."""
        for name in ("page", "exports", "failures"):
            self._empty(name)
        cloudformation = boto3.client("cloudformation")
        cloudformation.delete_stack(StackName=self._stack)
        cloudformation.get_waiter("stack_delete_complete").wait(StackName=self._stack)
        if with_data:
            self._delete_data()

    def _delete_data(self) -> None:
        dynamodb = boto3.client("dynamodb")
        for page_ in dynamodb.get_paginator("list_tables").paginate():
            for name in page_["TableNames"]:
                if name.startswith(f"{self._stack}-"):
                    dynamodb.update_table(TableName=name, DeletionProtectionEnabled=False)
                    dynamodb.delete_table(TableName=name)
        self._empty("attachments", remove=True)
        ssm = boto3.client("ssm")
        path = f"/lambchat/{self._stage}"
        for found in ssm.get_paginator("get_parameters_by_path").paginate(
            Path=path, Recursive=True
        ):
            for one in found["Parameters"]:
                ssm.delete_parameter(Name=one["Name"])

    def _empty(self, name: str, *, remove: bool = False) -> None:
        bucket = boto3.resource("s3").Bucket(f"{self._stack}-{name}-{self._account}")
        try:
            bucket.objects.all().delete()
            if remove:
                bucket.delete()
        except ClientError as error:
            if error.response["Error"]["Code"] != "NoSuchBucket":
                raise


def page(rest_url: str) -> Iterator[tuple[str, str, bytes]]:
    """The files of the page: key, content type and content."""
    for path in sorted((ROOT / "web").rglob("*")):
        parts = path.relative_to(ROOT / "web").parts
        if path.is_file() and not set(parts) & set(_NOT_SERVED):
            kind = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
            body = path.read_bytes()
            if parts == ("index.html",):
                body = with_api(body.decode(), rest_url).encode()
            yield "/".join(parts), kind, body


def with_api(html: str, rest_url: str) -> str:
    """The page that knows where the REST API is, and may call it."""
    origin = "/".join(rest_url.split("/")[:3])
    allowed = html.replace("connect-src 'self'", f"connect-src 'self' {origin}", 1)
    known = f'  <meta name="lambchat-api" content="{rest_url}">\n</head>'
    changed = allowed.replace("</head>", known, 1)
    if origin not in allowed or changed == allowed:
        raise DeployError("web/index.html: expected </head>, and connect-src 'self' in its policy")
    return changed


def _account() -> str:
    if boto3.session.Session().region_name is None:
        raise DeployError("no AWS region: set AWS_REGION, for example eu-central-1")
    try:
        return str(boto3.client("sts").get_caller_identity()["Account"])
    except NoCredentialsError as error:
        raise DeployError(
            "no AWS credentials: set AWS_PROFILE, or AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY "
            "(docs/operations.md, first deployment)"
        ) from error


def main(arguments: Sequence[str]) -> int:
    """Carries out the command line; the exit code."""
    command, stage, *rest = arguments
    if region := os.environ.get("AWS_REGION"):  # boto3 and sam read the other one alone
        os.environ.setdefault("AWS_DEFAULT_REGION", region)
    try:
        deployment = Deployment(stage)
        if command == "destroy":
            deployment.destroy(with_data=rest == ["delete"])
            print(f"the stack of {stage} is gone" + ("" if rest == ["delete"] else _KEPT))
        else:
            for name, value in deployment.deploy(rest).items():
                print(f"{name}: {value}")
    except (DeployError, BotoCoreError, ClientError) as error:
        print(f"{command}: {error}", file=sys.stderr)
        return 1
    return 0


_KEPT = "; its tables and attachments are kept: TABLES=delete deletes them"

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
