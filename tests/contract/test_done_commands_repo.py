from __future__ import annotations

from chalicelib.aws import JsonService
from chalicelib.repo.done_commands import KEPT_SECONDS, DoneCommandRepository
from chalicelib.repo.dynamodb import decode_item, encode_item, table


def test_a_command_is_done_once_it_is_and_forgotten_after_a_week(tables: JsonService) -> None:
    commands = DoneCommandRepository(tables, clock=lambda: 1000.0)

    assert not commands.is_done("charge#o1")
    commands.done("charge#o1")
    commands.done("charge#o1")

    assert commands.is_done("charge#o1")
    key = encode_item({"key": "charge#o1"})
    found = tables.call("GetItem", {"TableName": table("done-commands"), "Key": key})
    assert decode_item(found["Item"])["ttl"] == 1000 + KEPT_SECONDS
