"""`make deploy` into MiniStack, with only our Kafka and our Kafka triggers beside it."""

from __future__ import annotations

import contextlib
import json
import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from infra import deploy
from localstack.emulator.processes import die_with_parent
from localstack.emulator.template import EventSourceMapping, Function, Template, load
from localstack.emulator.trigger import MappingRunner
from tests.deployed.changes import ROOT, change
from tests.e2e.client import call

STAGE = "try"
PARTITIONS = 4
SAM = Path(sys.prefix) / "deploy" / "bin" / "sam"


@dataclass(frozen=True)
class Stack:
    """What is deployed: where AWS is, and the outputs of the template."""

    aws: str
    outputs: dict[str, str]

    @property
    def url(self) -> str:
        """The REST API under the path that needs no DNS."""
        (api,) = re.findall(r"https://(\w+)\.execute-api\.", self.outputs["RestUrl"])
        return f"{self.aws}/_aws/execute-api/{api}/{STAGE}"

    @property
    def websocket_url(self) -> str:
        """What the stack's clients are told."""
        found: str = call(self.url, "GET", "/v1/client-config").body["websocket_url"]
        return found


def deployment(aws: str, folder: Path) -> deploy.Deployment:
    """The script of `make deploy`; what sam built is changed before sam deploys it."""

    def sam(arguments: Sequence[str]) -> None:
        command = [one.replace(str(deploy.BUILD), str(folder)) for one in arguments]
        with (folder.parent / "sam.log").open("ab") as log:
            done = subprocess.run(
                [SAM, *command],
                cwd=ROOT,
                env={**os.environ, "SAM_CLI_TELEMETRY": "0"},
                stdout=log,
                stderr=subprocess.STDOUT,
                check=False,
            )
        said = (folder.parent / "sam.log").read_text()
        assert done.returncode == 0, said[said.find("_FAILED") - 200 :][:4000]
        if arguments[0] == "build":
            change(folder, aws)

    return deploy.Deployment(STAGE, run=sam)


def parameters(kafka: str) -> list[str]:
    """An existing Kafka that is reached from outside a VPC."""
    return [
        *(f"KafkaBootstrap={kafka}", "KafkaSecurity=PLAINTEXT", "Network=none"),
        *(f"KafkaPartitions={PARTITIONS}", "KafkaReplication=1", "WordFilter=example"),
    ]


@contextlib.contextmanager
def embedded_kafka() -> Iterator[str]:
    """The address of a Kafka that has our topics: it takes no requests to create them."""
    command = [sys.executable, "-m", "localstack.emulator.kafka_embedded"]
    topics = [f"--topic={name}:{PARTITIONS}" for name in ("TASKS", "EVENTS")]
    process = subprocess.Popen(
        [*command, *topics],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        preexec_fn=die_with_parent(),
    )
    assert process.stdout is not None
    with process.stdout as said:
        try:
            yield json.loads(said.readline())["bootstrap"]
        finally:
            process.terminate()
            process.wait(10)


@contextlib.contextmanager
def triggers(stack: Stack, template: Template, kafka: str) -> Iterator[None]:
    """Every mapping of the template: MiniStack has no event sources of this kind."""
    runners = [
        MappingRunner(one, kafka, stack.aws, embedded=True) for one in _of_deployed(template)
    ]
    threads = [threading.Thread(target=runner.run, daemon=True) for runner in runners]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        for runner in runners:
            runner.stop()
        for thread in threads:
            thread.join(10)


def _of_deployed(template: Template) -> Iterator[EventSourceMapping]:
    for mapping in template.mappings:
        function = deployed_name(template.functions[mapping.function])
        yield replace(mapping, function=f"{function}:live")


def declared() -> Template:
    """template.yaml as our own emulator reads it, which has no stage but `local`."""
    return load(ROOT / "template.yaml", {"Stage": "local", "WordFilter": "example"})


def deployed_name(function: Function) -> str:
    """What the stack calls a function."""
    return function.deployed_name.replace("-local-", f"-{STAGE}-")
