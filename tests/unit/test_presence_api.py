"""Presence, receipts, unread counts and settings over REST."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib import bootstrap
from chalicelib import bootstrap_mentions as mentioning
from chalicelib import bootstrap_people as people
from chalicelib import bootstrap_presence as presence
from chalicelib.logic.directory import Directory
from chalicelib.logic.heads import CurrentHeads
from chalicelib.logic.places import PlaceService
from chalicelib.logic.policies import PresencePolicy
from chalicelib.logic.presence_views import PresenceViews
from chalicelib.logic.settings import SettingsService
from chalicelib.models import direct_id
from tests.fakes import FakeConnections, FakeHeads, FakeLog, FakeMembers, World
from tests.fakes_changes import mentions
from tests.fakes_groups import FakeGroups
from tests.fakes_presence import FakePresenceStates, FakeSettings
from tests.fakes_relations import open_access
from tests.rest import Rest, assert_problem
from tests.unit import test_conversations
from tests.unit.test_delivery import record, writer


class Desk:
    """alice is signed in, and has two messages of bob."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        signed_in = rest.signed_in("alice")
        self.token, self.id = signed_in["access_token"], signed_in["user"]["id"]
        self.bob = rest.signed_in("bob")["user"]["id"]
        self.world = World()
        self.world.now = rest.clock()
        for user in (self.id, self.bob):
            self.world.user(user)
        self.room = direct_id(self.id, self.bob)
        writer(self.world).deliver([record(0, 1, 2, sender=self.bob, room=self.room)])
        self.access = open_access(
            Directory(FakeConnections(self.world), self.world.clock), self.world
        )

    def call(self, method: str, path: str, **parts: Any) -> Any:
        return self.rest.call(method, f"/v1{path}", token=self.token, **parts)

    def get(self, path: str, **query: str) -> Any:
        reply = self.rest.call("GET", f"/v1{path}", token=self.token, query=query)
        assert reply.status == 200, reply.text
        return reply.body

    def put(self, what: str, **body: object) -> Any:
        return self.rest.call(
            "PUT", f"/v1/conversations/{self.room}/{what}", token=self.token, body=body
        )


@pytest.fixture
def desk(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(rest)
    world = made.world
    settings = SettingsService(
        access=made.access,
        heads=CurrentHeads(FakeHeads(world), FakeLog(world)),
        settings=FakeSettings(world),
        tell=rest.notices.tell,
        clock=rest.clock,
    )
    views = PresenceViews(
        states=FakePresenceStates(world),
        relations=rest.relations,
        memberships=FakeMembers(world),
        policy=PresencePolicy,
    )
    places = PlaceService(access=made.access, groups=FakeGroups(world), members=FakeMembers(world))
    conversations = test_conversations.service(world)
    monkeypatch.setattr(bootstrap, "conversations", lambda: conversations)
    monkeypatch.setattr(mentioning, "mentions", lambda: mentions(world))
    monkeypatch.setattr(people, "relations_table", lambda: rest.relations)
    monkeypatch.setattr(presence, "settings", lambda: settings)
    monkeypatch.setattr(presence, "presence_views", lambda: views)
    monkeypatch.setattr(presence, "places", lambda: places)
    return made


@pytest.mark.req("APP-8")
def test_the_presence_of_one_and_of_several_users(desk: Desk) -> None:
    desk.world.connect(desk.bob, "conn")

    bob = {"user_id": desk.bob, "status": "online", "last_seen": None}
    assert desk.get(f"/users/{desk.bob}/presence") == bob
    alice = {"user_id": desk.id, "status": "offline", "last_seen": None}
    ids = f"{desk.bob},nobody,{desk.id},"
    assert desk.get("/presence", user_ids=ids) == {"items": [bob, alice]}


def test_the_presence_of_nobody_and_of_a_crowd_is_refused(desk: Desk) -> None:
    assert_problem(desk.call("GET", "/users/nobody/presence"), 404, "user_not_found")
    for ids in (",", ",".join("abc"[n % 3] * (n // 3 + 1) for n in range(101))):
        assert_problem(
            desk.call("GET", "/presence", query={"user_ids": ids}), 400, "invalid_query", "user_ids"
        )


@pytest.mark.req("APP-8")
def test_who_may_see_me_is_in_my_profile_and_nobody_elses(desk: Desk) -> None:
    assert desk.get("/users/me")["show_presence"] == "everybody"

    changed = desk.call("PATCH", "/users/me", body={"show_presence": "friends", "nickname": "Al"})

    assert (changed.body["show_presence"], changed.body["nickname"]) == ("friends", "Al")
    assert desk.get("/users/me")["show_presence"] == "friends"
    assert "show_presence" not in desk.get(f"/users/{desk.id}")
    wrong = desk.call("PATCH", "/users/me", body={"show_presence": "cats"})
    assert_problem(wrong, 422, "invalid_field", "show_presence")


@pytest.mark.req("APP-13")
def test_unread_messages_of_muted_conversations_are_counted_apart(desk: Desk) -> None:
    first = replace(desk.world.log(desk.room)[0], text='{"mentions": ["all"]}')
    mentions(desk.world).note([first])
    counts = {"total": 2, "conversations": {desk.room: 2}, "mentions": 1}
    nothing = {"total": 0, "conversations": {}, "mentions": 0}
    assert desk.get("/unread") == {**counts, "muted": nothing}

    desk.put("settings", muted=True)

    assert desk.get("/unread") == {**nothing, "muted": counts}


@pytest.mark.parametrize(
    ("body", "muted", "muted_until", "pinned"),
    [
        ({"muted": True}, True, None, False),
        ({"muted": True, "pinned": True}, True, None, True),
        ({"muted_until": "2099-01-01T00:00:00Z"}, True, "2099-01-01T00:00:00.000Z", False),
        (
            {"muted": True, "muted_until": "2099-01-01T00:00:00Z"},
            True,
            "2099-01-01T00:00:00.000Z",
            False,
        ),
        ({"muted_until": "2001-01-01T00:00:00Z"}, False, None, False),
        ({"muted": True, "muted_until": None}, True, None, False),
        ({"muted": False}, False, None, False),
        ({"muted_until": None}, False, None, False),
        ({"pinned": True}, False, None, True),
    ],
)
def test_settings_are_changed_and_shown_with_the_conversation(
    desk: Desk, body: dict[str, object], muted: bool, muted_until: str | None, pinned: bool
) -> None:
    changed = desk.put("settings", **body)

    assert changed.status == 200
    assert changed.body == {
        "conversation_id": desk.room,
        "muted": muted,
        "muted_until": muted_until,
        "pinned": pinned,
    }
    assert desk.get(f"/conversations/{desk.room}")["settings"] == changed.body
    assert desk.rest.notices.told == [(desk.id, "settings.changed", changed.body)]


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, ""),
        ({"muted": False, "muted_until": "2099-01-01T00:00:00Z"}, "muted_until"),
        ({"muted_until": "tomorrow"}, "muted_until"),
        ({"pinned": "yes"}, "pinned"),
        ({"hidden": True}, "hidden"),
    ],
)
def test_settings_that_make_no_sense_are_refused(
    desk: Desk, body: dict[str, object], field: str
) -> None:
    assert_problem(desk.put("settings", **body), 422, "invalid_field", field)


def test_a_draft_is_shown_with_the_conversation_until_it_is_deleted(desk: Desk) -> None:
    saved = desk.put("draft", content="Tea?")
    path = f"/conversations/{desk.room}"

    assert (saved.status, saved.body["content"]) == (200, "Tea?")
    assert desk.get(path)["draft"] == saved.body
    assert desk.call("DELETE", f"{path}/draft").status == 204
    assert "draft" not in desk.get(path)
    assert_problem(desk.put("draft", content="x" * 16385), 413, "too_large")


def test_a_hidden_conversation_is_not_listed_until_it_is_opened_again(desk: Desk) -> None:
    def listed() -> list[str]:
        return [one["id"] for one in desk.get("/conversations")["items"]]

    assert desk.call("DELETE", f"/conversations/{desk.room}").status == 204
    assert desk.room not in listed()
    assert desk.get("/unread")["total"] == 0
    assert desk.get(f"/conversations/{desk.room}")["unread_count"] == 2

    assert desk.call("POST", "/conversations", body={"user_id": desk.bob}).status == 200

    assert desk.room in listed()


def test_pinned_conversations_come_first_on_every_page(desk: Desk) -> None:
    first = desk.get("/conversations", limit="1")
    assert first["items"][0]["id"] == desk.room
    desk.call("PUT", "/conversations/world/settings", body={"pinned": True})

    first = desk.get("/conversations", limit="1")
    second = desk.get("/conversations", limit="1", cursor=first["next_cursor"])

    assert [one["id"] for one in (*first["items"], *second["items"])] == ["world", desk.room]
    assert second["next_cursor"] is None


@pytest.mark.req("APP-13")
def test_receipts_say_how_far_the_others_have_come_with_a_message(desk: Desk) -> None:
    path = f"/conversations/{desk.room}/receipts"
    place = {"user_id": desk.bob, "delivered_seq": 0, "read_seq": 0}

    assert desk.get(path) == {"items": [place], "next_cursor": None}
    assert desk.get(path, seq="2")["items"] == [{**place, "status": None}]
    assert_problem(desk.call("GET", path, query={"seq": "0"}), 400, "invalid_query", "seq")
    world = desk.call("GET", "/conversations/world/receipts")
    assert_problem(world, 403, "forbidden")


@pytest.mark.parametrize(
    ("method", "what", "body"),
    [
        ("PUT", "/settings", {"pinned": True}),
        ("PUT", "/draft", {"content": "Tea?"}),
        ("DELETE", "/draft", None),
        ("DELETE", "", None),
        ("GET", "/receipts", None),
    ],
)
def test_conversations_of_others_are_refused(
    desk: Desk, method: str, what: str, body: object
) -> None:
    theirs = direct_id(desk.bob, "zoe")
    desk.world.user("zoe")

    reply = desk.call(method, f"/conversations/{theirs}{what}", body=body)

    assert_problem(reply, 403, "not_member")
