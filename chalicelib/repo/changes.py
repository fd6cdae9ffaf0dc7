"""The table `changes`: what became of messages after they were stored.

| item | pk | seq | holds |
|---|---|---|---|
| message | conversation id | of the message | its last edit, reactions counted; for everybody |
| marks | conversation id, `#user#`, user id | of the message | a user's own reactions; hidden |
| pin | conversation id, `#pins` | of the message | who pinned it, and when |
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import Changed, OwnMarks, OwnReaction, Pin, Reaction
from chalicelib.repo.dynamodb import (
    Item,
    attempt,
    call,
    encode_item,
    get_all,
    query_all,
    table,
    transact,
    write_all,
)


class ChangeRepository:
    """Reads and writes changes."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("changes")

    def between(
        self, conversation_id: str, user_id: str, first: int, last: int
    ) -> tuple[dict[int, Changed], dict[int, OwnMarks]]:
        """What is stored on messages from ``first`` to ``last``, in general and of one user."""
        states = self._query(conversation_id, first, last)
        marks = self._query(_of_user(conversation_id, user_id), first, last)
        return (
            {item["seq"]: _changed(conversation_id, item) for item in states},
            {item["seq"]: _marks(conversation_id, user_id, item) for item in marks},
        )

    def get(self, conversation_id: str, seq: int, user_id: str) -> tuple[Changed, OwnMarks]:
        """What is stored on one message, read strongly; of version 0 where nothing is."""
        general = {"pk": conversation_id, "seq": seq}
        own = {"pk": _of_user(conversation_id, user_id), "seq": seq}
        items = get_all(self._store, {self._table: [general, own]})[self._table]
        found = {item["pk"]: item for item in items}
        return (
            _changed(conversation_id, found.get(general["pk"], general)),
            _marks(conversation_id, user_id, found.get(own["pk"], own)),
        )

    def put(self, new: Changed, marks: OwnMarks | None = None) -> bool:
        """Writes what became of a message, and with it what a user did, or nothing.

        Each with the version that was read; it is raised. Whether it is hidden stays as it is.

        Returns:
            False where one of the two was written since: read again.
        """
        if marks is None:
            return attempt(self._store, "PutItem", **self._put(new))
        reactions = {
            emoji: {"at": one.at, "id": one.id, "stands": one.stands}
            for emoji, one in marks.reactions.items()
        }
        pk = _of_user(new.conversation_id, marks.user_id)
        own = {
            "TableName": self._table,
            "Key": encode_item({"pk": pk, "seq": marks.seq}),
            "UpdateExpression": "SET reactions = :reactions, #version = :new",
            **_unchanged(marks.version, {":reactions": reactions, ":new": marks.version + 1}),
        }
        return transact(self._store, [{"Put": self._put(new)}, {"Update": own}])

    def forget(self, conversation_id: str, seqs: Iterable[int]) -> None:
        """Removes what became of messages that have lost their content."""
        calls = (
            (
                "DeleteItem",
                {
                    "TableName": self._table,
                    "Key": encode_item({"pk": conversation_id, "seq": seq}),
                },
            )
            for seq in seqs
        )
        write_all(self._store, calls)

    def hide(self, conversation_id: str, user_id: str, seq: int) -> None:
        """Notes that a user wants to see a message no more."""
        call(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"pk": _of_user(conversation_id, user_id), "seq": seq}),
            UpdateExpression="SET #hidden = :true",
            ExpressionAttributeNames={"#hidden": "hidden"},
            ExpressionAttributeValues=encode_item({":true": True}),
        )

    def pin(self, conversation_id: str, pin: Pin) -> bool:
        """Pins a message; False when it was pinned already."""
        item = {
            "pk": _pins(conversation_id),
            "seq": pin.seq,
            "pinned_by": pin.pinned_by,
            "pinned_at": pin.pinned_at,
        }
        return attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(item),
            ConditionExpression="attribute_not_exists(pk)",
        )

    def unpin(self, conversation_id: str, seq: int) -> bool:
        """Unpins a message; False when it was not pinned."""
        return attempt(
            self._store,
            "DeleteItem",
            TableName=self._table,
            Key=encode_item({"pk": _pins(conversation_id), "seq": seq}),
            ConditionExpression="attribute_exists(pk)",
        )

    def pins(self, conversation_id: str) -> list[Pin]:
        """The pinned messages of a conversation, the newest first."""
        items = reversed(self._query(_pins(conversation_id), 1, 2**53))
        return [Pin(**{key: item[key] for key in Pin.__slots__}) for item in items]

    def _query(self, pk: str, first: int, last: int) -> list[Item]:
        return query_all(
            self._store,
            TableName=self._table,
            KeyConditionExpression="pk = :pk AND seq BETWEEN :first AND :last",
            ExpressionAttributeValues=encode_item({":pk": pk, ":first": first, ":last": last}),
        )

    def _put(self, new: Changed) -> dict[str, Any]:
        item = {
            "pk": new.conversation_id,
            "seq": new.seq,
            "version": new.version + 1,
            "content": new.content,
            "edited_at": new.edited_at,
            "edit_id": new.edit_id,
            "reactions": {
                emoji: {"count": one.count, "user_ids": one.user_ids}
                for emoji, one in new.reactions.items()
            },
        }
        return {"TableName": self._table, "Item": encode_item(item), **_unchanged(new.version)}


def _unchanged(version: int, values: Item | None = None) -> dict[str, Any]:
    """The condition that an item has still this version, and all values of the expressions."""
    condition = "#version = :old" if version else "attribute_not_exists(#version)"
    values = {**(values or {}), **({":old": version} if version else {})}
    return {
        "ConditionExpression": condition,
        "ExpressionAttributeNames": {"#version": "version"},
        **({"ExpressionAttributeValues": encode_item(values)} if values else {}),
    }


def _of_user(conversation_id: str, user_id: str) -> str:
    return f"{conversation_id}#user#{user_id}"


def _pins(conversation_id: str) -> str:
    return f"{conversation_id}#pins"


def _changed(conversation_id: str, item: Item) -> Changed:
    reactions = item.get("reactions", {})
    return Changed(
        conversation_id=conversation_id,
        seq=item["seq"],
        version=item.get("version", 0),
        content=item.get("content"),
        edited_at=item.get("edited_at", ""),
        edit_id=item.get("edit_id", ""),
        reactions={
            emoji: Reaction(one["count"], tuple(one["user_ids"]))
            for emoji, one in reactions.items()
        },
    )


def _marks(conversation_id: str, user_id: str, item: Item) -> OwnMarks:
    return OwnMarks(
        conversation_id=conversation_id,
        user_id=user_id,
        seq=item["seq"],
        version=item.get("version", 0),
        reactions={
            emoji: OwnReaction(one["at"], one["id"], stands=one["stands"])
            for emoji, one in item.get("reactions", {}).items()
        },
        hidden=item.get("hidden", False),
    )
