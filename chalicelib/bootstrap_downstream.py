"""The composition root's part for what this stands on, each behind its circuit breaker.

See `bootstrap` for its rules.
"""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from chalicelib.aws import Guard, JsonService
    from chalicelib.breaker import Breaker, Provider
    from chalicelib.broker import KafkaConnection
    from chalicelib.coord import ConfigCentre
    from chalicelib.push import Pusher

_PUBLISH_SECONDS = 2.0  # the call that changed a breaker waits for it

_ready: list[Provider] = []


@cache
def centre() -> ConfigCentre:
    """The configuration centre: Parameter Store, or the snapshot (docs/operations.md)."""
    from chalicelib import coord
    from chalicelib.bootstrap_policies import snapshot
    from chalicelib.guards import PARAMETER_STORE, around_requests

    # The breaker's own policy comes from there: before it is read, nothing is guarded.
    def breaker() -> Breaker | None:
        return _ready[0].get_breaker(PARAMETER_STORE) if _ready else None

    from_snapshot = os.environ.get("CONFIG_SOURCE") == "snapshot"
    return coord.new(snapshot=snapshot if from_snapshot else None, guard=around_requests(breaker))


@cache
def breakers() -> Provider:
    """The circuit breakers."""
    from chalicelib import breaker, coord
    from chalicelib.guards import is_answer

    provider = breaker.new(
        breaker.Config(coord.parameter_path("breaker"), ignore=is_answer),
        breaker.with_config_centre(centre()),
        breaker.with_on_change(_changed),
    )
    _ready.append(provider)
    return provider


def refresh() -> None:
    """At the start of an invocation: takes changes of the configuration over, if it is time."""
    if _ready:
        centre().check()


@cache
def store() -> JsonService:
    """DynamoDB."""
    from chalicelib.aws import dynamodb
    from chalicelib.guards import DYNAMODB

    return dynamodb(guard=guard(DYNAMODB))


@cache
def pusher() -> Pusher:
    """Posts to connections, through the management API of this stage."""
    from chalicelib.aws import Endpoint, region
    from chalicelib.guards import PUSH
    from chalicelib.push import Pusher

    url = os.environ["WEBSOCKET_ENDPOINT"]
    return Pusher(Endpoint("execute-api", url, region(), guard=guard(PUSH)))


@cache
def kafka() -> KafkaConnection:
    """The one connection to Kafka, opened when the first record goes out."""
    from chalicelib import mq
    from chalicelib.broker import KafkaConnection
    from chalicelib.guards import around_sends

    return KafkaConnection(
        "lambchat", mq.with_config_centre(centre()), guard=around_sends(breakers)
    )


def kafka_counts() -> Mapping[str, int]:
    """What this process sent to Kafka, for metrics; nothing where it has no connection."""
    if not kafka.cache_info().currsize:
        return {}
    stats = kafka().stats()
    return {"KafkaSent": stats["sent"], "KafkaFailed": stats["failed"]}


def guard(name: str) -> Guard:
    """Guards signed requests with a breaker."""
    from chalicelib.guards import around_requests

    return around_requests(lambda: breakers().get_breaker(name))


def policy(name: str) -> Mapping[str, Any]:
    """The fields of a breaker's policy as it stands in the configuration centre."""
    from dataclasses import asdict

    from chalicelib.breaker import Policy, PolicyError
    from chalicelib.coord import parameter_path

    for key in (name, "default"):
        if parameter := centre().get(parameter_path("breaker", key)):
            try:
                return asdict(Policy.from_json(parameter.value))
            except PolicyError as error:
                return {"refused": str(error)}
    return asdict(Policy())


def _changed(name: str, old_state: str, new_state: str) -> None:
    """A metric and an event; the log line is the library's."""
    from chalicelib import metrics
    from chalicelib.context import Context
    from chalicelib.guards import KAFKA
    from chalicelib.task.events import BreakerChanged

    metrics.emit({"BreakerStateChanged": 1}, breaker=name, state=new_state)
    if name == KAFKA and new_state != "closed":
        return  # nobody would take it
    event = BreakerChanged(
        name=name,
        old_state=old_state,
        new_state=new_state,
        process=os.environ.get("AWS_LAMBDA_FUNCTION_NAME") or socket.gethostname(),
        at=time.time(),
    )
    kafka().publish(Context(deadline=time.time() + _PUBLISH_SECONDS), event, key=name)
