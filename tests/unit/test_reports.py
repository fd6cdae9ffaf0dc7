from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib import bootstrap_integration as integration
from chalicelib.context import Context
from chalicelib.errors import (
    ConflictError,
    MessageNotFoundError,
    NotFoundError,
    SelfError,
    UserNotFoundError,
)
from chalicelib.logic.reports import ReportService
from chalicelib.models import ReportStatus
from tests.fakes_accounts import Clock
from tests.fakes_admin import FakeEntries, new_audit
from tests.fakes_integration import FakeReports
from tests.rest import Rest, assert_problem

CTX = Context(user="mia")


class Desk:
    """Bob wrote the second message of a room that ann reads."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.reports, self.entries = FakeReports(), FakeEntries()
        self.service = ReportService(
            reports=self.reports,
            messages=self,
            exists=lambda user_id: user_id != "nobody",
            audit=new_audit(self.entries, self.clock),
            clock=self.clock,
        )

    def one(self, _user_id: str, conversation_id: str, seq: int) -> dict[str, Any]:
        if seq > 2:
            raise MessageNotFoundError
        return {
            "id": f"m{seq}",
            "conversation_id": conversation_id,
            "sender_id": "ann" if seq == 1 else "bob",
            "seq": seq,
            "type": "text",
            "content": "rude",
            "created_at": "2026-11-21T08:00:00.000Z",
            "client_msg_id": "c",
        }


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_reported_message_is_kept_as_it_was(desk: Desk) -> None:
    made = desk.service.report_message("r1", "ann", "room", 2, "rude")

    assert (made.user_id, made.conversation_id, made.seq) == ("bob", "room", 2)
    assert '"content":"rude"' in made.message
    assert made.status is ReportStatus.OPEN


def test_what_cannot_be_reported(desk: Desk) -> None:
    with pytest.raises(SelfError):
        desk.service.report_user("r1", "ann", "ann", "me")
    with pytest.raises(SelfError):
        desk.service.report_message("r1", "ann", "room", 1, "mine")
    with pytest.raises(UserNotFoundError):
        desk.service.report_user("r1", "ann", "nobody", "who")
    with pytest.raises(MessageNotFoundError):
        desk.service.report_message("r1", "ann", "room", 3, "what")

    assert desk.reports.rows == {}


def test_the_same_report_again_changes_nothing(desk: Desk) -> None:
    first = desk.service.report_user("r1", "ann", "bob", "rude")
    desk.service.resolve(CTX, "r1", "warned")
    desk.clock.now += 5

    again = desk.service.report_user("r1", "ann", "bob", "rude")

    assert (again.id, again.created_at) == (first.id, first.created_at)
    assert again.status is ReportStatus.RESOLVED


def test_of_two_moderators_one_resolves(desk: Desk) -> None:
    desk.service.report_user("r1", "ann", "bob", "rude")

    done = desk.service.resolve(CTX, "r1", "warned")

    assert (done.status, done.resolved_by, done.note) == (ReportStatus.RESOLVED, "mia", "warned")
    with pytest.raises(ConflictError, match="mia"):
        desk.service.resolve(Context(user="max"), "r1", "banned")
    with pytest.raises(NotFoundError):
        desk.service.resolve(CTX, "r2", "")


def test_reading_and_resolving_is_in_the_audit_log(desk: Desk) -> None:
    desk.service.report_user("r1", "ann", "bob", "rude")
    desk.service.page(CTX, ReportStatus.OPEN, after=None, limit=10)
    desk.service.resolve(CTX, "r1", "warned")

    logged = [(one.actor, one.action, one.target) for one in desk.entries.rows.values()]
    assert logged == [("mia", "reports.read", ""), ("mia", "report.resolve", "r1")]


@pytest.fixture
def over_rest(rest: Rest, desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Rest:
    monkeypatch.setattr(integration, "reports", lambda: desk.service)
    return rest


def with_role(rest: Rest, name: str, *roles: str) -> str:
    user = rest.signed_in(name)["user"]
    rest.users.rows[user["id"]] = replace(rest.users.rows[user["id"]], roles=roles)
    token: str = rest.login(name)["access_token"]
    return token


def test_a_user_reports_and_a_moderator_resolves(over_rest: Rest) -> None:
    ann, mia = with_role(over_rest, "ann"), with_role(over_rest, "mia", "moderator")
    body = {"conversation_id": "room", "seq": 2, "reason": "rude"}

    taken = over_rest.call("POST", "/v1/reports", token=ann, body=body)
    over_rest.call("POST", "/v1/reports", token=ann, body={"user_id": "bob", "reason": "spam"})

    assert taken.status == 201
    path = "/v1/admin/reports"
    first = over_rest.call("GET", path, token=mia, query={"limit": "1"}).body
    assert [one["id"] for one in first["items"]] == [taken.body["id"]]
    assert first["items"][0]["message"]["content"] == "rude"
    rest_of_them = over_rest.call("GET", path, token=mia, query={"cursor": first["next_cursor"]})
    assert [one["reason"] for one in rest_of_them.body["items"]] == ["spam"]
    assert rest_of_them.body["items"][0]["message"] is None
    one = f"{path}/{taken.body['id']}"
    done = over_rest.call("PATCH", one, token=mia, body={"status": "resolved", "note": "warned"})
    assert (done.status, done.body["note"]) == (200, "warned")
    query = {"status": "resolved"}
    assert over_rest.call("GET", path, token=mia, query=query).body["items"] == [done.body]


def test_administrators_may_what_moderators_may_and_others_not(over_rest: Rest) -> None:
    boss, ann = with_role(over_rest, "boss", "admin"), with_role(over_rest, "ann")
    mia = with_role(over_rest, "mia", "moderator")

    assert over_rest.call("GET", "/v1/admin/reports", token=boss).status == 200
    reply = over_rest.call("GET", "/v1/admin/reports", token=ann)
    assert_problem(reply, 403, "forbidden")
    assert_problem(over_rest.call("GET", "/v1/admin/bans", token=mia), 403, "forbidden")


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"reason": "x"}, "user_id"),
        ({"reason": "x", "conversation_id": "room"}, "seq"),
        ({"reason": "x", "seq": 2}, "conversation_id"),
        ({"reason": "x", "user_id": "bob", "conversation_id": "room", "seq": 2}, "user_id"),
    ],
)
def test_a_report_is_of_a_user_or_of_a_message(
    over_rest: Rest, body: dict[str, Any], field: str
) -> None:
    ann = with_role(over_rest, "ann")

    reply = over_rest.call("POST", "/v1/reports", token=ann, body=body)

    assert_problem(reply, 422, "invalid_field", field)
