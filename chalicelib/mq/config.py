"""What the configuration centre says of a service's Kafka.

The document at ``/lambchat/{STAGE}/mq/{service_name}``, else at ``…/mq/default``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field, fields
from typing import Any, Literal, get_args, get_origin, get_type_hints

from chalicelib import coord
from chalicelib.mq.errors import MqConfigError

Driver = Literal["kafka-python", "confluent-kafka"]
Security = Literal["PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL", "IAM"]
Mechanism = Literal["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"]
Compression = Literal["none", "gzip", "snappy", "lz4", "zstd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A service's Kafka configuration, validated.

    Attributes:
        brokers: ``host:port`` each.
        driver: The client library.
        security: ``IAM`` is TLS with the credentials of AWS (MSK); SASL takes name and password.
        acks: ``all`` in-sync replicas confirm, or the leader alone (``1``).
        linger_ms: How long a producer waits for company; 0 in a Lambda, which freezes.
        batch_bytes: How much of one partition goes out together at the most.
        request_timeout_ms: Until a message that is not confirmed counts as failed.
        start: Where a group begins that has committed nothing.
        session_timeout_ms: After how long without a heartbeat a member's partitions are given away.
        commit_interval_ms: How often finished messages are committed.
        max_poll_records: How many messages one fetch hands over at the most.
    """

    brokers: tuple[str, ...]
    driver: Driver = "kafka-python"
    security: Security = "PLAINTEXT"
    sasl_mechanism: Mechanism = "SCRAM-SHA-512"
    username: str = ""
    password: str = field(default="", repr=False)
    ca_file: str = ""
    region: str = ""
    acks: Literal["all", "1"] = "all"
    compression: Compression = "none"
    linger_ms: int = 0
    batch_bytes: int = 1_000_000
    request_timeout_ms: int = 10_000
    start: Literal["earliest", "latest"] = "earliest"
    session_timeout_ms: int = 10_000
    commit_interval_ms: int = 1_000
    max_poll_records: int = 500

    @property
    def sasl(self) -> bool:
        """Whether name and password are sent."""
        return self.security.startswith("SASL")


def load(centre: coord.ConfigCentre, service_name: str) -> Config:
    """Reads a service's configuration.

    Raises:
        MqConfigError: There is none, it is wrong, or it cannot be read.
    """
    paths = [coord.parameter_path("mq", name) for name in (service_name, "default")]
    try:
        found = next(filter(None, map(centre.get, paths)), None)
    except coord.CoordError as error:
        raise MqConfigError(str(error)) from error
    if found:
        return parse(found.path, found.value)
    raise MqConfigError(f"there is no parameter {paths[0]} and no {paths[1]}")


def parse(path: str, text: str) -> Config:
    """Reads a document.

    Raises:
        MqConfigError: It is wrong; the text names the path and every wrong key.
    """
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise MqConfigError(f"{path}: expected a JSON document") from error
    if not isinstance(document, dict):
        raise MqConfigError(f"{path}: expected a JSON object")
    brokers = document.pop("brokers", None)
    wrong = [] if _are_addresses(brokers) else ["brokers: expected a list of host:port"]
    hints = get_type_hints(Config)
    known = {one.name: hints[one.name] for one in fields(Config)}
    for key, value in document.items():
        if problem := _problem(known.get(key), key, value):
            wrong.append(problem)
    if wrong:
        raise MqConfigError(f"{path}: " + "; ".join(sorted(wrong)))
    config = Config(
        brokers=tuple(address for entry in brokers for address in entry.split(",")), **document
    )
    if config.sasl and not (config.username and config.password):
        raise MqConfigError(f"{path}: username, password: expected both with {config.security}")
    return config


def _problem(kind: Any, key: str, value: Any) -> str:
    if kind is None:
        return f"{key}: not a key of this document"
    if get_origin(kind) is Literal:
        allowed = get_args(kind)
        found = "" if value in allowed else f"expected one of {', '.join(allowed)}"
    elif kind is int:
        whole = isinstance(value, int) and not isinstance(value, bool) and value >= 0
        found = "" if whole else "expected a whole number"
    else:
        found = "" if isinstance(value, str) else "expected text"
    shown = "" if key == "password" else f", found {value!r}"
    return f"{key}: {found}{shown}" if found else ""


def _are_addresses(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)
