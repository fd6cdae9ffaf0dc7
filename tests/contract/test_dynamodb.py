"""Reading pages of DynamoDB."""

from __future__ import annotations

from uuid import uuid4

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import call, encode_item, query_all, table

_BYTES = 300_000  # three of them fill the 1 MB of a page


def test_a_limit_that_takes_several_pages_is_kept(tables: JsonService) -> None:
    shard = uuid4().hex
    for number in range(6):
        item = {"shard": shard, "due": f"{number}", "record": bytes(_BYTES)}
        call(tables, "PutItem", TableName=table("delayed"), Item=encode_item(item))

    found = query_all(
        tables,
        TableName=table("delayed"),
        KeyConditionExpression="#shard = :shard",
        ExpressionAttributeNames={"#shard": "shard"},
        ExpressionAttributeValues=encode_item({":shard": shard}),
        Limit=5,
    )

    assert [one["due"] for one in found] == ["0", "1", "2", "3", "4"]
