"""The table `sessions`: one item for each device of a user; expires with its refresh token."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import Session
from chalicelib.repo.dynamodb import (
    attempt,
    call,
    encode_item,
    get_one,
    query_all,
    table,
)
from chalicelib.repo.queries import partition


class SessionRepository:
    """Reads strongly: a session that was ended is refused at once."""

    def __init__(self, store: JsonService, *, clock: Callable[[], float] = time.time) -> None:
        self._store = store
        self._clock = clock
        self._table = table("sessions")

    def put(self, session: Session) -> None:
        """Stores a session in place of the one that its device had."""
        call(self._store, "PutItem", TableName=self._table, Item=encode_item(_item(session)))

    def get(self, user_id: str, device_id: str) -> Session | None:
        """The session of a device."""
        item = get_one(self._store, self._table, _key(user_id, device_id))
        return _session(item) if item else None

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool:
        """Whether this is the device's session, and not over."""
        session = self.get(user_id, device_id)
        return (
            session is not None and session.id == session_id and session.expires_at > self._clock()
        )

    def of_user(self, user_id: str) -> list[Session]:
        """Every session of a user."""
        items = query_all(
            self._store,
            TableName=self._table,
            **partition("user_id", user_id),
        )
        return [_session(item) for item in items]

    def rotate(self, session: Session, *, spent_hash: str) -> bool:
        """Writes a prolonged session; False when ``spent_hash`` is not of the newest token."""
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(_key(session.user_id, session.device_id)),
            UpdateExpression=(
                "SET refresh_hash = :new, used_at = :used, expires_at = :expires, #ttl = :ttl"
            ),
            ConditionExpression="id = :id AND refresh_hash = :spent",
            ExpressionAttributeNames={"#ttl": "ttl"},
            ExpressionAttributeValues=encode_item(
                {
                    ":id": session.id,
                    ":spent": spent_hash,
                    ":new": session.refresh_hash,
                    ":used": session.used_at,
                    ":expires": session.expires_at,
                    ":ttl": int(session.expires_at),
                }
            ),
        )

    def delete(self, user_id: str, device_id: str, *, session_id: str | None = None) -> None:
        """Removes a device's session, or just the one that is named."""
        condition: dict[str, Any] = {}
        if session_id is not None:
            condition = {
                "ConditionExpression": "id = :id",
                "ExpressionAttributeValues": encode_item({":id": session_id}),
            }
        attempt(
            self._store,
            "DeleteItem",
            TableName=self._table,
            Key=encode_item(_key(user_id, device_id)),
            **condition,
        )


def _key(user_id: str, device_id: str) -> dict[str, Any]:
    return {"user_id": user_id, "device_id": device_id}


def _item(session: Session) -> dict[str, Any]:
    return {
        "user_id": session.user_id,
        "device_id": session.device_id,
        "id": session.id,
        "device_name": session.device_name,
        "refresh_hash": session.refresh_hash,
        "created_at": session.created_at,
        "used_at": session.used_at,
        "expires_at": session.expires_at,
        "ttl": int(session.expires_at),
    }


def _session(item: Mapping[str, Any]) -> Session:
    return Session(
        id=item["id"],
        user_id=item["user_id"],
        device_id=item["device_id"],
        device_name=item["device_name"],
        refresh_hash=item["refresh_hash"],
        created_at=item["created_at"],
        used_at=item["used_at"],
        expires_at=item["expires_at"],
    )
