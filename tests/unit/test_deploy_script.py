"""`make deploy` and `make destroy`, with sam left out."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import boto3
import moto
import pytest

from infra import content, deploy

pytestmark = pytest.mark.req("SHAPE-8", "APP-18")

ROOT = Path(__file__).parents[2]
ACCOUNT = "123456789012"
REST = "https://abc.execute-api.eu-central-1.amazonaws.com/prod"


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    with moto.mock_aws():
        yield


def run(*arguments: str, **environment: str) -> tuple[int, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    nowhere = {"AWS_EC2_METADATA_DISABLED": "true", "HOME": "/nonexistent", **environment}
    done = subprocess.run(
        [sys.executable, "infra/deploy.py", *arguments],
        cwd=ROOT,
        env={**kept, **nowhere},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", ["deploy", "destroy"])
def test_without_credentials_it_says_so(command: str) -> None:
    code, said = run(command, "prod", AWS_REGION="us-east-1")

    assert code == 1
    assert said.startswith(f"{command}: no AWS credentials: set AWS_PROFILE")
    assert len(said.splitlines()) == 1


def test_without_a_region_it_says_so() -> None:
    code, said = run("deploy", "prod", AWS_ACCESS_KEY_ID="x", AWS_SECRET_ACCESS_KEY="x")

    assert (code, said) == (
        1,
        "deploy: no AWS region: set AWS_REGION, for example eu-central-1\n",
    )


@pytest.mark.parametrize("stage", ["", "local", "Prod", "a" * 17, "a-b"])
def test_a_stage_without_a_good_name_is_refused(stage: str) -> None:
    with pytest.raises(deploy.DeployError, match="STAGE: expected"):
        deploy.Deployment(stage)


class Stacks:
    """CloudFormation, as far as it is called."""

    def __init__(self, **outputs: str) -> None:
        listed = [{"OutputKey": key, "OutputValue": value} for key, value in outputs.items()]
        self.stacks = {"lambchat-prod": {"Outputs": listed}}

    def describe_stacks(self, StackName: str) -> dict[str, object]:
        return {"Stacks": [self.stacks[StackName]]}

    def delete_stack(self, StackName: str) -> None:
        del self.stacks[StackName]

    def get_waiter(self, _name: str) -> Stacks:
        return self

    def wait(self, StackName: str) -> None:
        assert StackName not in self.stacks


class Invalidations:
    """CloudFront, as far as it is called."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def create_invalidation(self, DistributionId: str, **_what: object) -> None:
        self.made.append(DistributionId)


def replace(monkeypatch: pytest.MonkeyPatch, **clients: object) -> None:
    """Clients of services that moto needs more packages for."""
    real = boto3.client
    monkeypatch.setattr(boto3, "client", lambda name: clients.get(name) or real(name))


def test_it_builds_deploys_and_uploads_the_page_with_its_api(
    aws: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[Sequence[str]] = []
    cloudfront = Invalidations()
    stacks = Stacks(RestUrl=REST, PageBucket="page", PageDistribution="E1")
    replace(monkeypatch, cloudformation=stacks, cloudfront=cloudfront)
    boto3.client("s3").create_bucket(Bucket="page")

    outputs = deploy.Deployment("prod", ran.append).deploy(["LogDays=14"])

    assert outputs["RestUrl"] == REST
    assert [one[0] for one in ran] == ["build", "deploy"]
    assert list(ran[1][-3:]) == ["--parameter-overrides", "Stage=prod", "LogDays=14"]
    page = boto3.client("s3").get_object(Bucket="page", Key="index.html")
    html = page["Body"].read().decode()
    assert page["ContentType"] == "text/html"
    assert f'<meta name="lambchat-api" content="{REST}">' in html
    assert "connect-src 'self' https://abc.execute-api.eu-central-1.amazonaws.com " in html
    assert cloudfront.made == ["E1"]


def test_the_page_has_no_tests_and_the_type_of_each_file() -> None:
    files = {key: kind for key, kind, _ in deploy.page(REST)}

    assert files["app/main.js"] in ("text/javascript", "application/javascript")
    assert files["css/base.css"] == "text/css"
    assert files["icon.svg"] == "image/svg+xml"
    assert not [key for key in files if "test" in key or key.endswith((".json", ".md"))]


def test_a_page_that_cannot_be_told_its_api_is_an_error() -> None:
    with pytest.raises(deploy.DeployError, match="connect-src"):
        deploy.with_api("<html></html>", REST)


@pytest.mark.parametrize("with_data", [False, True])
def test_destroying_keeps_what_users_have_unless_it_is_asked_for(
    aws: None, monkeypatch: pytest.MonkeyPatch, with_data: bool
) -> None:
    stacks = Stacks()
    replace(monkeypatch, cloudformation=stacks)
    s3, dynamodb, ssm = (boto3.client(name) for name in ("s3", "dynamodb", "ssm"))
    for name in ("page", "attachments"):
        s3.create_bucket(Bucket=f"lambchat-prod-{name}-{ACCOUNT}")
        s3.put_object(Bucket=f"lambchat-prod-{name}-{ACCOUNT}", Key="x", Body=b"x")
    for name in ("lambchat-prod-users", "lambchat-prod2-users"):
        dynamodb.create_table(
            TableName=name,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
            KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
            DeletionProtectionEnabled=True,
        )
    ssm.put_parameter(Name="/lambchat/prod/auth/jwks", Value="x", Type="String")

    deploy.Deployment("prod").destroy(with_data=with_data)

    buckets = [one["Name"] for one in s3.list_buckets()["Buckets"]]
    assert stacks.stacks == {}
    assert "KeyCount" not in s3.list_objects(Bucket=f"lambchat-prod-page-{ACCOUNT}")
    assert (f"lambchat-prod-attachments-{ACCOUNT}" in buckets) is not with_data
    assert ("lambchat-prod-users" in dynamodb.list_tables()["TableNames"]) is not with_data
    assert "lambchat-prod2-users" in dynamodb.list_tables()["TableNames"]
    found = ssm.get_parameters_by_path(Path="/lambchat/prod", Recursive=True)["Parameters"]
    assert bool(found) is not with_data


def built(tmp_path: Path) -> Path:
    for name in ("chalicelib", "functions"):
        (tmp_path / "SendFunction" / name).mkdir(parents=True)
    (tmp_path / "SendFunction" / "app.py").touch()
    library = tmp_path / "Dependencies" / "python" / "lib.so"
    library.parent.mkdir(parents=True)
    library.write_bytes(b"\x7fELF".ljust(18, b"\0") + bytes((183, 0)))
    return tmp_path


def test_a_package_with_only_what_runs_is_good(tmp_path: Path) -> None:
    assert list(content.problems(built(tmp_path))) == []


@pytest.mark.parametrize(
    ("path", "data", "said"),
    [
        ("SendFunction/tests", b"", "SendFunction: expected"),
        ("SendFunction/chalicelib/docs", b"", r"\['docs'\] do not run"),
        ("Dependencies/python/botocore", b"", r"\['botocore'\] come with the runtime"),
        ("Dependencies/python/x.so.1", b"\x7fELF".ljust(18, b"\0") + b"\x3e\0", "not for arm64"),
        ("Dependencies/python/large", b"x" * 60_000_001, "expected 60,000,000 bytes at the most"),
    ],
)
def test_what_does_not_belong_into_a_package_is_said(
    tmp_path: Path, path: str, data: bytes, said: str
) -> None:
    (built(tmp_path) / path).write_bytes(data)

    (problem, *_) = content.problems(tmp_path)
    assert re.search(said, problem)


def test_nothing_built_is_said(tmp_path: Path) -> None:
    assert [one.split(": ")[1] for one in content.problems(tmp_path)] == [
        "expected functions and the layer Dependencies"
    ]
