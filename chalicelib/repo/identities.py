"""The table `identities`: whom the subjects of other issuers are here.

| item | pk | sk | holds |
|---|---|---|---|
| identity | hash of issuer and subject | `identity` | issuer, subject, user id, `pending` |
| of a user | user id | the same hash | issuer, subject; to find and forget them |

An identity is pending until its account stands.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any
from uuid import uuid4

from chalicelib.aws import AwsError, JsonService
from chalicelib.models import LinkedIdentity
from chalicelib.repo.dynamodb import (
    Item,
    attempt,
    call,
    encode_item,
    get_one,
    query_all,
    table,
    unavailable,
)
from chalicelib.repo.queries import partition

_RACES = ("ConditionalCheckFailed", "TransactionConflict")


class IdentityRepository:
    """Reads strongly; an identity belongs to one account."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("identities")

    def get(self, issuer: str, subject: str) -> LinkedIdentity | None:
        """The identity, if it is known."""
        item = get_one(self._store, self._table, _key(issuer, subject))
        return _identity(item) if item else None

    def claim(self, identity: LinkedIdentity) -> LinkedIdentity:
        """Stores an identity unless somebody has it.

        Returns:
            The one that is stored now.

        Raises:
            UnavailableError: The store refused, is away, or others write at the same moment.
        """
        key = _key(identity.issuer, identity.subject)
        body = {"issuer": identity.issuer, "subject": identity.subject}
        item = {**key, **body, "user_id": identity.user_id, "pending": identity.pending}
        of_user = {"pk": identity.user_id, "sk": key["pk"], **body}
        writes = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": encode_item(item),
                    "ConditionExpression": "attribute_not_exists(pk)",
                }
            },
            {"Put": {"TableName": self._table, "Item": encode_item(of_user)}},
        ]
        arguments = {"TransactItems": writes, "ClientRequestToken": uuid4().hex}
        result = self._store.call_all((("TransactWriteItems", arguments),))[0]
        if not isinstance(result, AwsError):
            return identity
        stored = None
        if any(race in f"{result.code} {result.message}" for race in _RACES):
            stored = self.get(identity.issuer, identity.subject)
        if stored is None:
            raise unavailable(result) from result
        return stored

    def settle(self, identity: LinkedIdentity) -> None:
        """Takes note that the account stands."""
        attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item(_key(identity.issuer, identity.subject)),
            UpdateExpression="SET pending = :no",
            ConditionExpression="user_id = :user",
            ExpressionAttributeValues=encode_item({":no": False, ":user": identity.user_id}),
        )

    def of_user(self, user_id: str) -> list[tuple[str, str]]:
        """Issuer and subject of each identity of a user."""
        return [(item["issuer"], item["subject"]) for item in self._items_of(user_id)]

    def forget(self, user_id: str) -> None:
        """Removes every identity of a user, whose account is to be erased."""
        for item in self._items_of(user_id):
            for key in (_key(item["issuer"], item["subject"]), {"pk": user_id, "sk": item["sk"]}):
                call(self._store, "DeleteItem", TableName=self._table, Key=encode_item(key))

    def _items_of(self, user_id: str) -> list[Item]:
        return query_all(
            self._store,
            TableName=self._table,
            **partition("pk", user_id),
        )


def _key(issuer: str, subject: str) -> Item:
    """Hashed, for both may be long; no user id is as long as a hash."""
    text = f"{issuer}\0{subject}"
    return {"pk": hashlib.sha256(text.encode()).hexdigest(), "sk": "identity"}


def _identity(item: Mapping[str, Any]) -> LinkedIdentity:
    return LinkedIdentity(
        issuer=item["issuer"],
        subject=item["subject"],
        user_id=item["user_id"],
        pending=item["pending"],
    )
