from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import unquote

import pytest

from chalicelib.aws import Request, Response
from chalicelib.models import PushResult
from chalicelib.push import Pusher


class FakeEndpoint:
    path = "/prod"

    def __init__(self, *statuses: int) -> None:
        self.waves: list[list[Request]] = []
        self._statuses = list(statuses)

    def request_all(self, requests: Sequence[Request]) -> list[Response]:
        self.waves.append(list(requests))
        return [
            Response(self._statuses.pop(0) if self._statuses else 200, {}, b"") for _ in requests
        ]


def pusher(endpoint: FakeEndpoint) -> Pusher:
    return Pusher(endpoint)  # type: ignore[arg-type]


def test_a_connection_gets_its_texts_one_after_the_other() -> None:
    endpoint = FakeEndpoint()

    results = pusher(endpoint).post_all({"a=": ["1", "2"], "b=": ["3"]})

    assert results == {"a=": PushResult.SENT, "b=": PushResult.SENT}
    assert [[one.body for one in wave] for wave in endpoint.waves] == [[b"1", b"3"], [b"2"]]
    assert unquote(endpoint.waves[0][0].path) == "/prod/@connections/a="
    assert "=" not in endpoint.waves[0][0].path


@pytest.mark.parametrize(
    ("status", "result"),
    [(410, PushResult.GONE), (500, PushResult.FAILED), (0, PushResult.FAILED)],
)
def test_a_connection_that_fails_gets_no_more_of_its_texts(status: int, result: PushResult) -> None:
    endpoint = FakeEndpoint(status)

    assert pusher(endpoint).post_all({"a": ["1", "2"]}) == {"a": result}
    assert len(endpoint.waves) == 1


def test_a_throttled_post_is_tried_again() -> None:
    endpoint = FakeEndpoint(429, 200)

    assert pusher(endpoint).post("a", "1") is PushResult.SENT
    assert len(endpoint.waves) == 2


def test_nothing_to_post_is_nothing_sent() -> None:
    endpoint = FakeEndpoint()

    assert pusher(endpoint).post_all({}) == {}
    assert endpoint.waves == []


@pytest.mark.parametrize(("method", "name"), [("DELETE", "close"), ("GET", "look")])
def test_it_is_known_which_connections_were_there_and_which_nobody_answered_for(
    method: str, name: str
) -> None:
    endpoint = FakeEndpoint(410, 204, 200, 500)

    results = getattr(pusher(endpoint), name)(["a", "b", "c", "d"])

    sent, gone, failed = PushResult.SENT, PushResult.GONE, PushResult.FAILED
    assert results == {"a": gone, "b": sent, "c": sent, "d": failed}
    assert [one.method for one in endpoint.waves[0]] == [method] * 4
