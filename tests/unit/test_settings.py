from __future__ import annotations

import pytest

from chalicelib.errors import NotMemberError, TooLargeError
from chalicelib.frames import MAX_CONTENT_BYTES
from chalicelib.logic.directory import Directory
from chalicelib.logic.heads import CurrentHeads
from chalicelib.logic.settings import SettingsService
from chalicelib.models import FOREVER, WORLD, ConversationSettings, direct_id
from tests.fakes import FakeConnections, FakeHeads, FakeLog, World
from tests.fakes_presence import FakeSettings
from tests.fakes_relations import FakeNotices, open_access
from tests.unit import test_conversations
from tests.unit.test_delivery import ROOM, record, writer


class Home:
    """ann and bob have written to each other."""

    def __init__(self) -> None:
        self.world = World()
        for user in ("ann", "bob", "cat"):
            self.world.user(user)
        writer(self.world).deliver([record(0, 1, 2, sender="ann")])
        self.notices = FakeNotices()
        self.settings = SettingsService(
            access=open_access(
                Directory(FakeConnections(self.world), self.world.clock), self.world
            ),
            heads=CurrentHeads(FakeHeads(self.world), FakeLog(self.world)),
            settings=FakeSettings(self.world),
            tell=self.notices.tell,
            clock=self.world.clock,
        )

    def listed(self, user: str = "bob") -> list[str]:
        return [view.head.id for view in test_conversations.service(self.world).all(user)]


def test_settings_are_one_s_own_and_own_devices_are_told() -> None:
    home = Home()

    home.settings.change("bob", ROOM, {"muted_until": FOREVER, "pinned": True})

    data = {"conversation_id": ROOM, "muted": True, "muted_until": None, "pinned": True}
    assert home.notices.told == [("bob", "settings.changed", data)]
    view = test_conversations.service(home.world).get("bob", ROOM)
    assert home.settings.shown(view.settings) == data
    others = test_conversations.service(home.world).get("ann", ROOM)
    assert others.settings == ConversationSettings(conversation_id=ROOM)


def test_a_mute_ends_at_its_time() -> None:
    home = Home()
    settings = home.settings.change("bob", ROOM, {"muted_until": home.world.now + 60})

    before = home.settings.shown(settings)
    home.world.now += 60
    after = home.settings.shown(settings)

    assert (before["muted"], before["muted_until"]) == (True, "2023-11-14T22:14:20.000Z")
    assert (after["muted"], after["muted_until"]) == (False, None)


def test_pinned_conversations_come_first() -> None:
    home = Home()
    other = direct_id("bob", "cat")
    home.world.now += 60
    writer(home.world).deliver([record(1, 1, sender="cat", room=other)])
    newest_first = home.listed()

    home.settings.change("bob", newest_first[-1], {"pinned": True})

    assert home.listed() == [newest_first[-1], *newest_first[:-1]]


def test_the_last_draft_stands_until_it_is_deleted() -> None:
    home = Home()

    for content in ("Te", "Tea?", ""):
        home.settings.save_draft("bob", ROOM, content)

    assert home.notices.events("bob") == ["draft.changed"] * 3
    (_, _, data) = home.notices.told[1]
    at = "2023-11-14T22:13:20.000Z"
    assert data == {"conversation_id": ROOM, "content": "Tea?", "updated_at": at}
    assert home.world.settings["bob", ROOM].draft == ""


def test_a_draft_is_no_longer_than_a_message() -> None:
    home = Home()

    with pytest.raises(TooLargeError):
        home.settings.save_draft("bob", ROOM, "x" * (MAX_CONTENT_BYTES + 1))

    assert home.settings.save_draft("bob", ROOM, "x" * MAX_CONTENT_BYTES).draft_at


def test_a_hidden_conversation_comes_back_with_its_next_message() -> None:
    home = Home()
    home.settings.hide("bob", ROOM)
    assert (ROOM in home.listed(), ROOM in home.listed("ann")) == (False, True)
    assert home.notices.events("bob") == ["conversation.hidden"]

    writer(home.world).deliver([record(1, 3, sender="ann")])

    assert ROOM in home.listed()


def test_a_conversation_without_messages_can_be_hidden_and_shown() -> None:
    home = Home()
    room = direct_id("bob", "cat")
    test_conversations.service(home.world).open_direct("bob", "cat")

    home.settings.hide("bob", room)
    assert room not in home.listed()
    home.settings.show("bob", room)

    assert room in home.listed()


def test_the_world_room_can_be_hidden() -> None:
    home = Home()

    home.settings.hide("bob", WORLD)

    assert WORLD not in home.listed()


def test_settings_of_others_conversations_are_refused() -> None:
    home = Home()

    with pytest.raises(NotMemberError):
        home.settings.change("cat", ROOM, {"pinned": True})
    with pytest.raises(NotMemberError):
        home.settings.save_draft("cat", ROOM, "Tea?")
    with pytest.raises(NotMemberError):
        home.settings.hide("cat", ROOM)

    assert (home.world.settings, home.notices.told) == ({}, [])
