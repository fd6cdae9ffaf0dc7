from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.errors import NotMemberError
from chalicelib.logic.directory import Directory
from chalicelib.logic.search import Query, SearchService
from chalicelib.models import (
    WORLD,
    ConversationMember,
    Group,
    Placed,
    Segment,
    direct_id,
)
from tests.fakes import FakeConnections, FakeLog, FakeMembers, World
from tests.fakes_relations import open_access

pytestmark = pytest.mark.req("APP-12")
BOB, CAT = direct_id("ann", "bob"), direct_id("ann", "cat")


def placed(text: str, seq: int = 1, room: str = BOB, **more: Any) -> Placed:
    body = {"seq": seq, "type": "text", "content": text, **more}
    return Placed(room, seq, "bob", f"m{seq}", json.dumps(body))


class Library:
    """Ann's conversations; `seen` stands in for edits, recalls and what she deleted for herself."""

    def __init__(self, budget_bytes: int = 2**20) -> None:
        self.world = World()
        for user in ("ann", "bob", "cat"):
            self.world.user(user)
        self.seen: dict[int, Placed] = {}
        self.queries = 0
        library = self

        class Log(FakeLog):
            def segments_before(self, room: str, seq: int, limit: int) -> list[Segment]:
                library.queries += 1
                return super().segments_before(room, seq, limit)

        self.service = SearchService(
            access=open_access(
                Directory(FakeConnections(self.world), self.world.clock), self.world
            ),
            log=Log(self.world),
            memberships=FakeMembers(self.world),
            seen_by=self.seen_by,
            budget_bytes=budget_bytes,
        )

    def seen_by(self, _user_id: str, messages: Sequence[Placed]) -> list[Placed]:
        return [self.seen.get(one.seq, one) for one in messages]

    def write(self, room: str, *texts: str, joined: int = 0, each: int = 2) -> None:
        """Messages in segments of so many; ann is in the conversation."""
        messages = [placed(text, seq, room) for seq, text in enumerate(texts, 1)]
        for at in range(0, len(messages), each):
            segment = Segment(
                conversation_id=room,
                messages=tuple(messages[at : at + each]),
                source="TASKS-0",
                first_offset=at,
                last_offset=at,
            )
            self.world.segments[room][segment.first_seq] = segment
        row = ConversationMember(conversation_id=room, user_id="ann", joined_seq=joined)
        self.world.members[room, "ann"] = row

    def find(self, text: str, room: str = "", limit: int = 50) -> list[tuple[str, int]]:
        """Everything, over all pages."""
        found: list[tuple[str, int]] = []
        position = None
        while True:
            page, position = self.service.search(
                "ann", Query(text), conversation_id=room, position=position, limit=limit
            )
            assert len(page) <= limit
            found += [(one.conversation_id, one.seq) for one in page]
            if position is None:
                return found


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("hello", "Hello, world"),
        ("wor hel", "Hello, world"),
        ("UBER", "Wir sind über alle Berge"),
        ("strasse", "in der Straße"),
        ("cafe", "cafe\u0301"),
        ("世界", "你好世界"),
        ("привет", "ПРИВЕТ!"),
        ("42", "answer: 42."),
        ("c++", "I write c"),
    ],
)
def test_words_are_found_by_their_beginnings_whatever_case_and_accents(
    query: str, text: str
) -> None:
    assert Query(query).fits(placed(text))


@pytest.mark.parametrize(
    ("query", "text"), [("ello", "hello"), ("hello bob", "hello"), ("世人", "世界")]
)
def test_other_texts_do_not_fit(query: str, text: str) -> None:
    assert not Query(query).fits(placed(text))


def test_the_name_of_an_attachment_is_searched_and_no_system_line() -> None:
    assert Query("invoice").fits(placed("", attachment={"id": "a", "name": "Invoice 7.pdf"}))
    assert not Query("joined").fits(placed('{"event":"joined"}', type="system"))


@pytest.mark.parametrize("text", ["", "  ", "?!", "\u0301"])
def test_without_a_letter_or_digit_there_is_nothing_to_search_for(text: str) -> None:
    assert not Query(text)


def test_all_conversations_are_searched_each_from_its_end() -> None:
    library = Library()
    library.write(BOB, "tea", "coffee", "tea please", "no")
    library.write(CAT, "green tea")

    assert library.find("tea") == [(BOB, 3), (BOB, 1), (CAT, 1)]


def test_one_conversation_is_searched_alone() -> None:
    library = Library()
    library.write(BOB, "tea")
    library.write(CAT, "tea")

    assert library.find("tea", CAT) == [(CAT, 1)]


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
def test_pages_have_everything_once(limit: int) -> None:
    library = Library()
    library.write(BOB, *["tea"] * 7, each=3)
    library.write(CAT, *["tea"] * 4)

    expected = [(BOB, seq) for seq in range(7, 0, -1)] + [(CAT, seq) for seq in range(4, 0, -1)]
    assert library.find("tea", limit=limit) == expected


def test_a_request_looks_at_so_much_and_the_next_one_goes_on() -> None:
    library = Library(budget_bytes=1)
    library.write(BOB, *["coffee"] * 120, each=1)
    library.write(CAT, "tea")

    first, position = library.service.search("ann", Query("tea"), limit=5)

    assert (first, position, library.queries) == ([], (BOB, 71), 1)
    assert library.find("tea") == [(CAT, 1)]


def test_what_came_meanwhile_disturbs_no_later_page() -> None:
    library = Library()
    library.write(BOB, *["tea"] * 4)
    _, position = library.service.search("ann", Query("tea"), limit=2)

    library.write(BOB, *["tea"] * 9)
    page, _ = library.service.search("ann", Query("tea"), position=position, limit=2)

    assert [one.seq for one in page] == [2, 1]


def test_an_edited_message_is_found_by_what_it_says_now() -> None:
    library = Library()
    library.write(BOB, "tea", "tea", "coffee")
    library.seen = {1: placed("", 1, recalled=True), 3: placed("tea after all", 3)}

    assert library.find("tea") == [(BOB, 3), (BOB, 2)]
    assert library.find("coffee") == []


def group(library: Library, **other: Any) -> str:
    made = Group(
        id="g-1", name="g", owner_id="bob", member_count=2, created_at="", updated_at="", **other
    )
    library.world.groups[made.id] = made
    return made.id


def test_in_a_group_nothing_is_found_of_the_time_before_joining() -> None:
    library = Library()
    room = group(library)
    library.write(room, "tea", "tea", "tea", joined=2)

    assert library.find("tea") == [(room, 3)]
    assert library.find("tea", room) == [(room, 3)]


def test_in_a_group_that_was_left_nothing_is_found() -> None:
    library = Library()
    room = group(library)
    library.write(room, "tea", "tea")
    library.write(BOB, "tea")
    _, position = library.service.search("ann", Query("tea"), limit=2)
    del library.world.members[room, "ann"]

    assert library.find("tea") == [(BOB, 1)]
    assert position == (room, 2)
    page, _ = library.service.search("ann", Query("tea"), position=position, limit=2)
    assert page == []
    with pytest.raises(NotMemberError):
        library.find("tea", room)


def test_a_cursor_that_somebody_wrote_opens_nothing() -> None:
    library = Library()
    library.write(direct_id("bob", "cat"), "tea")
    del library.world.members[direct_id("bob", "cat"), "ann"]

    found = library.service.search(
        "ann", Query("tea"), position=(direct_id("bob", "cat"), 9), limit=2
    )

    assert found == ([], None)


def test_the_world_room_is_searched_only_by_its_id() -> None:
    library = Library()
    library.write(WORLD, "tea")

    assert library.find("tea") == []
    assert library.find("tea", WORLD) == [(WORLD, 1)]
