"""The table `messages`: the logs of the conversations, and the blocks of message digests.

| item | pk | seq | holds |
|---|---|---|---|
| segment | conversation id | number of its first message | messages, place in Kafka |
| block | conversation id + `#ids` | number of its first digest | 8 bytes a message; expires |
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import Placed, Segment, tombstone
from chalicelib.repo.dynamodb import (
    Item,
    attempt,
    decode_item,
    encode_item,
    put_all,
    query_all,
    read_all,
    table,
    write_all,
)
from chalicelib.repo.queries import partition
from chalicelib.repo.sweeps import scan_all

DEDUPLICATION_SECONDS = 7 * 86_400
_PAGE = 100  # segments a query
_BLOCKS = "#ids"  # after a conversation's id
_NEAREST: Mapping[str, Any] = {"ScanIndexForward": False, "Limit": 1}


class MessageRepository:
    """Commits and reads segments."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("messages")

    def append(self, segments: Sequence[Segment]) -> list[bool]:
        """Puts segments of different conversations, each only where no item has its key.

        Returns:
            For each whether it is committed; False where its place is taken.

        Raises:
            UnavailableError: For one it is not known; read the log before trying again.
        """
        calls = (
            (
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": encode_item(_item(segment)),
                    "ConditionExpression": "attribute_not_exists(pk)",
                },
            )
            for segment in segments
        )
        return [result is not None for result in write_all(self._store, calls)]

    def read_on(self, after: Mapping[str, int]) -> dict[str, list[Segment]]:
        """Of several conversations every segment that begins after a number, read strongly."""
        calls = [("Query", self._query(key, "seq > :seq", seq)) for key, seq in after.items()]
        found: dict[str, list[Segment]] = {}
        for key, page in zip(after, read_all(self._store, calls), strict=True):
            found[key] = [_segment(decode_item(item)) for item in page["Items"]]
            if "LastEvaluatedKey" in page:
                found[key] += self._segments(key, "seq > :seq", found[key][-1].first_seq)
        return found

    def containing(self, conversation_id: str, seq: int) -> Segment | None:
        """The segment that has the message ``seq``."""
        found = self._segments(conversation_id, "seq <= :seq", seq, **_NEAREST)
        return found[0] if found and found[0].last_seq >= seq else None

    def after(self, conversation_id: str, seq: int, limit: int) -> list[Placed]:
        """Up to ``limit`` messages after ``seq``, oldest first."""
        first = self.containing(conversation_id, seq + 1)
        start = first.last_seq if first else seq
        messages = [one for one in first.messages if one.seq > seq] if first else []
        while len(messages) < limit:
            page = self._segments(conversation_id, "seq > :seq", start, Limit=_PAGE)
            for segment in page:
                messages.extend(segment.messages)
                start = segment.last_seq
            if len(page) < _PAGE:
                break
        return messages[:limit]

    def before(self, conversation_id: str, seq: int | None, limit: int) -> list[Placed]:
        """Up to ``limit`` messages before ``seq`` (None: the newest), the nearest first."""
        messages: list[Placed] = []
        end = 2**53 if seq is None else seq
        while len(messages) < limit and end > 1:
            page = self._segments(
                conversation_id, "seq < :seq", end, ScanIndexForward=False, Limit=_PAGE
            )
            for segment in page:
                messages.extend(one for one in reversed(segment.messages) if one.seq < end)
                end = segment.first_seq
            if len(page) < _PAGE:
                break
        return messages[:limit]

    def at(self, conversation_id: str, seqs: Iterable[int]) -> dict[int, Placed]:
        """The messages with these numbers that exist."""
        wanted = set(seqs)
        calls = [
            ("Query", {**self._query(conversation_id, "seq <= :seq", seq), **_NEAREST})
            for seq in wanted
        ]
        items = [item for page in read_all(self._store, calls) for item in page["Items"]]
        segments = [_segment(decode_item(item)) for item in items]
        return {one.seq: one for found in segments for one in found.messages if one.seq in wanted}

    def segments_from(self, conversation_id: str, seq: int, limit: int) -> list[Segment]:
        """Up to ``limit`` segments that begin with ``seq`` or later, oldest first."""
        return self._segments(conversation_id, "seq >= :seq", seq, Limit=limit)

    def segments_before(self, conversation_id: str, seq: int, limit: int) -> list[Segment]:
        """Up to ``limit`` segments that begin before ``seq``, the latest first."""
        return self._segments(
            conversation_id, "seq < :seq", seq, ScanIndexForward=False, Limit=limit
        )

    def conversations(self) -> Iterator[str]:
        """The conversation of each segment; scans: never on the path of a request."""
        seen = scan_all(self._store, TableName=self._table, ProjectionExpression="pk")
        return (item["pk"] for item in seen if not item["pk"].endswith(_BLOCKS))

    def blank(self, segment: Segment, seqs: Container[int], mark: Mapping[str, Any]) -> bool:
        """Replaces messages of a segment by tombstones; nothing else ever changes its messages.

        Args:
            segment: As it was read.
            seqs: Which of its messages; those that are tombstones already stay as they are.
            mark: Says why, see `tombstone`.

        Returns:
            False where it was changed since it was read: read it again.
        """
        messages = tuple(tombstone(m, mark) if m.seq in seqs else m for m in segment.messages)
        if messages == segment.messages:
            return True
        old, new = segment.revision, segment.revision + 1
        unchanged = "#revision = :old" if old else "attribute_not_exists(#revision)"
        values = {":messages": _texts(messages), ":new": new, **({":old": old} if old else {})}
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"pk": segment.conversation_id, "seq": segment.first_seq}),
            UpdateExpression="SET #messages = :messages, #revision = :new",
            ConditionExpression=f"attribute_exists(pk) AND {unchanged}",
            ExpressionAttributeNames={"#messages": "messages", "#revision": "revision"},
            ExpressionAttributeValues=encode_item(values),
        )

    def mark_changed(self, segment: Segment) -> None:
        """Notes that the table of changes has something on a message of a segment.

        The mark stands beside the messages: it is written once, never with them, and stays.
        """
        if segment.changed:
            return
        attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"pk": segment.conversation_id, "seq": segment.first_seq}),
            UpdateExpression="SET changed = :true",
            ConditionExpression="attribute_exists(pk) AND attribute_not_exists(changed)",
            ExpressionAttributeValues=encode_item({":true": True}),
        )

    def seal(self, conversation_id: str, last_seq: int, digests: Sequence[bytes]) -> Item:
        """The block item with the digests that end with ``last_seq``, for `put_blocks`."""
        return {
            "pk": conversation_id + _BLOCKS,
            "seq": last_seq - len(digests) + 1,
            "digests": b"".join(digests),
            "ttl": int(self._clock()) + DEDUPLICATION_SECONDS,
        }

    def put_blocks(self, blocks: Sequence[Item]) -> None:
        """Writes blocks; a repetition writes the same again."""
        put_all(self._store, self._table, blocks)

    def blocks(self, conversation_id: str) -> list[tuple[int, bytes]]:
        """The blocks that have not expired: number of the first digest, digests."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("pk", conversation_id + _BLOCKS),
        )
        return [(item["seq"], item["digests"]) for item in items if item["ttl"] > self._clock()]

    def _segments(self, conversation_id: str, where: str, seq: int, **more: Any) -> list[Segment]:
        items = query_all(self._store, **self._query(conversation_id, where, seq), **more)
        return [_segment(item) for item in items]

    def _query(self, conversation_id: str, where: str, seq: int) -> dict[str, Any]:
        return {
            "TableName": self._table,
            "ConsistentRead": True,
            "KeyConditionExpression": f"pk = :pk AND {where}",
            "ExpressionAttributeValues": encode_item({":pk": conversation_id, ":seq": seq}),
        }


def _item(segment: Segment) -> Item:
    return {
        "pk": segment.conversation_id,
        "seq": segment.first_seq,
        "messages": _texts(segment.messages),
        "source": segment.source,
        "offsets": [segment.first_offset, segment.last_offset],
    }


def _segment(item: Mapping[str, Any]) -> Segment:
    changed = item.get("changed", False)
    return Segment(
        conversation_id=item["pk"],
        messages=tuple(_messages(item["pk"], item["messages"], changed)),
        source=item["source"],
        first_offset=item["offsets"][0],
        last_offset=item["offsets"][1],
        revision=item.get("revision", 0),
        changed=changed,
    )


def _texts(messages: Iterable[Placed]) -> str:
    return "[" + ",".join(message.text for message in messages) + "]"


def _messages(conversation_id: str, text: str, changed: bool) -> Iterator[Placed]:
    for body in json.loads(text):
        again = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        yield Placed(conversation_id, body["seq"], body["sender_id"], body["id"], again, changed)
