"""The table `settings`: what a user wants of a conversation; key: user and conversation."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import ConversationSettings
from chalicelib.repo.dynamodb import (
    Item,
    call,
    decode_item,
    encode_item,
    get_all,
    query_all,
    table,
    write_all,
)
from chalicelib.repo.queries import partition

_MEMBERS = [one.name for one in fields(ConversationSettings)]


class SettingsRepository:
    """Reads and changes settings; where none were made there is no item."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("settings")

    def get(self, pairs: Iterable[tuple[str, str]]) -> dict[tuple[str, str], ConversationSettings]:
        """The settings that exist of pairs of user and conversation, read strongly."""
        keys = [_key(*pair) for pair in dict.fromkeys(pairs)]
        items = get_all(self._store, {self._table: keys})[self._table]
        return {(item["user_id"], item["conversation_id"]): _settings(item) for item in items}

    def of_user(self, user_id: str) -> dict[str, ConversationSettings]:
        """A user's settings by conversation, read strongly."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("user_id", user_id),
        )
        return {item["conversation_id"]: _settings(item) for item in items}

    def change(
        self, user_id: str, conversation_id: str, changes: Mapping[str, Any]
    ) -> ConversationSettings:
        """Writes some members of `ConversationSettings`; the others stay as they are."""
        names = {f"#{at}": name for at, name in enumerate(changes)}
        values = {f":{at}": value for at, value in enumerate(changes.values())}
        result = call(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(_key(user_id, conversation_id)),
            UpdateExpression="SET " + ", ".join(f"#{at} = :{at}" for at in range(len(names))),
            ExpressionAttributeNames=names,
            ExpressionAttributeValues=encode_item(values),
            ReturnValues="ALL_NEW",
        )
        return _settings(decode_item(result["Attributes"]))

    def remove(self, user_id: str, conversation_ids: Iterable[str]) -> None:
        """Removes a user's settings of conversations; none is no fault."""
        keys = (encode_item(_key(user_id, one)) for one in conversation_ids)
        write_all(
            self._store, (("DeleteItem", {"TableName": self._table, "Key": key}) for key in keys)
        )


def _key(user_id: str, conversation_id: str) -> Item:
    return {"user_id": user_id, "conversation_id": conversation_id}


def _settings(item: Mapping[str, Any]) -> ConversationSettings:
    return ConversationSettings(**{name: item[name] for name in _MEMBERS if name in item})
