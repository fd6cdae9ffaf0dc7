"""The table `conversations`: one head item a conversation, derived from its log."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import ConversationType, Head, RetentionMark
from chalicelib.repo.dynamodb import (
    attempt,
    call,
    decode_item,
    encode,
    encode_item,
    get_all,
    table,
    write_all,
)


class ConversationRepository:
    """Reads heads, and advances them."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("conversations")

    def create_conversation(self, head: Head) -> bool:
        """Creates an empty conversation; False when it is there already."""
        item = {
            "id": head.id,
            "type": head.type.value,
            "last_seq": 0,
            "created_at": head.created_at,
            "updated_at": head.created_at,
        }
        return attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_not_exists(id)",
        )

    def get_conversations(self, ids: Sequence[str]) -> dict[str, Head]:
        """The heads that exist, read strongly."""
        keys = [{"id": one} for one in dict.fromkeys(ids)]
        items = get_all(self._store, {self._table: keys})[self._table]
        # One without a type was marked by `mark_changed` before its log's writer made it.
        return {item["id"]: _head(item) for item in items if "type" in item}

    def advance(self, heads: Sequence[Head]) -> list[bool]:
        """Moves heads forward; False where a stored head is as far already, or further."""
        results = write_all(self._store, (("UpdateItem", self._update(head)) for head in heads))
        return [result is not None for result in results]

    def restore(self, head: Head, seen: Head | None) -> bool:
        """Writes a head that was derived anew, back too; False where it is not as it was seen."""
        if seen is None:
            return self.advance([head])[0]
        update = self._update(head)
        values = {**update["ExpressionAttributeValues"], ":seen": encode(seen.last_seq)}
        changed = {"ConditionExpression": "last_seq = :seen", "ExpressionAttributeValues": values}
        return attempt(self._store, "UpdateItem", **{**update, **changed})

    def mark_changed(self, conversation_id: str, seq: int, *, blanked: bool = False) -> None:
        """Notes that a message was changed; of one that was blanked its copy in the head goes.

        There need be no head yet: the mark must stand before a head without it can.
        """
        key = {"TableName": self._table, "Key": encode_item({"id": conversation_id})}
        attempt(
            self._store,
            "UpdateItem",
            **key,
            UpdateExpression="SET changed_seq = :seq",
            ConditionExpression="attribute_not_exists(changed_seq) OR changed_seq < :seq",
            ExpressionAttributeValues=encode_item({":seq": seq}),
        )
        if blanked:
            attempt(
                self._store,
                "UpdateItem",
                **key,
                UpdateExpression="SET #last = :none",
                ConditionExpression="last_seq = :seq",
                ExpressionAttributeNames={"#last": "last"},
                ExpressionAttributeValues=encode_item({":none": "", ":seq": seq}),
            )

    def sweep(self, start: str | None, limit: int) -> tuple[list[RetentionMark], str | None]:
        """Some conversations, in no order, for who goes through all of them.

        This scans: never on the path of a request.

        Returns:
            How far each was blanked, and after which conversation to go on; None at the end.
        """
        where = {"ExclusiveStartKey": encode_item({"id": start})} if start else {}
        page = call(
            self._store,
            "Scan",
            TableName=self._table,
            ProjectionExpression="id, created_at, kept_seq, kept_since",
            Limit=limit,
            **where,
        )
        last = page.get("LastEvaluatedKey")
        marks = [_mark(decode_item(item)) for item in page["Items"]]
        return marks, decode_item(last)["id"] if last else None

    def mark_kept(self, mark: RetentionMark) -> None:
        """Notes how far a conversation was blanked, and blanks the last message in its head too."""
        key = {"TableName": self._table, "Key": encode_item({"id": mark.conversation_id})}
        attempt(
            self._store,
            "UpdateItem",
            **key,
            UpdateExpression="SET #last = :none",
            ConditionExpression="last_seq < :seq",
            ExpressionAttributeNames={"#last": "last"},
            ExpressionAttributeValues=encode_item({":none": "", ":seq": mark.seq}),
        )
        attempt(
            self._store,
            "UpdateItem",
            **key,
            UpdateExpression="SET kept_seq = :seq, kept_since = :since",
            ConditionExpression="attribute_exists(id)",
            ExpressionAttributeValues=encode_item({":seq": mark.seq, ":since": mark.since}),
        )

    def _update(self, head: Head) -> dict[str, Any]:
        values = {
            ":type": head.type.value,
            ":seq": head.last_seq,
            ":source": head.source,
            ":offset": head.offset,
            ":sealed": head.sealed_seq,
            ":digests": head.digests,
            ":sent": dict(head.sent),
            ":last": head.last,
            ":at": head.updated_at,
        }
        return {
            "TableName": self._table,
            "Key": encode_item({"id": head.id}),
            "ConditionExpression": "attribute_not_exists(last_seq) OR last_seq < :seq",
            "UpdateExpression": (
                "SET #type = :type, last_seq = :seq, #source = :source, #offset = :offset, "
                "sealed_seq = :sealed, digests = :digests, sent = :sent, #last = :last, "
                "updated_at = :at, created_at = if_not_exists(created_at, :at)"
            ),
            "ExpressionAttributeNames": {
                "#type": "type",
                "#source": "source",
                "#offset": "offset",
                "#last": "last",
            },
            "ExpressionAttributeValues": encode_item(values),
        }


def _mark(item: Mapping[str, Any]) -> RetentionMark:
    return RetentionMark(
        conversation_id=item["id"],
        seq=item.get("kept_seq", 1),
        since=item.get("kept_since", item.get("created_at", "")),
    )


def _head(item: Mapping[str, Any]) -> Head:
    return Head(
        id=item["id"],
        type=ConversationType(item["type"]),
        last_seq=item["last_seq"],
        source=item.get("source", ""),
        offset=item.get("offset", -1),
        sealed_seq=item.get("sealed_seq", 0),
        digests=item.get("digests", b""),
        sent=item.get("sent", {}),
        last=item.get("last", ""),
        changed_seq=item.get("changed_seq", 0),
        created_at=item.get("created_at", ""),
        updated_at=item.get("updated_at", ""),
    )
