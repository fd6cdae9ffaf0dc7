"""The examples of the libraries' READMEs, run as a reader would: one program for each README."""

from __future__ import annotations

import dataclasses
import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest

from chalicelib.mq import config
from localstack.emulator.kafka_embedded import MockCluster
from tests import ministack
from tests.integration.kafka_server import Centre, KafkaServer

ROOT = Path(__file__).resolve().parents[2]
LIBRARIES = ["coord", "mq", "broker"]
# A group that was left takes nobody in for seconds on the embedded broker: workers need the other.
EXAMPLES = [
    ("embedded", "coord"),
    ("embedded", "mq"),
    pytest.param("apache", "mq", marks=pytest.mark.full),
    pytest.param(
        "apache",
        "broker",
        marks=[pytest.mark.full, pytest.mark.req("TASK-6", "TASK-7", "TASK-8", "TASK-9")],
    ),
]
# The embedded broker has no requests that create topics.
TOPICS = {"orders": 4, "orders-dead": 1}
MQ = (ROOT / "chalicelib" / "mq" / "README.md").read_text()


@pytest.fixture(scope="module")
def parameter_store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """The environment of a program whose Parameter Store is MiniStack."""
    with ministack.running(tmp_path_factory.mktemp("ministack")) as url:
        yield {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            "STAGE": "local",
            "AWS_ENDPOINT_URL": url,
            "AWS_REGION": "us-east-1",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
        }


@pytest.fixture(scope="module")
def kafka(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, object]]:
    """What Parameter Store says of Kafka."""
    if request.param == "embedded":
        # kafka-python cannot read how this broker answers a request of a version it has not.
        yield {
            "brokers": [MockCluster(TOPICS).bootstrap],
            "driver": "confluent-kafka",
        }
        return
    server = KafkaServer(tmp_path_factory.mktemp("kafka"))
    server.start()
    yield {"brokers": [server.address]}
    server.kill()


def pages(library: str) -> str:
    """The README, and what goes on from it."""
    folder = ROOT / "chalicelib" / library
    found = [folder / "README.md", *folder.glob("MIGRATION.md")]
    return "\n".join(page.read_text() for page in found)


def program(text: str) -> str:
    """The Python blocks of a page, each line where it stands there."""
    inside = False
    lines = []
    for line in text.splitlines():
        inside = inside and line != "```"
        lines.append(line if inside else "")
        inside = inside or line == "```python"
    return "\n".join(lines)


@pytest.mark.req("MQ-8", "MQ-10")
@pytest.mark.parametrize(("kafka", "library"), EXAMPLES, indirect=["kafka"])
def test_the_examples_run(
    library: str, parameter_store: dict[str, str], kafka: dict[str, object], tmp_path: Path
) -> None:
    url = parameter_store["AWS_ENDPOINT_URL"]
    ssm = boto3.Session("test", "test", region_name="us-east-1").client("ssm", endpoint_url=url)
    for name, document in {"mq/default": kafka, "policy/auth": {}}.items():
        path, text = f"/lambchat/local/{name}", json.dumps(document)
        ssm.put_parameter(Name=path, Value=text, Type="String", Overwrite=True)
    script = tmp_path / f"{library}.py"
    script.write_text(program(pages(library)))

    done = subprocess.run(
        [sys.executable, script],
        env=parameter_store,
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("library", LIBRARIES)
def test_every_example_asserts_something(library: str) -> None:
    examples = re.findall(r"^```python\n(.*?)^```$", pages(library), re.DOTALL | re.MULTILINE)

    assert len(examples) >= 3
    assert all(re.search(r"^ *assert ", example, re.MULTILINE) for example in examples)


@pytest.mark.req("MQ-2")
def test_the_table_has_every_key_of_the_configuration_and_its_default() -> None:
    rows = re.findall(r"^\| `(\w+)` \| `(.*?)` \| ", MQ, re.MULTILINE)

    assert {name: json.loads(default) for name, default in rows} == {
        one.name: one.default
        for one in dataclasses.fields(config.Config)
        if one.default is not dataclasses.MISSING
    }


@pytest.mark.req("MQ-2")
def test_the_documents_that_are_shown_are_valid() -> None:
    documents = re.findall(r"^```json\n(.*?)^```$", MQ, re.DOTALL | re.MULTILINE)

    found = [config.load(Centre(json.loads(document)), "orders") for document in documents]

    assert [one.security for one in found] == ["SSL", "SASL_SSL", "IAM"]
