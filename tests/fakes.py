"""Fakes at the ports of the path of a message: one small in-memory world.

Every call passes `World.step`, before it takes effect and after: a test may raise there, which is
a process dying (or a store going away) at that point.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from chalicelib.logic.large_groups import PushChunk
from chalicelib.models import (
    Changed,
    Connection,
    ConversationMember,
    ConversationSettings,
    Group,
    Head,
    InviteLink,
    JoinRequest,
    Mention,
    OwnMarks,
    Pin,
    Placed,
    PushResult,
    RetentionMark,
    Segment,
    tombstone,
)
from chalicelib.repo.connections import MAX_PER_USER
from chalicelib.repo.messages import DEDUPLICATION_SECONDS


class CrashError(Exception):
    """The process died here."""


@dataclass
class World:
    """What survives a crash: the tables, the clients' sockets, the enqueued commands."""

    segments: dict[str, dict[int, Segment]] = field(default_factory=lambda: defaultdict(dict))
    blocks: dict[str, dict[int, tuple[bytes, int]]] = field(
        default_factory=lambda: defaultdict(dict)
    )
    heads: dict[str, Head] = field(default_factory=dict)
    marks: dict[str, RetentionMark] = field(default_factory=dict)
    members: dict[tuple[str, str], ConversationMember] = field(default_factory=dict)
    pointers: dict[tuple[str, str], int] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    requests: dict[tuple[str, str], JoinRequest] = field(default_factory=dict)
    links: dict[tuple[str, str], InviteLink] = field(default_factory=dict)
    users: dict[str, dict[str, Any]] = field(default_factory=dict)
    changes: dict[tuple[str, int], Changed] = field(default_factory=dict)
    own_marks: dict[tuple[str, str, int], OwnMarks] = field(default_factory=dict)
    pins: dict[tuple[str, int], Pin] = field(default_factory=dict)
    mentions: dict[tuple[str, str, int], Mention] = field(default_factory=dict)
    received: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    gone: set[str] = field(default_factory=set)
    drained: list[Connection] = field(default_factory=list)
    chunks: list[PushChunk] = field(default_factory=list)
    drained_later: list[Connection] = field(default_factory=list)
    settings: dict[tuple[str, str], ConversationSettings] = field(default_factory=dict)
    ended: list[str] = field(default_factory=list)
    closing: list[Connection] = field(default_factory=list)
    push_is_away: bool = False
    now: float = 1_700_000_000.0
    step: Callable[[str], None] = lambda _name: None

    def clock(self) -> float:
        return self.now

    def user(self, user_id: str, *connection_ids: str, world_seq: int = 0) -> None:
        self.users[user_id] = {"pk": user_id, "live": {}, "world_seq": world_seq}
        for connection_id in connection_ids:
            self.connect(user_id, connection_id)

    def connect(self, user_id: str, connection_id: str, at: float | None = None) -> Connection:
        one = Connection(
            id=connection_id,
            user_id=user_id,
            device_id="device",
            session_id="session",
            connected_at=self.now - 3600 if at is None else at,
            expires_at=self.now + 3600,
        )
        self.users[user_id]["live"][connection_id] = one
        return one

    def log(self, conversation_id: str) -> list[Placed]:
        stored = self.segments[conversation_id]
        return [one for seq in sorted(stored) for one in stored[seq].messages]


class FakeLog:
    def __init__(self, world: World) -> None:
        self._world = world

    def append(self, segments: Sequence[Segment]) -> list[bool]:
        results = []
        for segment in segments:
            self._world.step("before append")
            stored = self._world.segments[segment.conversation_id]
            results.append(segment.first_seq not in stored)
            stored.setdefault(segment.first_seq, segment)
            self._world.step("after append")
        return results

    def read_on(self, after: Mapping[str, int]) -> dict[str, list[Segment]]:
        return {
            key: [one for at, one in sorted(self._world.segments[key].items()) if at > seq]
            for key, seq in after.items()
        }

    def containing(self, conversation_id: str, seq: int) -> Segment | None:
        for segment in self._world.segments[conversation_id].values():
            if segment.first_seq <= seq <= segment.last_seq:
                return segment
        return None

    def after(self, conversation_id: str, seq: int, limit: int) -> list[Placed]:
        return [one for one in self._world.log(conversation_id) if one.seq > seq][:limit]

    def before(self, conversation_id: str, seq: int | None, limit: int) -> list[Placed]:
        messages = self._world.log(conversation_id)
        return [one for one in reversed(messages) if seq is None or one.seq < seq][:limit]

    def at(self, conversation_id: str, seqs: Iterable[int]) -> dict[int, Placed]:
        wanted = set(seqs)
        return {one.seq: one for one in self._world.log(conversation_id) if one.seq in wanted}

    def segments_from(self, conversation_id: str, seq: int, limit: int) -> list[Segment]:
        stored = sorted(self._world.segments[conversation_id].items())
        return [one for first, one in stored if first >= seq][:limit]

    def segments_before(self, conversation_id: str, seq: int, limit: int) -> list[Segment]:
        stored = sorted(self._world.segments[conversation_id].items(), reverse=True)
        return [one for first, one in stored if first < seq][:limit]

    def blank(self, segment: Segment, seqs: Container[int], mark: Mapping[str, Any]) -> bool:
        self._world.step("before blank")
        messages = tuple(tombstone(m, mark) if m.seq in seqs else m for m in segment.messages)
        stored = self._world.segments[segment.conversation_id]
        if messages == segment.messages:
            return True
        if stored[segment.first_seq].revision != segment.revision:
            return False
        new = replace(segment, messages=messages, revision=segment.revision + 1)
        stored[segment.first_seq] = new
        self._world.step("after blank")
        return True

    def mark_changed(self, segment: Segment) -> None:
        self._world.step("before mark of a segment")
        stored = self._world.segments[segment.conversation_id]
        old = stored[segment.first_seq]
        marked = tuple(replace(one, changed=True) for one in old.messages)
        stored[segment.first_seq] = replace(old, messages=marked, changed=True)

    def blocks(self, conversation_id: str) -> list[tuple[int, bytes]]:
        stored = sorted(self._world.blocks[conversation_id].items())
        return [(first, digests) for first, (digests, ttl) in stored if ttl > self._world.now]

    def seal(self, conversation_id: str, last_seq: int, digests: Sequence[bytes]) -> Any:
        ttl = int(self._world.now) + DEDUPLICATION_SECONDS
        return (conversation_id, last_seq - len(digests) + 1, b"".join(digests), ttl)

    def put_blocks(self, blocks: Sequence[Any]) -> None:
        for conversation_id, first, digests, ttl in blocks:
            self._world.step("before block")
            self._world.blocks[conversation_id][first] = (digests, ttl)
            self._world.step("after block")


class FakeHeads:
    def __init__(self, world: World) -> None:
        self._world = world

    def get_conversations(self, ids: Sequence[str]) -> Mapping[str, Head]:
        return {key: self._world.heads[key] for key in ids if key in self._world.heads}

    def create_conversation(self, head: Head) -> bool:
        created = head.id not in self._world.heads
        if created:
            self._world.heads[head.id] = Head(
                id=head.id,
                type=head.type,
                created_at=head.created_at,
                updated_at=head.created_at,
            )
        return created

    def sweep(self, start: str | None, limit: int) -> tuple[list[RetentionMark], str | None]:
        ids = [key for key in sorted(self._world.heads) if start is None or key > start]
        found = [
            self._world.marks.get(key)
            or RetentionMark(conversation_id=key, since=self._world.heads[key].created_at)
            for key in ids[:limit]
        ]
        return found, ids[limit - 1] if len(ids) > limit else None

    def mark_kept(self, mark: RetentionMark) -> None:
        self._world.step("before mark")
        head = self._world.heads[mark.conversation_id]
        if head.last_seq < mark.seq:
            self._world.heads[head.id] = replace(head, last="")
        self._world.marks[head.id] = mark

    def mark_changed(self, conversation_id: str, seq: int, *, blanked: bool = False) -> None:
        self._world.step("before mark of a head")
        head = self._world.heads[conversation_id]
        head = replace(head, changed_seq=max(head.changed_seq, seq))
        if blanked and head.last_seq == seq:
            head = replace(head, last="")
        self._world.heads[conversation_id] = head

    def advance(self, heads: Sequence[Head]) -> list[bool]:
        results = []
        for head in heads:
            self._world.step("before head")
            stored = self._world.heads.get(head.id)
            results.append(stored is None or stored.last_seq < head.last_seq)
            if results[-1]:
                created_at = stored.created_at if stored else head.updated_at
                changed_seq = stored.changed_seq if stored else 0
                self._world.heads[head.id] = replace(
                    head, created_at=created_at, changed_seq=changed_seq
                )
            self._world.step("after head")
        return results


class FakeMembers:
    def __init__(self, world: World) -> None:
        self._world = world

    def add(self, members: Sequence[ConversationMember]) -> None:
        for member in members:
            self._world.step("before member")
            self._world.members.setdefault((member.conversation_id, member.user_id), member)

    def get(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], ConversationMember]:
        return {pair: self._world.members[pair] for pair in pairs if pair in self._world.members}

    def of_user(self, user_id: str) -> list[ConversationMember]:
        return [one for one in self._world.members.values() if one.user_id == user_id]

    def page_of_user(self, user_id: str, *, after: str, limit: int) -> list[ConversationMember]:
        rows = sorted(self.of_user(user_id), key=lambda row: row.conversation_id)
        return [row for row in rows if row.conversation_id > after][:limit]

    def remove(self, pairs: Iterable[tuple[str, str]]) -> None:
        for pair in pairs:
            self._world.step("before removal")
            self._world.members.pop(pair, None)

    def roster(self, conversation_id: str) -> dict[str, int]:
        rows = self._world.members.values()
        return {
            one.user_id: one.joined_seq for one in rows if one.conversation_id == conversation_id
        }

    def page(
        self, conversation_id: str, *, start: str | None, limit: int
    ) -> tuple[list[ConversationMember], str | None]:
        users = sorted(one for one in self.roster(conversation_id) if one >= (start or ""))
        rows = [self._world.members[conversation_id, one] for one in users[:limit]]
        return rows, users[limit] if len(users) > limit else None

    def replace(self, old: ConversationMember, new: ConversationMember) -> bool:
        self._world.step("before replace")
        key = (old.conversation_id, old.user_id)
        stored = self._world.members.get(key)
        if stored is None or _place(stored) != _place(old):
            return False
        self._world.members[key] = replace(
            stored,
            read_seq=new.read_seq,
            delivered_seq=new.delivered_seq,
            own=new.own,
            own_seq=new.own_seq,
        )
        return True


def _place(row: ConversationMember) -> tuple[int, int, int]:
    return row.read_seq, row.delivered_seq, row.own_seq


class FakeOffline:
    def __init__(self, world: World) -> None:
        self._world = world

    def get(self, pairs: Iterable[tuple[str, str]]) -> Mapping[tuple[str, str], int]:
        return {pair: self._world.pointers[pair] for pair in pairs if pair in self._world.pointers}

    def of_user(self, user_id: str) -> Mapping[str, int]:
        return {key[1]: seq for key, seq in self._world.pointers.items() if key[0] == user_id}

    def some_of_user(self, user_id: str, limit: int) -> list[str]:
        return sorted(self.of_user(user_id))[:limit]

    def mark(self, pointers: Mapping[tuple[str, str], int]) -> None:
        for pair, seq in pointers.items():
            self._world.step("before pointer")
            self._world.pointers[pair] = min(seq, self._world.pointers.get(pair, seq))
            self._world.step("after pointer")

    def clear(self, user_id: str, conversation_id: str, up_to: int) -> bool:
        self._world.step("before clear")
        if self._world.pointers.get((user_id, conversation_id), up_to + 1) > up_to:
            return False
        del self._world.pointers[user_id, conversation_id]
        self._world.step("after clear")
        return True

    def remove(self, pairs: Iterable[tuple[str, str]]) -> None:
        for pair in pairs:
            self._world.step("before removal")
            self._world.pointers.pop(pair, None)

    def move(self, user_id: str, conversation_id: str, first_seq: int) -> bool:
        key = (user_id, conversation_id)
        if self._world.pointers.get(key, first_seq) >= first_seq:
            return False
        self._world.pointers[key] = first_seq
        return True


class FakeConnections:
    def __init__(self, world: World) -> None:
        self._world = world

    def open_user(self, user_id: str, world_seq: int) -> None:
        if user_id not in self._world.users:
            self._world.user(user_id, world_seq=world_seq)

    def close_user(self, user_id: str) -> None:
        if item := self._world.users.get(user_id):
            item["deleted_at"] = self._world.now

    def users(self, user_ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
        stored = {key: self._world.users[key] for key in user_ids if key in self._world.users}
        return {key: {**item, "live": dict(item["live"])} for key, item in stored.items()}

    def connections_in(self, item: Mapping[str, Any]) -> list[Connection]:
        return [one for one in item["live"].values() if one.expires_at > self._world.now]

    def live(self, user_ids: Iterable[str]) -> Mapping[str, list[Connection]]:
        self._world.step("live")
        return {key: self.connections_in(item) for key, item in self.users(user_ids).items()}

    def online(self) -> list[Connection]:
        return [one for item in self._world.users.values() for one in self.connections_in(item)]

    def registered(self) -> list[Connection]:
        return [one for item in self._world.users.values() for one in item["live"].values()]

    def add(self, connection: Connection) -> list[Connection]:
        self._world.step("before connection")
        self.open_user(connection.user_id, 0)
        live = self._world.users[connection.user_id]["live"]
        going: list[Connection] = []
        if connection.id not in live and len(live) >= MAX_PER_USER:
            going = [one for one in live.values() if one.expires_at <= self._world.now]
            going = going or [min(live.values(), key=lambda one: one.connected_at)]
            self.remove(connection.user_id, [one.id for one in going])
        live[connection.id] = connection
        self._world.step("after connection")
        return going

    def remove(self, user_id: str, connection_ids: Iterable[str], *, seen: bool = False) -> None:
        item = self._world.users.get(user_id, {"live": {}})
        for connection_id in connection_ids:
            if item["live"].pop(connection_id, None) and seen:
                item["last_seen"] = self._world.now


class FakePush:
    def __init__(self, world: World) -> None:
        self._world = world

    def post(self, connection_id: str, *texts: str) -> PushResult:
        return self.post_all({connection_id: texts})[connection_id]

    def post_all(self, posts: Mapping[str, Sequence[str]]) -> dict[str, PushResult]:
        results = {}
        for connection_id, texts in posts.items():
            self._world.step("before push")
            if self._world.push_is_away:
                results[connection_id] = PushResult.FAILED
                continue
            if connection_id in self._world.gone:
                results[connection_id] = PushResult.GONE
                continue
            self._world.received[connection_id].extend(texts)
            results[connection_id] = PushResult.SENT
            self._world.step("after push")
        return results

    def close(self, connection_ids: Sequence[str]) -> dict[str, PushResult]:
        results = self.look(connection_ids)
        if not self._world.push_is_away:
            self._world.gone.update(connection_ids)
        return results

    def look(self, connection_ids: Sequence[str]) -> dict[str, PushResult]:
        there = dict.fromkeys(connection_ids, PushResult.SENT)
        if self._world.push_is_away:
            return dict.fromkeys(there, PushResult.FAILED)
        return there | dict.fromkeys(there.keys() & self._world.gone, PushResult.GONE)


class FakeSessions:
    def __init__(self, *, revoked: bool = False) -> None:
        self.revoked = revoked

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool:
        return not self.revoked
