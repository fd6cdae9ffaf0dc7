"""The table `members`: how far each member of a conversation has come.

Key: conversation and user; the index `by_user` lists a user's conversations.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import ConversationMember, Role
from chalicelib.repo.dynamodb import attempt, encode_item, get_all, query_all, table, write_all
from chalicelib.repo.queries import partition


class MemberRepository:
    """Reads and moves members' places."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("members")

    def add(self, members: Sequence[ConversationMember]) -> None:
        """Adds members that are not there yet; the others stay as they are."""
        calls = (
            (
                "PutItem",
                {
                    "TableName": self._table,
                    "Item": encode_item(member_item(member)),
                    "ConditionExpression": "attribute_not_exists(user_id)",
                },
            )
            for member in members
        )
        write_all(self._store, calls)

    def get(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ConversationMember]:
        """The members that exist of pairs of conversation and user, read strongly."""
        keys = [member_key(*pair) for pair in dict.fromkeys(pairs)]
        items = get_all(self._store, {self._table: keys})[self._table]
        return {(item["conversation_id"], item["user_id"]): member_of(item) for item in items}

    def of_user(self, user_id: str) -> list[ConversationMember]:
        """A user's memberships, from the index (eventually consistent)."""
        items = query_all(
            self._store,
            TableName=self._table,
            IndexName="by_user",
            ConsistentRead=False,
            **partition("user_id", user_id),
        )
        return [member_of(item) for item in items]

    def page_of_user(self, user_id: str, *, after: str, limit: int) -> list[ConversationMember]:
        """The same in part, in order of the conversations: those after one."""
        items = query_all(
            self._store,
            TableName=self._table,
            IndexName="by_user",
            ConsistentRead=False,
            KeyConditionExpression="user_id = :user AND conversation_id > :after",
            # No id sorts before a space, and an empty string can be no key.
            ExpressionAttributeValues=encode_item({":user": user_id, ":after": after or " "}),
            Limit=limit,
        )
        return [member_of(item) for item in items]

    def remove(self, pairs: Iterable[tuple[str, str]]) -> None:
        """Removes the members of pairs of conversation and user; none is no fault."""
        calls = (
            ("DeleteItem", {"TableName": self._table, "Key": encode_item(member_key(*pair))})
            for pair in pairs
        )
        write_all(self._store, calls)

    def roster(self, conversation_id: str) -> dict[str, int]:
        """Every member of a group with ``joined_seq``, read strongly."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("conversation_id", conversation_id),
            ProjectionExpression="user_id, joined_seq",
        )
        return {item["user_id"]: item["joined_seq"] for item in items}

    def page(
        self, conversation_id: str, *, start: str | None, limit: int
    ) -> tuple[list[ConversationMember], str | None]:
        """Members of a group in order of their ids, and with whom the next page starts."""
        items = query_all(
            self._store,
            TableName=self._table,
            KeyConditionExpression="conversation_id = :id AND user_id >= :start",
            # No id sorts before a space, and an empty string can be no key.
            ExpressionAttributeValues=encode_item({":id": conversation_id, ":start": start or " "}),
            Limit=limit + 1,
        )
        following = items[limit:]
        rows = [member_of(item) for item in items[:limit]]
        return rows, following[0]["user_id"] if following else None

    def replace(self, old: ConversationMember, new: ConversationMember) -> bool:
        """Writes ``read_seq``, ``delivered_seq`` and the count of own messages together.

        Returns:
            False when the stored row is no longer as ``old`` says: read it again.
        """
        return self._update(
            old,
            "SET read_seq = :read, delivered_seq = :delivered, own = :own, own_seq = :own_seq",
            "read_seq = :old_read AND delivered_seq = :old_delivered AND own_seq = :old_own_seq",
            {
                ":read": new.read_seq,
                ":delivered": new.delivered_seq,
                ":own": new.own,
                ":own_seq": new.own_seq,
                ":old_read": old.read_seq,
                ":old_delivered": old.delivered_seq,
                ":old_own_seq": old.own_seq,
            },
        )

    def _update(
        self, member: ConversationMember, update: str, condition: str, values: Mapping[str, Any]
    ) -> bool:
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(member_key(member.conversation_id, member.user_id)),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeValues=encode_item(values),
        )


def member_key(conversation_id: str, user_id: str) -> dict[str, Any]:
    """A row's key."""
    return {"conversation_id": conversation_id, "user_id": user_id}


def member_item(member: ConversationMember) -> dict[str, Any]:
    """A row as it is stored."""
    return {
        **member_key(member.conversation_id, member.user_id),
        "read_seq": member.read_seq,
        "delivered_seq": member.delivered_seq,
        "role": member.role.value,
        "own": member.own,
        "own_seq": member.own_seq,
        "joined_seq": member.joined_seq,
        "muted_until": member.muted_until,
    }


def member_of(item: Mapping[str, Any]) -> ConversationMember:
    """A row as it is used."""
    return ConversationMember(
        conversation_id=item["conversation_id"],
        user_id=item["user_id"],
        read_seq=item["read_seq"],
        delivered_seq=item["delivered_seq"],
        role=Role(item["role"]),
        own=item["own"],
        own_seq=item["own_seq"],
        joined_seq=item["joined_seq"],
        muted_until=item.get("muted_until", 0.0),
    )
