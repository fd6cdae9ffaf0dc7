"""Users who are only there to be members: rows written straight into the system's own store."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from boto3.dynamodb.types import TypeSerializer

from tests.e2e.client import User
from tests.e2e.operators import aws
from tests.e2e.system import System

_BATCH = 25
_TABLES = "lambchat-local-"


def people(system: System, count: int) -> list[str]:
    """Users who exist, and were never seen."""
    ids = [uuid.uuid4().hex for _ in range(count)]
    items = ({"pk": one, "sk": "live", "live": {}, "world_seq": 0} for one in ids)
    _put(system, "connections", items)
    return ids


def enrol(system: System, group_id: str, user_ids: Sequence[str]) -> None:
    """Makes members of them, as if they had been there from the beginning."""
    start = {"read_seq": 0, "delivered_seq": 0, "own": 0, "own_seq": 0, "joined_seq": 0}
    items = (
        {"conversation_id": group_id, "user_id": one, "role": "member", "muted_until": 0, **start}
        for one in user_ids
    )
    _put(system, "members", items)
    with contextlib.closing(aws(system, "dynamodb")) as client:
        client.update_item(
            TableName=_TABLES + "groups",
            Key={"pk": {"S": group_id}, "sk": {"S": "group"}},
            UpdateExpression="SET #large = :large ADD member_count :count, version :one",
            ExpressionAttributeNames={"#large": "large"},
            ExpressionAttributeValues={
                ":large": {"BOOL": len(user_ids) > 300},
                ":count": {"N": str(len(user_ids))},
                ":one": {"N": "1"},
            },
        )


def accounts(system: System, count: int) -> list[User]:
    """Users who can log in, registered side by side."""
    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(lambda at: User.new(system.url, f"m{at}"), range(count)))


def _put(system: System, table: str, items: Iterable[dict[str, Any]]) -> None:
    serializer = TypeSerializer()
    puts = [
        {"PutRequest": {"Item": {key: serializer.serialize(one) for key, one in item.items()}}}
        for item in items
    ]
    with contextlib.closing(aws(system, "dynamodb")) as client:

        def put(at: int) -> None:
            left = {_TABLES + table: puts[at : at + _BATCH]}
            while left:
                left = client.batch_write_item(RequestItems=left)["UnprocessedItems"]

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(put, range(0, len(puts), _BATCH)))
