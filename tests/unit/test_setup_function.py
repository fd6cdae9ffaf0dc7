"""What CloudFormation has set up before there are triggers, and the rotation of the keys."""

from __future__ import annotations

import json
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread
from typing import Any

import pytest

from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import UnavailableError
from functions import rotate_keys, setup

pytestmark = pytest.mark.req("SHAPE-8", "TASK-1")


class Done:
    """What the services were asked for."""

    def __init__(self) -> None:
        self.topics: list[tuple[int, int]] = []
        self.passwords: list[str] = []
        self.is_away = False

    def ensure(self) -> str:
        return "first-key"

    def rotate(self) -> str:
        return "next-key"

    def ensure_topics(self, *, partitions: int, replication: int) -> list[str]:
        if self.is_away:
            raise UnavailableError("Kafka is away")
        self.topics.append((partitions, replication))
        return ["TASKS"]

    def ensure_admin(self, password: str) -> None:
        self.passwords.append(password)


@pytest.fixture
def done(monkeypatch: pytest.MonkeyPatch) -> Done:
    done = Done()
    monkeypatch.setattr(accounts, "keys", lambda: done)
    monkeypatch.setattr(accounts, "auth", lambda: done)
    monkeypatch.setattr(accounts, "ensure_topics", done.ensure_topics)
    return done


@pytest.fixture
def answers() -> Iterator[list[Any]]:
    """CloudFormation's end: the first item is its address, then what it was told."""
    told: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            told.append((self.headers["Content-Type"], json.loads(body)))
            self.send_response(200)
            self.end_headers()

        def log_message(self, format: str, *_args: object) -> None:
            """Says nothing."""

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    told.append(f"http://127.0.0.1:{server.server_port}/answer")
    yield told
    server.shutdown()
    server.server_close()
    thread.join()


def event(kind: str, url: str) -> dict[str, Any]:
    ids = {"StackId": "stack", "RequestId": "request", "LogicalResourceId": "Setup"}
    wanted = {"Partitions": "6", "Replication": "2", "ServiceToken": "arn"}
    return {**ids, "RequestType": kind, "ResponseURL": url, "ResourceProperties": wanted}


@pytest.mark.parametrize("kind", ["Create", "Update"])
def test_key_and_topics_are_made_and_cloudformation_learns_their_names(
    done: Done, answers: list[Any], kind: str
) -> None:
    setup.handler(event(kind, answers[0]), None)

    ((content_type, answer),) = answers[1:]
    assert done.topics == [(6, 2)]
    assert content_type == ""
    assert answer["Status"] == "SUCCESS"
    assert answer["Data"] == {"Tasks": "TASKS", "Events": "EVENTS"}
    assert (answer["StackId"], answer["LogicalResourceId"]) == ("stack", "Setup")


def test_deleting_the_stack_deletes_no_topic(done: Done, answers: list[Any]) -> None:
    setup.handler(event("Delete", answers[0]), None)

    assert (answers[1][1]["Status"], done.topics) == ("SUCCESS", [])


def test_a_failure_is_told_with_its_reason(done: Done, answers: list[Any]) -> None:
    done.is_away = True

    setup.handler(event("Create", answers[0]), None)

    assert answers[1][1]["Status"] == "FAILED"
    assert answers[1][1]["Reason"] == "UnavailableError: Kafka is away"


def test_invoked_by_hand_it_makes_the_administrator(
    done: Done, capsys: pytest.CaptureFixture[str]
) -> None:
    assert setup.handler({"admin_password": "secret word"}, None)["Tasks"] == "TASKS"

    assert (done.passwords, done.topics) == (["secret word"], [(12, 3)])
    assert "secret word" not in capsys.readouterr().out


@pytest.mark.usefixtures("done")
@pytest.mark.req("APP-3")
def test_the_schedule_rotates_the_signing_key() -> None:
    assert rotate_keys.handler({}, None) == {"kid": "next-key"}
