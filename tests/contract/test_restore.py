"""The commands of docs/operations/recovery.md that restore a table, one after the other."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore import xform_name

PAGE = Path(__file__).parents[2] / "docs" / "operations" / "recovery.md"
TABLE = "lambchat-contract-messages"


def steps() -> list[list[str]]:
    section = PAGE.read_text().split("## Restore from a backup")[1].split("\n## ")[0]
    blocks = "\n".join(re.findall(r"```sh\n(.*?)```", section, re.DOTALL))
    lines = blocks.replace("\\\n", " ").replace("lambchat-prod-", "lambchat-contract-")
    words = [shlex.split(line) for line in lines.splitlines()]
    return [one[2:] for one in words if one[:2] == ["aws", "dynamodb"]]


def value(text: str) -> Any:
    """`A=true,B=c` as the `aws` command reads it."""
    if "=" not in text:
        return text
    pairs = (pair.split("=") for pair in text.split(","))
    return {name: {"true": True}.get(word, word) for name, word in pairs}


def run(client: Any, operation: str, options: list[str]) -> Any:
    if operation == "wait":
        waiter = client.get_waiter(options.pop(0).replace("-", "_"))
        return waiter.wait(**arguments(client, "describe-table", options))
    method = getattr(client, operation.replace("-", "_"))
    return method(**arguments(client, operation, options))


def arguments(client: Any, operation: str, options: list[str]) -> dict[str, Any]:
    model = client.meta.service_model
    names = {xform_name(name, "-"): name for name in model.operation_names}
    members = model.operation_model(names[operation]).input_shape.members
    known = {xform_name(name, "-"): name for name in members}
    given: dict[str, Any] = {}
    while options:
        option = options.pop(0).removeprefix("--")
        if option.startswith("no-"):
            given[known[option[3:]]] = False
        elif not options or options[0].startswith("--"):
            given[known[option]] = True
        else:
            given[known[option]] = value(options.pop(0))
    return given


@pytest.mark.req("APP-18")
def test_a_restored_table_has_the_old_name_its_items_and_its_settings(moto: None) -> None:
    client = boto3.client("dynamodb")
    client.update_continuous_backups(
        TableName=TABLE, PointInTimeRecoverySpecification={"PointInTimeRecoveryEnabled": True}
    )
    item = {"pk": {"S": "d-ann-bob"}, "seq": {"N": "1"}, "messages": {"S": "[]"}}
    client.put_item(TableName=TABLE, Item=item)
    before = client.describe_table(TableName=TABLE)["Table"]

    backup = ""
    for operation, *options in steps():
        answer = run(client, operation, [backup if one == "<arn>" else one for one in options])
        if operation == "restore-table-to-point-in-time":
            client.delete_item(TableName=TABLE, Key={name: item[name] for name in ("pk", "seq")})
        backup = answer["BackupDetails"]["BackupArn"] if operation == "create-backup" else backup

    after = client.describe_table(TableName=TABLE)["Table"]
    kept = client.describe_continuous_backups(TableName=TABLE)["ContinuousBackupsDescription"]
    expiry = client.describe_time_to_live(TableName=TABLE)["TimeToLiveDescription"]
    assert client.scan(TableName=TABLE)["Items"] == [item]
    assert after["KeySchema"] == before["KeySchema"]
    assert after["DeletionProtectionEnabled"]
    assert kept["PointInTimeRecoveryDescription"]["PointInTimeRecoveryStatus"] == "ENABLED"
    assert expiry == {"TimeToLiveStatus": "ENABLED", "AttributeName": "ttl"}
