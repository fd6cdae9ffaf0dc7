"""What a local cloud consists of: its processes, and the addresses they know each other by."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from localstack.emulator import profiles
from localstack.emulator.ports import claim_port
from localstack.emulator.supervisor import Spec
from localstack.emulator.template import load


class Plan:
    """The processes of one local cloud, from its command line.

    Attributes:
        kafka: Kafka's address; the embedded one's is known when it runs.
    """

    def __init__(self, options: argparse.Namespace) -> None:
        self.kafka = ""
        self._options = options
        self._data = Path(options.data).resolve()
        self._aws_port = claim_port(4566)
        self._inner_port = claim_port(9001)
        self._aws = f"http://127.0.0.1:{self._aws_port}"
        self._dynamodb = self._aws

    def servers(self) -> list[Spec]:
        """What runs below the functions, the AWS APIs first."""
        full = self._options.profile == "full"
        aws = profiles.ministack(self._aws_port, self._data, persist=full)
        if not full:
            return [aws, self._embedded_kafka()]
        kafka_port, dynamodb_port = claim_port(9092), claim_port(8000)
        self.kafka = f"127.0.0.1:{kafka_port}"
        self._dynamodb = f"http://127.0.0.1:{dynamodb_port}"
        return [
            aws,
            profiles.apache_kafka(kafka_port, self._data),
            profiles.dynamodb_local(dynamodb_port, self._data),
        ]

    def _embedded_kafka(self) -> Spec:
        mappings = load(Path(self._options.template), self.parameters()).mappings
        readers = [(one.group, topic) for one in mappings if one.enabled for topic in one.topics]
        topics = dict.fromkeys([*(topic for _, topic in readers), *self._options.topic])
        return profiles.embedded_kafka(list(topics), readers)

    def cloud(self) -> Spec:
        """The gateways and the runtime."""
        options = self._options
        command = [
            *_module("cloud"),
            *self._template_arguments(),
            *("--port", str(options.port), "--ws-port", str(options.ws_port)),
            *("--inner-port", str(self._inner_port), "--log", options.log),
            *("--time-scale", str(options.time_scale)),
        ]
        if options.static:
            command += ["--static", options.static]
        for pair in self.environment().items():
            command += ["--env", "=".join(pair)]
        for module in options.preload:
            command += ["--preload", module]
        if options.record:
            command += ["--record", options.record]
        if options.events:
            command += ["--events", options.events]
        for pair in options.function_concurrency:
            command += ["--function-concurrency", pair]
        return Spec(name="cloud", title="gateways and Lambda", command=command, stop_seconds=6.0)

    def trigger(self) -> Spec:
        """The event source mappings."""
        invoke = f"http://127.0.0.1:{self._inner_port}"
        arguments = ["--bootstrap", self.kafka, "--invoke", invoke]
        if self._options.profile == "embedded":
            arguments.append("--embedded")
        command = [*_module("trigger"), *self._template_arguments(), *arguments]
        return Spec(name="trigger", title="Kafka triggers", command=command)

    def deployment(self, state: Path) -> list[str]:
        """The command that creates tables and parameters."""
        arguments = ["--aws", self._aws, "--dynamodb", self._dynamodb, "--state", str(state)]
        return [*_module("deploy"), *self._template_arguments(), *arguments]

    def parameters(self) -> dict[str, str]:
        """The template's parameters; they may name ports and Kafka."""
        values = {
            "kafka": self.kafka,
            "port": str(self._options.port),
            "ws_port": str(self._options.ws_port),
        }
        pairs = (pair.split("=", 1) for pair in self._options.parameter)
        return {name: value.format(**values) for name, value in pairs}

    def environment(self) -> Mapping[str, str]:
        """How another program joins."""
        return {
            **self._shared_variables(),
            "AWS_ENDPOINT_URL": self._aws,
            "AWS_ENDPOINT_URL_DYNAMODB": self._dynamodb,
            "AWS_ENDPOINT_URL_LAMBDA": f"http://127.0.0.1:{self._inner_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_REGION": "us-east-1",
            "AWS_DEFAULT_REGION": "us-east-1",
            "STAGE": self.parameters().get("Stage", "local"),
            "KAFKA_BROKERS": self.kafka,
            f"{self._options.name.upper()}_URL": f"http://127.0.0.1:{self._options.port}",
        }

    def _shared_variables(self) -> dict[str, str]:
        """What the template gives to every function: another program joins with the same."""
        path, parameters = Path(self._options.template), self.parameters()
        apis = load(path, parameters).websocket_apis
        hosts = {api.id: f"127.0.0.1:{self._options.ws_port}" for api in apis}
        functions = load(path, parameters, hosts=hosts).functions.values()
        shared = [set(function.environment.items()) for function in functions]
        return dict(sorted(set.intersection(*shared))) if shared else {}

    def _template_arguments(self) -> list[str]:
        arguments = ["--template", self._options.template]
        for pair in self.parameters().items():
            arguments += ["--parameter", "=".join(pair)]
        return arguments


def _module(name: str) -> list[str]:
    return [sys.executable, "-m", f"localstack.emulator.{name}"]
