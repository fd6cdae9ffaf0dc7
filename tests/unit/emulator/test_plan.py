"""The processes and addresses of a local cloud, from its command line; nothing is started."""

from __future__ import annotations

import argparse
from pathlib import Path

import pytest

from localstack.emulator import profiles
from localstack.emulator.__main__ import parse
from localstack.emulator.plan import Plan
from localstack.emulator.supervisor import Spec, StartError
from tests.unit.emulator.local import ECHO


def options(folder: Path, *arguments: str) -> argparse.Namespace:
    command = ["up", "--template", str(ECHO), "--data", str(folder), "--name", "demo"]
    return parse([*command, "--port", "8888", "--ws-port", "8889", *arguments])


@pytest.fixture
def plan(tmp_path: Path) -> Plan:
    return Plan(options(tmp_path))


def values(spec: Spec, option: str) -> list[str]:
    """What a command line gives for an option, each time it does."""
    words = list(spec.command)
    return [words[at + 1] for at, word in enumerate(words) if word == option]


def test_parameters_may_name_kafka_and_the_ports(tmp_path: Path) -> None:
    arguments = ["--parameter", "Kafka={kafka}", "--parameter", "Page=http://here:{port}/?a=b"]
    plan = Plan(options(tmp_path, *arguments))
    plan.kafka = "127.0.0.1:9999"

    assert plan.parameters() == {"Kafka": "127.0.0.1:9999", "Page": "http://here:8888/?a=b"}
    assert values(plan.trigger(), "--parameter") == [
        "Kafka=127.0.0.1:9999",
        "Page=http://here:8888/?a=b",
    ]


def test_other_programs_join_with_the_addresses_and_what_all_functions_share(plan: Plan) -> None:
    plan.kafka = "127.0.0.1:9999"

    found = plan.environment()

    assert found["KAFKA_BROKERS"] == "127.0.0.1:9999"
    assert found["DEMO_URL"] == "http://127.0.0.1:8888"
    assert found["AWS_ENDPOINT_URL"] == found["AWS_ENDPOINT_URL_DYNAMODB"]
    assert found["AWS_ENDPOINT_URL_LAMBDA"] == values(plan.trigger(), "--invoke")[0]
    assert found["STAGE"] == "local"
    assert found["CALLBACK"] == "http://127.0.0.1:8889/dev"
    assert "DOOR" not in found


def test_functions_get_the_same_environment(plan: Plan) -> None:
    pairs = dict(pair.split("=", 1) for pair in values(plan.cloud(), "--env"))

    assert pairs == plan.environment()


def test_the_embedded_kafka_has_the_topics_of_triggers_and_those_asked_for(tmp_path: Path) -> None:
    plan = Plan(options(tmp_path, "--topic", "more"))

    aws, kafka = plan.servers()

    assert (aws.name, kafka.name) == ("aws", "kafka")
    assert values(kafka, "--topic") == ["sounds:4", "more:4"]
    assert [reader.split(":")[1] for reader in values(kafka, "--reader")] == ["sounds"]


@pytest.mark.parametrize("level", ["quiet", "normal", "debug"])
def test_the_gateways_are_told_what_to_log(tmp_path: Path, level: str) -> None:
    plan = Plan(options(tmp_path, "--log", level, "--static", "web"))

    assert values(plan.cloud(), "--log") == [level]
    assert values(plan.cloud(), "--static") == ["web"]


def test_the_trigger_and_the_gateways_agree_where_functions_are_invoked(plan: Plan) -> None:
    (port,) = values(plan.cloud(), "--inner-port")

    assert values(plan.trigger(), "--invoke") == [f"http://127.0.0.1:{port}"]


def test_without_ministack_it_is_said_how_to_get_it(
    plan: Plan, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(profiles, "MINISTACK", tmp_path / "nothing")

    with pytest.raises(StartError, match="make setup"):
        plan.servers()
