"""What counts as a failure of a downstream, and what callers see while its breaker is open."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import bootstrap_downstream, breaker
from chalicelib.aws import AwsError, Endpoint, JsonService, Request, Response
from chalicelib.broker import KafkaConnection
from chalicelib.context import Context
from chalicelib.coord import Parameter
from chalicelib.errors import TooLargeError, UnavailableError, UserNotFoundError
from chalicelib.guards import around_calls, around_requests, around_sends, is_answer
from chalicelib.models import PushResult
from chalicelib.mq import DeliveryError, Message
from chalicelib.push import Pusher
from chalicelib.task.outbox import Outbox
from tests.unit.broker_fakes import FakeDelays, FakeKafka

POLICY = '{"failure_threshold": 2, "open_seconds": 30}'


class Policies:
    """A configuration centre with one policy for all breakers."""

    def list(self, path: str) -> list[Parameter]:
        return [Parameter(f"{path}/default", POLICY, 1)]

    def watch(self, _path: str, _callback: object) -> Policies:
        return self

    def close(self) -> None:
        """Nothing is watched."""


@pytest.fixture
def provider() -> breaker.Provider:
    return breaker.new(
        breaker.Config("/p", ignore=is_answer),
        breaker.with_config_centre(Policies()),
        breaker.with_clock(lambda: 1000.0),
    )


class Service:
    """An endpoint whose answers are given; how often it was asked."""

    def __init__(self, guarded: breaker.Breaker, *answers: Response) -> None:
        self.asked = 0
        self.answers = list(answers)
        self._guard = around_requests(lambda: guarded)
        self.path = ""

    def request_all(self, requests: list[Request]) -> list[Response]:
        return self._guard(self._send, len(requests))

    def _send(self) -> list[Response]:
        self.asked += 1
        return self.answers


def response(status: int, **body: str) -> Response:
    return Response(status, {}, json.dumps(body).encode())


@pytest.mark.req("BRK-7")
@pytest.mark.parametrize("status", [0, 500, 503])
def test_a_service_that_does_not_answer_is_left_alone_and_callers_are_told_for_how_long(
    provider: breaker.Provider, status: int
) -> None:
    service = Service(provider.get_breaker("dynamodb"), response(status))
    store = JsonService(service, target="T", version="1.0")  # type: ignore[arg-type]
    for _ in range(2):
        with pytest.raises(AwsError):
            store.call("GetItem", {})

    with pytest.raises(AwsError) as caught:
        store.call("GetItem", {})

    assert service.asked == 2
    assert (caught.value.status, caught.value.retry_after, caught.value.transient) == (0, 30, True)


@pytest.mark.req("BRK-7")
@pytest.mark.parametrize(
    "answer",
    [
        response(400, __type="x#ConditionalCheckFailedException"),
        response(400, __type="x#TransactionCanceledException"),
        response(400, __type="x#ThrottlingException"),
        response(410),
        response(413),
        response(429),
    ],
)
def test_an_answer_is_no_failure(provider: breaker.Provider, answer: Response) -> None:
    service = Service(provider.get_breaker("dynamodb"), answer)

    for _ in range(10):
        assert service.request_all([]) == [answer]

    assert provider.get_breaker("dynamodb").state == "closed"


@pytest.mark.req("BRK-7")
def test_while_pushes_fail_connections_are_spared_and_none_counts_as_gone(
    provider: breaker.Provider,
) -> None:
    service = Service(provider.get_breaker("push"), response(503))
    pusher = Pusher(service)  # type: ignore[arg-type]
    for _ in range(2):
        pusher.post("c1", "hello")

    assert pusher.post("c1", "hello") is PushResult.FAILED
    assert service.asked == 2


@pytest.mark.req("BRK-7")
def test_a_send_while_kafka_is_away_is_unavailable_at_once_with_the_time_to_wait(
    provider: breaker.Provider,
) -> None:
    class Producer:
        asked = 0

        def send_sync(self, _ctx: Context, *_messages: Message) -> list[Message]:
            self.asked += 1
            raise DeliveryError("not confirmed")

    producer = Producer()
    kafka = KafkaConnection("lambchat", guard=around_sends(lambda: provider))
    kafka._producer = producer  # type: ignore[assignment]
    outbox = Outbox(kafka, FakeDelays())
    submissions: list[tuple[str, dict[str, Any]]] = [("d-a-b", {"type": "direct"})]
    for _ in range(2):
        with pytest.raises(UnavailableError):
            outbox.submit(Context(), submissions)

    with pytest.raises(UnavailableError) as caught:
        outbox.submit(Context(), submissions)

    assert producer.asked == 2
    assert (caught.value.code, caught.value.retry_after) == ("unavailable", 30.0)


@pytest.mark.req("BRK-7")
def test_a_repository_behind_an_open_breaker_is_unavailable(provider: breaker.Provider) -> None:
    guard = around_calls(provider.get_breaker("dynamodb"))
    asked: list[int] = []

    def fail() -> None:
        asked.append(1)
        raise UnavailableError("the store answered InternalServerError")

    for _ in range(3):
        with pytest.raises(UnavailableError) as caught:
            guard(fail)

    assert len(asked) == 2
    assert caught.value.retry_after == 30.0


@pytest.mark.parametrize("error", [UserNotFoundError(), TooLargeError(), ValueError()])
def test_what_a_request_got_wrong_is_no_failure_of_the_store(error: Exception) -> None:
    assert is_answer(error)


def test_before_there_is_a_breaker_requests_are_sent(provider: breaker.Provider) -> None:
    guard = around_requests(lambda: None)

    assert guard(lambda: [response(503)], 1) == [response(503)]


@pytest.fixture
def changed(monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], FakeKafka]:
    kafka = FakeKafka()
    monkeypatch.setattr(bootstrap_downstream, "kafka", lambda: kafka)

    def change(name: str, state: str) -> FakeKafka:
        bootstrap_downstream._changed(name, "closed", state)
        return kafka

    return change


@pytest.mark.req("BRK-7")
def test_a_change_is_a_metric_and_an_event(
    changed: Callable[[str, str], FakeKafka],
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "FanoutFunction")

    kafka = changed("dynamodb", "open")

    metric = json.loads(capsys.readouterr().out)
    (message,) = kafka.sent
    event = json.loads(message.value)
    assert (metric["BreakerStateChanged"], metric["breaker"], metric["state"]) == (
        [1.0],
        "dynamodb",
        "open",
    )
    assert (message.topic, event["event"], event["event_version"]) == (
        "EVENTS",
        "breaker.changed",
        "1.0",
    )
    assert event["payload"]["new_state"] == "open"
    assert event["payload"]["process"] == "FanoutFunction"


def test_that_kafka_is_away_is_not_published_to_kafka(
    changed: Callable[[str, str], FakeKafka],
) -> None:
    assert changed("kafka", "open").sent == []
    assert len(changed("kafka", "closed").sent) == 1


def test_an_endpoint_asks_its_guard(provider: breaker.Provider) -> None:
    endpoint = Endpoint(
        "dynamodb",
        "http://127.0.0.1:1",
        "us-east-1",
        guard=around_requests(lambda: provider.get_breaker("dynamodb")),
    )

    answers = [endpoint.request(Request("GET", "/", b"", {})) for _ in range(3)]

    assert [one.status for one in answers] == [0, 0, 0]
    assert ["retry-after" in one.headers for one in answers] == [False, False, True]
