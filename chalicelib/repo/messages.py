"""The table `messages`: the logs of the conversations, and the blocks of message digests.

| item | pk | seq | holds |
|---|---|---|---|
| segment | conversation id | number of its first message | messages, place in Kafka |
| block | conversation id + `#ids` | number of its first digest | 8 bytes a message; expires |
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import Placed, Segment
from chalicelib.repo.dynamodb import (
    Item,
    decode_item,
    encode_item,
    put_all,
    query_all,
    read_all,
    table,
    write_all,
)

DEDUPLICATION_SECONDS = 7 * 86_400
_PAGE = 100  # segments a query


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
        found = self._segments(conversation_id, "seq <= :seq", seq, ScanIndexForward=False, Limit=1)
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

    def seal(self, conversation_id: str, last_seq: int, digests: Sequence[bytes]) -> Item:
        """The block item with the digests that end with ``last_seq``, for `put_blocks`."""
        return {
            "pk": f"{conversation_id}#ids",
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
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues=encode_item({":pk": f"{conversation_id}#ids"}),
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
        "messages": "[" + ",".join(message.text for message in segment.messages) + "]",
        "source": segment.source,
        "offsets": [segment.first_offset, segment.last_offset],
    }


def _segment(item: Mapping[str, Any]) -> Segment:
    return Segment(
        conversation_id=item["pk"],
        messages=tuple(_messages(item["pk"], item["messages"])),
        source=item["source"],
        first_offset=item["offsets"][0],
        last_offset=item["offsets"][1],
    )


def _messages(conversation_id: str, text: str) -> Iterator[Placed]:
    for body in json.loads(text):
        again = json.dumps(body, ensure_ascii=False, separators=(",", ":"))
        yield Placed(conversation_id, body["seq"], body["sender_id"], body["id"], again)
