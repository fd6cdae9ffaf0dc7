"""The table `push-tokens`: where a user's devices are notified, and what was notified lately.

| item | sk | holds |
|---|---|---|
| devices | `devices` | map of devices: platform, SNS endpoint, session |
| sent | `sent#` and a conversation's id | of which message, until when of no other; expires |
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chalicelib.aws import AwsError, JsonService
from chalicelib.errors import LimitReachedError
from chalicelib.models import PushDevice, PushPlatform
from chalicelib.repo.dynamodb import (
    Item,
    attempt,
    call,
    decode_item,
    encode_item,
    get_all,
    table,
    write_all,
)

MAX_PER_USER = 30
_DEVICES = "devices"
_CLAIMABLE = (
    "attribute_not_exists(seq) OR held_until <= :now"
    " OR (seq = :seq AND attribute_not_exists(pushed))"
)


class PushTokenRepository:
    """Devices by user, and claims by user and conversation."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("push-tokens")

    def of(self, user_ids: Iterable[str]) -> dict[str, list[PushDevice]]:
        """The devices of each user that has some, read strongly."""
        keys = [_key(user_id, _DEVICES) for user_id in dict.fromkeys(user_ids)]
        items = get_all(self._store, {self._table: keys})[self._table]
        return {item["user_id"]: _devices(item) for item in items if item["devices"]}

    def put(self, device: PushDevice) -> str:
        """Stores a device; the endpoint that it had before, or nothing.

        Raises:
            LimitReachedError: The user has too many.
        """
        first = {**_key(device.user_id, _DEVICES), "devices": {}}
        attempt(
            self._store,
            "PutItem",
            TableName=self._table,
            Item=encode_item(first),
            ConditionExpression="attribute_not_exists(sk)",
        )
        entry = {
            "platform": device.platform.value,
            "endpoint": device.endpoint,
            "session": device.session_id,
            "at": device.registered_at,
        }
        try:
            return self._change(
                device.user_id,
                device.device_id,
                "SET devices.#id = :entry",
                "size(devices) < :most OR attribute_exists(devices.#id)",
                {":entry": entry, ":most": MAX_PER_USER},
            )
        except AwsError as error:
            raise LimitReachedError(f"at most {MAX_PER_USER} devices are notified") from error

    def remove(self, user_id: str, device_id: str, *, endpoint: str = "") -> str:
        """Removes a device, or just if it has this endpoint; the one that it had, or nothing."""
        condition = "attribute_exists(devices.#id)"
        values = {}
        if endpoint:
            condition, values = "devices.#id.endpoint = :endpoint", {":endpoint": endpoint}
        try:
            return self._change(user_id, device_id, "REMOVE devices.#id", condition, values)
        except AwsError:
            return ""

    def remove_all(self, user_id: str) -> list[str]:
        """Removes a user's devices; their endpoints."""
        answer = call(
            self._store,
            "DeleteItem",
            TableName=self._table,
            Key=encode_item(_key(user_id, _DEVICES)),
            ReturnValues="ALL_OLD",
        )
        return list(_endpoints(answer).values())

    def claim(
        self, conversation_id: str, seqs: Mapping[str, int], *, now: float, until: float
    ) -> set[str]:
        """Users who are to be notified of a message now: nobody else may before ``until``.

        A claim for the same message stands until it is settled, so a repetition has it too.
        """
        calls = [
            self._update(
                user_id,
                conversation_id,
                UpdateExpression="SET seq = :seq, held_until = :until, #ttl = :ttl REMOVE pushed",
                ConditionExpression=_CLAIMABLE,
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues=encode_item(
                    {":seq": seq, ":now": now, ":until": until, ":ttl": int(until) + 3600}
                ),
            )
            for user_id, seq in seqs.items()
        ]
        results = write_all(self._store, calls)
        return {user_id for user_id, one in zip(seqs, results, strict=True) if one is not None}

    def settle(self, conversation_id: str, seqs: Mapping[str, int]) -> None:
        """Notes that these users were notified of these messages."""
        write_all(
            self._store,
            [
                self._update(
                    user_id,
                    conversation_id,
                    UpdateExpression="SET pushed = :true",
                    ConditionExpression="seq = :seq",
                    ExpressionAttributeValues=encode_item({":true": True, ":seq": seq}),
                )
                for user_id, seq in seqs.items()
            ],
        )

    def _update(self, user_id: str, conversation_id: str, **more: Any) -> tuple[str, Item]:
        key = encode_item(_key(user_id, f"sent#{conversation_id}"))
        return "UpdateItem", {"TableName": self._table, "Key": key, **more}

    def _change(
        self, user_id: str, device_id: str, update: str, condition: str, values: Item
    ) -> str:
        """Changes a device's entry; the endpoint in the one before."""
        more = {"ExpressionAttributeValues": encode_item(values)} if values else {}
        answer = call(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(_key(user_id, _DEVICES)),
            UpdateExpression=update,
            ConditionExpression=condition,
            ExpressionAttributeNames={"#id": device_id},
            ReturnValues="UPDATED_OLD",
            **more,
        )
        # DynamoDB Local answers with the user's other devices, too.
        return _endpoints(answer).get(device_id, "")


def _key(user_id: str, sk: str) -> Item:
    return {"user_id": user_id, "sk": sk}


def _endpoints(answer: Mapping[str, Any]) -> dict[str, str]:
    old = decode_item(answer.get("Attributes") or {})
    return {name: entry["endpoint"] for name, entry in old.get("devices", {}).items()}


def _devices(item: Item) -> list[PushDevice]:
    return [
        PushDevice(
            user_id=item["user_id"],
            device_id=device_id,
            session_id=entry["session"],
            platform=PushPlatform(entry["platform"]),
            endpoint=entry["endpoint"],
            registered_at=entry["at"],
        )
        for device_id, entry in item["devices"].items()
    ]
