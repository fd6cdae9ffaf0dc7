"""A fake at the ports of changes, in the same in-memory world as `fakes`."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from chalicelib.errors import MessageNotFoundError
from chalicelib.logic.directory import Directory
from chalicelib.logic.draft_options import OptionService
from chalicelib.logic.mentions import MentionService
from chalicelib.logic.policies import MessagePolicy
from chalicelib.logic.reading import MessageReader, ReadableMessages
from chalicelib.models import EVERYBODY, Attachment, Changed, Mention, OwnMarks, Pin
from tests.fakes import FakeConnections, FakeLog, FakeMembers, World
from tests.fakes_groups import group_access
from tests.fakes_relations import open_access


class FakeChanges:
    """What became of messages; `reads` counts how often somebody looked."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.reads = 0

    def between(
        self, conversation_id: str, user_id: str, first: int, last: int
    ) -> tuple[dict[int, Changed], dict[int, OwnMarks]]:
        self.reads += 1
        seqs = range(first, last + 1)
        states = ((seq, self._world.changes.get((conversation_id, seq))) for seq in seqs)
        marks = ((seq, self._world.own_marks.get((conversation_id, user_id, seq))) for seq in seqs)
        return (
            {seq: one for seq, one in states if one is not None},
            {seq: one for seq, one in marks if one is not None},
        )

    def get(self, conversation_id: str, seq: int, user_id: str) -> tuple[Changed, OwnMarks]:
        state = Changed(conversation_id=conversation_id, seq=seq)
        marks = OwnMarks(conversation_id=conversation_id, seq=seq, user_id=user_id)
        return (
            self._world.changes.get((conversation_id, seq), state),
            self._world.own_marks.get((conversation_id, user_id, seq), marks),
        )

    def put(self, new: Changed, marks: OwnMarks | None = None) -> bool:
        self._world.step("before change")
        room, seq = new.conversation_id, new.seq
        stored, own = self.get(room, seq, marks.user_id if marks else "")
        if stored.version != new.version or (marks and own.version != marks.version):
            return False
        self._world.changes[room, seq] = replace(new, version=new.version + 1)
        if marks:
            kept = replace(marks, version=marks.version + 1, hidden=own.hidden)
            self._world.own_marks[room, marks.user_id, seq] = kept
        self._world.step("after change")
        return True

    def forget(self, conversation_id: str, seqs: Iterable[int]) -> None:
        for seq in seqs:
            self._world.changes.pop((conversation_id, seq), None)

    def hide(self, conversation_id: str, user_id: str, seq: int) -> None:
        _, own = self.get(conversation_id, seq, user_id)
        self._world.own_marks[conversation_id, user_id, seq] = replace(own, hidden=True)

    def pin(self, conversation_id: str, pin: Pin) -> bool:
        key = (conversation_id, pin.seq)
        is_new = key not in self._world.pins
        self._world.pins.setdefault(key, pin)
        return is_new

    def unpin(self, conversation_id: str, seq: int) -> bool:
        return self._world.pins.pop((conversation_id, seq), None) is not None

    def pins(self, conversation_id: str) -> list[Pin]:
        found = sorted(self._world.pins.items(), reverse=True)
        return [pin for (room, _), pin in found if room == conversation_id]


class FakeMentions:
    """Mentions by user or `all`, conversation and number."""

    def __init__(self, world: World) -> None:
        self._world = world
        self.reads = 0

    def add(self, mentions: Sequence[Mention]) -> None:
        for one in mentions:
            self._world.step("before mention")
            self._world.mentions.setdefault(_key(one), one)

    def void(self, mentions: Sequence[Mention]) -> None:
        for one in mentions:
            self._world.step("before void")
            self._world.mentions[_key(one)] = replace(one, void=True)

    def between(
        self, user_id: str, ranges: Mapping[str, tuple[int, int]]
    ) -> dict[str, tuple[list[Mention], list[Mention]]]:
        def some(who: str, room: str, after: int, last: int) -> list[Mention]:
            rows = self._world.mentions.items()
            return [
                one
                for (user, key, seq), one in rows
                if (user, key) == (who, room) and after < seq <= last
            ]

        self.reads += 1
        return {
            room: (some(user_id, room, *where), some(EVERYBODY, room, *where))
            for room, where in ranges.items()
        }

    def erase(self, user_id: str, limit: int) -> bool:
        keys = [key for key in self._world.mentions if key[0] == user_id][:limit]
        for key in keys:
            del self._world.mentions[key]
        return bool(keys)


def mentions(world: World) -> MentionService:
    """The service over a world."""
    return MentionService(FakeMentions(world), world.clock)


def _key(one: Mention) -> tuple[str, str, int]:
    return one.user_id, one.conversation_id, one.seq


def reader(world: World) -> MessageReader:
    return MessageReader(FakeLog(world), FakeChanges(world), world.clock)


def readable(world: World) -> ReadableMessages:
    return ReadableMessages(open_access(_directory(world), world), reader(world))


def options(
    world: World,
    policy: MessagePolicy | None = None,
    *,
    attach: Callable[[str, str], Attachment] | None = None,
) -> OptionService:
    return OptionService(
        groups=group_access(world),
        places=FakeMembers(world),
        directory=_directory(world),
        messages=readable(world),
        attach=attach or _attach_nothing,
        policy=lambda: policy or MessagePolicy(),
    )


def _attach_nothing(_user_id: str, attachment_id: str) -> Attachment:
    raise MessageNotFoundError(attachment_id)


def _directory(world: World) -> Directory:
    return Directory(FakeConnections(world), world.clock)
