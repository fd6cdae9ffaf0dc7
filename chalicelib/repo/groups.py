"""The table `groups`, the groups in it; `invitations` has the requests and links.

A group, its members (table `members`) and its head (table `conversations`) change in one
transaction, under the condition that the group still has the version that was read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, fields
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import (
    ConversationMember,
    ConversationType,
    Group,
    GroupChange,
    JoinPolicy,
    Standing,
)
from chalicelib.repo.dynamodb import (
    Item,
    attempt,
    encode_item,
    get_all,
    table,
    transact,
)
from chalicelib.repo.members import member_item, member_key, member_of

_GROUP = "group"


class GroupRepository:
    """Reads and changes groups."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("groups")
        self._members = table("members")
        self._heads = table("conversations")

    def get_groups(self, ids: Iterable[str]) -> dict[str, Group]:
        """The groups that exist, read strongly."""
        keys = [item_key(one, _GROUP) for one in dict.fromkeys(ids)]
        items = get_all(self._store, {self._table: keys})[self._table]
        return {item["pk"]: _group(item) for item in items}

    def standings(self, user_id: str, group_ids: Iterable[str]) -> dict[str, Standing]:
        """The groups that exist, and the user's row in each; read strongly in one call."""
        ids = list(dict.fromkeys(group_ids))
        wanted = {
            self._table: [item_key(one, _GROUP) for one in ids],
            self._members: [member_key(one, user_id) for one in ids],
        }
        found = get_all(self._store, wanted)
        rows = {item["conversation_id"]: member_of(item) for item in found[self._members]}
        groups = map(_group, found[self._table])
        return {one.id: Standing(one, rows.get(one.id)) for one in groups}

    def change(self, change: GroupChange) -> bool:
        """Writes a change, all of it or nothing.

        Returns:
            False when the group, or a row, is no longer as it was read.
        """
        return transact(self._store, list(self._writes(change)))

    def handed_on(self, group: Group) -> None:
        """Takes note that Kafka has the pending system line of this version."""
        attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(item_key(group.id, _GROUP)),
            UpdateExpression="SET pending = :none",
            ConditionExpression="version = :version",
            ExpressionAttributeValues=encode_item({":none": "", ":version": group.version}),
        )

    def _writes(self, change: GroupChange) -> Iterator[Item]:
        yield self._put_group(change)
        if change.old is None:
            yield self._put_head(change.new)
        for row in change.added:
            put = {"TableName": self._members, "Item": encode_item(member_item(row))}
            yield {"Put": {**put, "ConditionExpression": "attribute_not_exists(user_id)"}}
        for user_id in change.removed:
            key = encode_item(member_key(change.new.id, user_id))
            delete = {"TableName": self._members, "Key": key}
            yield {"Delete": {**delete, "ConditionExpression": "attribute_exists(user_id)"}}
        yield from map(self._update_member, change.updated)
        if change.answered:
            key = encode_item(item_key(change.new.id, f"request#{change.answered}"))
            delete = {"TableName": self._table, "Key": key}
            yield {"Delete": {**delete, "ConditionExpression": "attribute_exists(pk)"}}
        if change.link_id:
            yield self._use_link(change.new.id, change.link_id)

    def _put_group(self, change: GroupChange) -> Item:
        item = {**item_key(change.new.id, _GROUP), **asdict(change.new)}
        put = {
            "TableName": self._table,
            "Item": encode_item({**item, "join_policy": change.new.join_policy.value}),
            "ConditionExpression": "attribute_not_exists(pk)",
        }
        if change.old:
            put["ConditionExpression"] = "version = :old"
            put["ExpressionAttributeValues"] = encode_item({":old": change.old.version})
        return {"Put": put}

    def _put_head(self, group: Group) -> Item:
        head = {
            "id": group.id,
            "type": ConversationType.GROUP.value,
            "last_seq": 0,
            "created_at": group.created_at,
            "updated_at": group.created_at,
        }
        return {"Put": {"TableName": self._heads, "Item": encode_item(head)}}

    def _update_member(self, row: ConversationMember) -> Item:
        return {
            "Update": {
                "TableName": self._members,
                "Key": encode_item(member_key(row.conversation_id, row.user_id)),
                "UpdateExpression": "SET #role = :role, muted_until = :until",
                "ConditionExpression": "attribute_exists(user_id)",
                "ExpressionAttributeNames": {"#role": "role"},
                "ExpressionAttributeValues": encode_item(
                    {":role": row.role.value, ":until": row.muted_until}
                ),
            }
        }

    def _use_link(self, group_id: str, link_id: str) -> Item:
        return {
            "Update": {
                "TableName": self._table,
                "Key": encode_item(item_key(group_id, f"link#{link_id}")),
                "UpdateExpression": "SET uses = uses + :one",
                "ConditionExpression": "max_uses = :any OR uses < max_uses",
                "ExpressionAttributeValues": encode_item({":one": 1, ":any": 0}),
            }
        }


def item_key(group_id: str, sk: str) -> Item:
    """The key of an item in this table."""
    return {"pk": group_id, "sk": sk}


def _group(item: Mapping[str, Any]) -> Group:
    values = {one.name: item[one.name] for one in fields(Group)}
    return Group(**{**values, "join_policy": JoinPolicy(item["join_policy"])})
