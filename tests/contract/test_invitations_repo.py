from __future__ import annotations

from collections.abc import Callable
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import InviteLink, JoinRequest
from chalicelib.repo.dynamodb import encode_item, query_all
from chalicelib.repo.invitations import InvitationRepository
from tests.fakes import World
from tests.fakes_groups import FakeInvitations

pytestmark = pytest.mark.req("IM-12", "APP-15")
NOW = "2027-01-15T08:00:00.000Z"
Invitations = InvitationRepository | FakeInvitations


@pytest.fixture(params=["fake", "endpoint"])
def invitations(request: pytest.FixtureRequest) -> Invitations:
    if request.param == "fake":
        return FakeInvitations(World())
    return InvitationRepository(request.getfixturevalue("tables"))


@pytest.fixture
def group_id() -> str:
    return f"g-{uuid4().hex[:20]}"


def asked(group_id: str, user: str, message: str = "") -> JoinRequest:
    return JoinRequest(group_id=group_id, user_id=user, created_at=NOW, message=message)


def link(group_id: str, link_id: str) -> InviteLink:
    return InviteLink(
        id=link_id,
        group_id=group_id,
        created_by="ann",
        created_at=NOW,
        expires_at=1_800_000_000.5,
        max_uses=3,
    )


def test_a_request_is_read_back_whole_until_it_is_withdrawn(
    invitations: Invitations, group_id: str
) -> None:
    assert invitations.request(group_id, "bob") is None
    invitations.ask(asked(group_id, "bob", "me"))

    assert invitations.request(group_id, "bob") == asked(group_id, "bob", "me")
    assert invitations.withdraw(group_id, "bob")
    assert not invitations.withdraw(group_id, "bob")
    assert invitations.request(group_id, "bob") is None


def test_a_link_is_read_back_whole_until_it_is_revoked(
    invitations: Invitations, group_id: str
) -> None:
    assert invitations.link(group_id, "l1") is None
    invitations.add_link(link(group_id, "l1"))

    assert invitations.link(group_id, "l1") == link(group_id, "l1")
    assert invitations.revoke(group_id, "l1")
    assert not invitations.revoke(group_id, "l1")
    assert invitations.link(group_id, "l1") is None


def test_lists_come_page_by_page_in_order(invitations: Invitations, group_id: str) -> None:
    for name in ("c", "a", "b"):
        invitations.ask(asked(group_id, name))
        invitations.add_link(link(group_id, name))

    for read, key in ((invitations.requests, "user_id"), (invitations.links, "id")):
        first, start = read(group_id, start=None, limit=2)  # type: ignore[operator]
        second, end = read(group_id, start=start, limit=2)  # type: ignore[operator]
        assert [getattr(one, key) for one in (*first, *second)] == ["a", "b", "c"]
        assert (start, end) == ("c", None)


def test_a_link_expires_from_the_table(tables: JsonService, group_id: str) -> None:
    InvitationRepository(tables).add_link(link(group_id, "l1"))

    (item,) = query_all(
        tables,
        TableName="lambchat-contract-groups",
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues=encode_item({":pk": group_id}),
    )

    assert item["ttl"] == 1_800_000_001


@pytest.mark.parametrize(
    "use",
    [
        lambda invitations: invitations.ask(asked("g-1", "bob")),
        lambda invitations: invitations.request("g-1", "bob"),
        lambda invitations: invitations.requests("g-1", start=None, limit=1),
        lambda invitations: invitations.withdraw("g-1", "bob"),
        lambda invitations: invitations.add_link(link("g-1", "l1")),
        lambda invitations: invitations.link("g-1", "l1"),
        lambda invitations: invitations.links("g-1", start=None, limit=1),
        lambda invitations: invitations.revoke("g-1", "l1"),
    ],
)
def test_a_store_that_refuses_is_unavailable(
    tables: JsonService,
    monkeypatch: pytest.MonkeyPatch,
    use: Callable[[InvitationRepository], Any],
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(UnavailableError):
        use(InvitationRepository(tables))
