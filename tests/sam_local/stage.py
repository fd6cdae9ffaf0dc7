"""Everything that `sam local invoke` needs: Docker, an image, the packages, a local cloud."""

from __future__ import annotations

import asyncio
import contextlib
import json
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from confluent_kafka.admin import AdminClient

from tests.e2e.operators import aws
from tests.e2e.system import System, start
from tests.events import files
from tests.events.scene import play
from tests.sam_local import docker, image, template
from tests.sam_local.answers import problem
from tests.sam_local.docker import Docker
from tests.sam_local.relay import relaying

_INVOCATION_SECONDS = template.MOST_SECONDS + 60
_KAFKA_SECONDS = 10.0
_LOOPBACK = "127.0.0.1"
_BUCKET = "lambchat-local-attachments-000000000000"
_IMAGE = "lambchat-sam-local:latest"
_KAFKA = "/lambchat/local/mq/default"


@dataclass(frozen=True, slots=True)
class Stage:
    """Invokes functions."""

    docker: Docker
    system: System
    folder: Path
    names: dict[str, str]

    def invoke(self, function: str) -> str:
        """Invokes a function with its event; what is wrong with its answer, or nothing."""
        event = self.folder / f"{function}.json"
        event.write_text(json.dumps(files.filled(files.read(function), self.names)), "utf-8")
        begun = time.monotonic()
        command = [template.SAM, "local", "invoke", function, "--event", event]
        command += ["--template", self.folder / "build/template.yaml"]
        command += ["--env-vars", self.folder / "variables.json", "--skip-pull-image"]
        command += ["--invoke-image", _IMAGE]
        done = subprocess.run(
            command,
            env={**template.environment(self.system.environment()), **self.docker.variables},
            capture_output=True,
            text=True,
            check=False,
            timeout=_INVOCATION_SECONDS,
        )
        wrong = problem(function, done.stdout)
        print(f"  {function} … {time.monotonic() - begun:.1f} s {wrong}", flush=True)
        if wrong:
            print(done.stderr[-3000:], flush=True)
        return wrong


@contextlib.contextmanager
def staged(folder: Path) -> Iterator[Stage]:
    """Starts all of it; stops what it started.

    Raises:
        DockerError: Docker cannot be used.
        SamError: The packages cannot be built.
        OSError: Containers cannot reach this machine.
    """
    with docker.running(folder) as daemon, _system(folder) as (system, names):
        version = _base_image(daemon, folder / "image")
        address = daemon.gateway()
        variables = _reachable(system, address)
        template.build(folder / "build", version=version, variables=variables)
        daemon.add_layer(folder / "build/Dependencies", _image_name(version), _IMAGE)
        (folder / "variables.json").write_text(json.dumps({"Parameters": variables}))
        kafka = system.environment()["KAFKA_BROKERS"]
        ports = {urlsplit(url).port or 80 for url in variables.values()}
        with relaying(address, ports, _ports(kafka)):
            _move_kafka(system, kafka.replace(_LOOPBACK, address))
            names["response_url"] = _presigned(system).replace(_LOOPBACK, address)
            yield Stage(daemon, system, folder, names)


def _ports(kafka: str) -> set[int]:
    """Of Kafka's brokers: it says where they are."""
    client = AdminClient({"bootstrap.servers": kafka})
    return {one.port for one in client.list_topics(timeout=_KAFKA_SECONDS).brokers.values()}


@contextlib.contextmanager
def _system(folder: Path) -> Iterator[tuple[System, dict[str, str]]]:
    """A local cloud in which something has happened, and the names of what there is."""
    system = start(folder / "data", "embedded", f"--events {folder}/events")
    try:
        yield system, asyncio.run(play(system, folder / "events"))
    finally:
        system.stop()


def _base_image(daemon: Docker, folder: Path) -> str:
    """Sees to the base image; the version of Python in it."""
    wanted = template.runtime()
    if daemon.has_image(_image_name(wanted)):
        return wanted
    python = image.find_python(wanted)
    if not daemon.has_image(_image_name(python["version"])):
        print(f"no base image can be pulled: making one of Python {python['version']}", flush=True)
        image.build(daemon, _image_name(python["version"]), python, folder)
    return python["version"]


def _image_name(version: str) -> str:
    return f"public.ecr.aws/lambda/python:{version}-{template.architecture()}"


def _reachable(system: System, address: str) -> dict[str, str]:
    """The variables of functions that say where something is, as containers see it."""
    return {
        name: value.replace(_LOOPBACK, address)
        for name, value in system.environment().items()
        if value.startswith(f"http://{_LOOPBACK}") and name.startswith(("AWS_", "WEBSOCKET_"))
    }


def _move_kafka(system: System, address: str) -> None:
    """Has functions look for Kafka where containers reach it, and so can this machine."""
    with contextlib.closing(aws(system, "ssm")) as client:
        document = json.loads(client.get_parameter(Name=_KAFKA)["Parameter"]["Value"])
        changed = json.dumps({**document, "brokers": [address]})
        client.put_parameter(Name=_KAFKA, Value=changed, Type="String", Overwrite=True)


def _presigned(system: System) -> str:
    """Where an answer for CloudFormation may be put."""
    with contextlib.closing(aws(system, "s3")) as client:
        where = {"Bucket": _BUCKET, "Key": "answer-for-cloudformation"}
        url: str = client.generate_presigned_url("put_object", where)
    return url
