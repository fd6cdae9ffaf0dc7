"""localstack/compose.yaml: its form, and its commands without Docker."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

from localstack.emulator.ports import free_port
from localstack.emulator.processes import die_with_parent
from tests import ministack
from tests.e2e.client import Client, User, call
from tests.integration.kafka_server import KafkaServer

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "localstack" / "compose.yaml"
READY_SECONDS = 60.0


def compose(**variables: str) -> dict[str, Any]:
    """The services, with these variables."""

    def value(found: re.Match[str]) -> str:
        return variables.get(found[1], found[2])

    text = re.sub(r"\$\{(\w+):-([^}]*)\}", value, FILE.read_text())
    services: dict[str, Any] = yaml.safe_load(text)["services"]
    return services


def test_images_have_a_version_and_ports_are_open_to_this_machine_alone() -> None:
    for service in compose().values():
        assert re.search(r":\d+\.\d+", service["image"])
        assert all(port.startswith("127.0.0.1:") for port in service.get("ports", ()))
        assert "$" not in str(service)


def test_the_services_agree_on_their_ports() -> None:
    services = compose(AWS_PORT="1", KAFKA_PORT="2", INNER_PORT="3")
    gateway, triggers = services["gateway"]["command"], services["triggers"]["command"]
    own = services["setup"]["environment"]

    assert services["aws"]["ports"] == ["127.0.0.1:1:4566"]
    assert f"--env=AWS_ENDPOINT_URL={own['AWS_ENDPOINT_URL']}" in gateway
    assert f"--parameter=KafkaBootstrap={own['KAFKA_BROKERS']}" in gateway
    assert f"--bootstrap={own['KAFKA_BROKERS']}" in triggers
    assert {"--inner-port=3", "--invoke=http://127.0.0.1:3"} <= {*gateway, *triggers}


def test_what_waits_for_what() -> None:
    services = compose()

    for service in services.values():
        assert set(service.get("depends_on", ())) <= set(services)
    assert (ROOT / services["setup"]["command"][-1].rpartition("sh ")[2]).is_file()


@contextlib.contextmanager
def process(command: list[str], log: Path) -> Iterator[None]:
    """One of the services, in a process of its own."""
    python = [sys.executable, *command[1:]]
    with log.open("wb") as out:
        running = subprocess.Popen(
            python, cwd=ROOT, stdout=out, stderr=out, preexec_fn=die_with_parent()
        )
    try:
        yield
    finally:
        running.terminate()
        running.wait(20)


def run_script(environment: Mapping[str, str]) -> None:
    subprocess.run(
        ["sh", "localstack/ready.d/lambchat.sh"],
        cwd=ROOT,
        env={**os.environ, **environment},
        check=True,
        timeout=90,
    )


def wait_until_it_answers(url: str) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        with contextlib.suppress(OSError):
            if call(url, "GET", "/v1/health").status == 200:
                return
        assert time.monotonic() < deadline
        time.sleep(0.1)


async def chat(url: str) -> list[str]:
    ann, bob = User.new(url, "ann"), User.new(url, "bob")
    where = call(url, "GET", "/v1/client-config").body["websocket_url"]
    here, there = await Client(ann, where).connect(), await Client(bob, where).connect()
    sent = await here.say("hello", to=bob.id)
    messages = await there.received(sent["conversation_id"], 1)
    await asyncio.gather(here.close(), there.close())
    return [message["content"] for message in messages]


@pytest.mark.full
@pytest.mark.req("SHAPE-7", "APP-18")
def test_its_commands_make_a_running_system(tmp_path: Path) -> None:
    kafka, port = KafkaServer(tmp_path / "kafka"), str(free_port())
    variables = {"PORT": port, "WS_PORT": str(free_port()), "INNER_PORT": str(free_port())}
    with contextlib.ExitStack() as stack:
        aws = stack.enter_context(ministack.running(tmp_path))
        stack.callback(kafka.kill)
        kafka.start()
        services = compose(
            AWS_PORT=aws.rpartition(":")[2],
            KAFKA_PORT=str(kafka.port),
            STATE=str(tmp_path / "state.json"),
            **variables,
        )
        run_script(services["setup"]["environment"])
        for name in ("gateway", "triggers"):
            stack.enter_context(process(services[name]["command"], tmp_path / f"{name}.log"))
        url = f"http://127.0.0.1:{port}"
        wait_until_it_answers(url)

        assert asyncio.run(chat(url)) == ["hello"]
