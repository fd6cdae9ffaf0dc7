"""What the configuration centre says of a service's Kafka.

The document at ``/lambchat/{STAGE}/mq/{service_name}``, else at ``…/mq/default``.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from chalicelib import coord

DRIVERS = ("kafka-python", "confluent-kafka")
_SECURITY = ("PLAINTEXT", "SSL", "IAM")


class MqConfigError(Exception):
    """The configuration is missing or wrong; the text names every key that is."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A service's Kafka configuration, validated."""

    brokers: tuple[str, ...]
    driver: str = "kafka-python"
    security: str = "PLAINTEXT"
    compression: str = "none"
    linger_ms: int = 0
    request_timeout_ms: int = 10_000


def load(centre: coord.ConfigCentre, service_name: str) -> Config:
    """Reads a service's configuration.

    Raises:
        MqConfigError: There is none, or it is wrong.
        coord.CoordError: It cannot be read.
    """
    paths = [coord.parameter_path("mq", name) for name in (service_name, "default")]
    for path in paths:
        if parameter := centre.get(path):
            return _parse(path, parameter.value)
    raise MqConfigError(f"there is no parameter {paths[0]} and no {paths[1]}")


def _parse(path: str, text: str) -> Config:
    try:
        document: Any = json.loads(text)
    except ValueError as error:
        raise MqConfigError(f"{path}: expected a JSON document") from error
    if not isinstance(document, dict):
        raise MqConfigError(f"{path}: expected a JSON object")
    brokers = document.pop("brokers", None)
    wrong = [] if _are_addresses(brokers) else ["brokers: expected a list of host:port"]
    for key, allowed in (("driver", DRIVERS), ("security", _SECURITY)):
        if key in document and document[key] not in allowed:
            wrong.append(f"{key}: expected one of {', '.join(allowed)}, found {document[key]!r}")
    for key in ("linger_ms", "request_timeout_ms"):
        if not isinstance(document.get(key, 0), int):
            wrong.append(f"{key}: expected whole milliseconds, found {document[key]!r}")
    unknown = set(document) - set(Config.__dataclass_fields__)
    wrong.extend(f"{key}: not a key of this document" for key in sorted(unknown))
    if wrong:
        raise MqConfigError(f"{path}: " + "; ".join(wrong))
    flat = [address for entry in brokers for address in entry.split(",")]
    return Config(brokers=tuple(flat), **document)


def _are_addresses(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(v, str) and v for v in value)
