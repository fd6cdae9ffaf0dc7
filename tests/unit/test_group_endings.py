"""How groups end, with the process dying at every point."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.logic import group_endings as module
from chalicelib.models import JoinRequest, Role
from tests.fakes import CrashError
from tests.fakes_groups import grouped
from tests.unit.test_group_changes import CTX, ROOM, Groups, parts

pytestmark = pytest.mark.req("APP-15", "TASK-6")
__all__ = ["parts"]
OTHER = "g-2"


def events(parts: Groups) -> list[str]:
    return [line["event"] for line in parts.lines()]


def test_a_member_leaves_with_a_line(parts: Groups) -> None:
    for _ in range(2):
        parts.endings.leave(CTX, "bob", [ROOM])

    assert parts.roles() == {"ann": "owner"}
    assert events(parts) == ["group.member_left"]


def test_what_somebody_owns_goes_to_the_admin_who_was_there_longest(parts: Groups) -> None:
    parts.members.add(CTX, "ann", ROOM, ["cat", "dan"])
    for user, joined in (("cat", 7), ("dan", 5)):
        parts.role(user, Role.ADMIN)
        row = parts.world.members[ROOM, user]
        parts.world.members[ROOM, user] = replace(row, joined_seq=joined)

    parts.endings.leave(CTX, "ann", [ROOM])

    assert parts.roles() == {"bob": "member", "cat": "admin", "dan": "owner"}
    assert parts.group.owner_id == "dan"
    assert events(parts)[1:] == ["group.transferred", "group.member_left"]


def test_or_without_admins_to_the_member_who_was(
    parts: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_ROSTER_PAGE", 1)
    grouped(parts.world, ROOM, "cat", "dan", "bob", "ann")
    late = replace(parts.world.members[ROOM, "ann"], joined_seq=3)
    parts.world.members[ROOM, "ann"] = late

    parts.endings.leave(CTX, "cat", [ROOM])

    assert parts.roles() == {"ann": "member", "bob": "owner", "dan": "member"}


def test_a_group_of_nobody_else_is_dismissed(parts: Groups) -> None:
    grouped(parts.world, OTHER, "ann")

    parts.endings.leave(CTX, "ann", [OTHER, ROOM])

    assert parts.world.groups[OTHER].dismissed
    assert parts.cleared_later == [OTHER]
    assert (OTHER, "ann") not in parts.world.members
    assert parts.roles() == {"bob": "owner"}


def test_who_joins_meanwhile_becomes_the_owner(parts: Groups) -> None:
    grouped(parts.world, ROOM, "ann")
    parts.world.members.pop((ROOM, "bob"))
    heirs = iter([None, "bob"])
    parts.endings._heir = lambda *_: next(heirs)  # type: ignore[method-assign, assignment]
    parts.invitations.join(CTX, "bob", ROOM, "")

    parts.endings.leave(CTX, "ann", [ROOM])

    assert parts.roles() == {"bob": "owner"}
    assert parts.cleared_later == []


def test_an_heir_who_leaves_meanwhile_is_none(parts: Groups) -> None:
    parts.members.add(CTX, "ann", ROOM, ["cat"])
    parts.meanwhile(lambda: parts.members.leave(CTX, "bob", ROOM))

    parts.endings.leave(CTX, "ann", [ROOM])

    assert parts.roles() == {"cat": "owner"}


def test_while_others_keep_changing_the_group_it_is_tried_later(parts: Groups) -> None:
    parts.endings._hand_over = lambda *_: None  # type: ignore[method-assign]

    with pytest.raises(UnavailableError):
        parts.endings.leave(CTX, "ann", [ROOM])


def test_rows_of_dismissed_and_unknown_groups_go(parts: Groups) -> None:
    grouped(parts.world, OTHER, "ann", dismissed=True)
    row = parts.world.members[OTHER, "ann"]
    parts.world.members["g-3", "ann"] = replace(row, conversation_id="g-3")

    parts.endings.leave(CTX, "ann", [OTHER, "g-3"])

    assert set(parts.world.members) == {(ROOM, "ann"), (ROOM, "bob")}


def leave_all(parts: Groups) -> None:
    parts.endings.leave(CTX, "ann", [ROOM, OTHER])


def dying_at(place: int) -> tuple[Groups, Callable[[str], None], list[str]]:
    made, passed = Groups(), list[str]()
    grouped(made.world, ROOM, "ann", "bob")
    grouped(made.world, OTHER, "ann")

    def step(name: str) -> None:
        passed.append(name)
        if len(passed) == place:
            raise CrashError

    made.world.step = step
    return made, step, passed


@pytest.mark.parametrize("place", range(1, 12))
def test_a_process_that_dies_leaves_nothing_behind_when_it_is_repeated(place: int) -> None:
    parts, _, passed = dying_at(place)

    for _ in range(2):
        try:
            leave_all(parts)
        except CrashError:
            continue

    assert len(passed) >= 7
    assert parts.roles() == {"bob": "owner"}
    assert (OTHER, "ann") not in parts.world.members
    assert parts.world.groups[OTHER].dismissed
    assert OTHER in parts.cleared_later
    assert [group.pending for group in parts.world.groups.values()] == ["", ""]
    assert sorted(events(parts)) == ["group.dismissed", "group.member_left", "group.transferred"]


def test_the_rows_of_a_dismissed_group_go_in_steps(
    parts: Groups, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "PAGE", 2)
    grouped(parts.world, OTHER, "ann", "bob", "cat", dismissed=True)
    asked = JoinRequest(group_id=OTHER, user_id="dan", created_at="now")
    parts.world.requests[OTHER, "dan"] = asked
    parts.world.pointers = {("cat", OTHER): 1, ("cat", ROOM): 1}

    steps = [parts.endings.clear(OTHER) for _ in range(3)]

    assert steps == [True, True, False]
    assert set(parts.world.members) == {(ROOM, "ann"), (ROOM, "bob")}
    assert parts.world.requests == {}
    assert parts.world.pointers == {("cat", ROOM): 1}


def test_a_group_that_goes_on_keeps_its_rows(parts: Groups) -> None:
    assert not parts.endings.clear(ROOM)
    assert not parts.endings.clear("g-9")

    assert parts.roles() == {"ann": "owner", "bob": "member"}
