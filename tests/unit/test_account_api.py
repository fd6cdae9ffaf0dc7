"""Exporting and deleting over REST."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from chalicelib import bootstrap
from chalicelib import bootstrap_data as data
from chalicelib.models import ExportStatus
from tests.fakes import FakeConnections, FakeLog, FakeMembers, FakeOffline, World
from tests.fakes_data import FakeExports, FakeFiles
from tests.rest import Rest, assert_problem
from tests.unit.broker_fakes import FakeKafka

PATH = "/v1/users/me/data"


@dataclass
class Behind:
    """What is behind this part of the API."""

    kafka: FakeKafka = field(default_factory=FakeKafka)
    exports: FakeExports = field(default_factory=FakeExports)


@pytest.fixture
def behind(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Behind:
    made, world = Behind(), World()
    ports = {
        "store": None,
        "kafka": made.kafka,
        "messages_table": FakeLog(world),
        "members_table": FakeMembers(world),
        "offline_table": FakeOffline(world),
        "connections_table": FakeConnections(world),
    }
    for name, port in ports.items():
        monkeypatch.setattr(bootstrap, name, lambda port=port: port)
    monkeypatch.setattr(data, "exports_table", lambda: made.exports)
    monkeypatch.setattr(data, "export_files", FakeFiles)
    return made


@pytest.mark.req("APP-2")
def test_an_export_is_202_while_it_runs_and_a_link_afterwards(rest: Rest, behind: Behind) -> None:
    token = rest.signed_in()["access_token"]

    running = [rest.call("GET", PATH, token=token) for _ in range(2)]
    ((user_id, export),) = behind.exports.rows.items()
    behind.exports.rows[user_id] = replace(export, status=ExportStatus.DONE)
    done = rest.call("GET", PATH, token=token)

    assert [one.status for one in running] == [202, 202]
    assert running[0].body == running[1].body
    assert running[0].body.keys() == {"id", "status", "started_at"}
    assert (done.status, done.body["status"]) == (200, "done")
    assert done.body["url"].startswith(f"https://files.example/{user_id}/{export.id}.json")
    assert done.body["expires_at"] > done.body["started_at"]
    assert len(behind.kafka.sent) == 1


@pytest.mark.req("TASK-6")
def test_a_deleted_account_is_closed_when_the_answer_comes(rest: Rest, behind: Behind) -> None:
    session = rest.signed_in("alice")
    other = rest.signed_in("bob")["access_token"]

    answer = rest.call("DELETE", PATH, token=session["access_token"])

    assert (answer.status, answer.text) == (202, "")
    assert_problem(rest.call("GET", PATH, token=session["access_token"]), 401, "unauthorized")
    login = {"username": "alice", "password": "correct horse"}
    assert_problem(rest.call("POST", "/v1/auth/login", body=login), 401, "invalid_credentials")
    refresh = {"refresh_token": session["refresh_token"]}
    assert_problem(rest.call("POST", "/v1/auth/refresh", body=refresh), 401, "unauthorized")
    assert_problem(rest.register("Alice"), 409, "username_taken")
    profile = rest.call("GET", f"/v1/users/{session['user']['id']}", token=other)
    assert_problem(profile, 404, "user_not_found")
    assert len(behind.kafka.sent) == 1


@pytest.mark.usefixtures("behind")
def test_an_administrator_is_refused(rest: Rest) -> None:
    session = rest.signed_in()
    user_id = session["user"]["id"]
    rest.users.rows[user_id] = replace(rest.users.rows[user_id], roles=("admin",))
    token = rest.login("alice")["access_token"]

    assert_problem(rest.call("DELETE", PATH, token=token), 409, "conflict")
    assert rest.call("GET", "/v1/users/me", token=token).status == 200


def test_while_kafka_is_away_nothing_is_deleted(rest: Rest, behind: Behind) -> None:
    token = rest.signed_in()["access_token"]
    behind.kafka.away = True

    assert_problem(rest.call("DELETE", PATH, token=token), 503, "unavailable")
    assert rest.call("GET", "/v1/users/me", token=token).status == 200


@pytest.mark.parametrize("method", ["GET", "DELETE"])
def test_nobody_else_may(rest: Rest, method: str) -> None:
    assert_problem(rest.call(method, PATH), 401, "unauthorized")
