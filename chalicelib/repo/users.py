"""The table `users`: an item for each user, and one for each name, so that names are unique.

| item | pk | holds |
|---|---|---|
| user | `user#` + user id | the profile; `initial` and `name_key` for the index `by_name` |
| name | `name#` + lower-case name | the id of the user who has it, or had |

Of a deleted user nothing is kept but the id, the name and when: both items stay, nobody finds them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from chalicelib.aws import JsonService
from chalicelib.models import User
from chalicelib.repo.dynamodb import (
    Item,
    attempt,
    encode_item,
    get_all,
    get_one,
    query_all,
    table,
    transact,
)

_BELOW_NAMES = " "  # sorts before every character of a user name
_ABOVE_NAMES = "~"  # and this one after
_THERE = "attribute_exists(pk) AND attribute_not_exists(deleted_at)"
_MOMENT = "%Y-%m-%dT%H:%M:%S.%f%z"  # as pynamodb wrote it


class UserRepository:
    """Users, by id and by name."""

    def __init__(self, store: JsonService) -> None:
        self._store = store
        self._table = table("users")

    def create(self, user: User) -> bool:
        """Stores a new user with their name; the same one again is no fault.

        Returns:
            False when somebody else has the name, or had it and was deleted.
        """
        name = {"pk": _name_key(user.username), "user_id": user.id}
        return transact(
            self._store,
            [
                {
                    "Put": {
                        **self._put(name),
                        "ConditionExpression": "attribute_not_exists(pk) OR user_id = :user",
                        "ExpressionAttributeValues": encode_item({":user": user.id}),
                    }
                },
                {
                    "Put": {
                        **self._put(_item(user)),
                        "ConditionExpression": "attribute_not_exists(deleted_at)",
                    }
                },
            ],
            lost=("ConditionalCheckFailed",),  # a conflict alone does not say who has the name
        )

    def get(self, user_id: str) -> User | None:
        """The user with this id, read strongly."""
        item = get_one(self._store, self._table, {"pk": _user_key(user_id)})
        return _user(item) if item and "deleted_at" not in item else None

    def get_many(self, user_ids: Iterable[str]) -> dict[str, User]:
        """The users that exist of these ids."""
        keys = [{"pk": _user_key(user_id)} for user_id in dict.fromkeys(user_ids)]
        items = get_all(self._store, {self._table: keys}, consistent=False)[self._table]
        return {item["user_id"]: _user(item) for item in items if "deleted_at" not in item}

    def by_name(self, username: str) -> User | None:
        """The user with this name, whatever its case, read strongly."""
        item = get_one(self._store, self._table, {"pk": _name_key(username)})
        return self.get(item["user_id"]) if item else None

    def set_password(self, user: User, password_hash: str) -> bool:
        """Replaces the password's hash; False when it is no longer the one in ``user``."""
        return self._update_where_password(user, {"password_hash": password_hash})

    def set_email(self, user: User, email: str) -> bool:
        """Replaces the address; False when the password is no longer the one in ``user``."""
        return self._update_where_password(user, {"email": email})

    def set_roles(self, user: User, roles: Iterable[str]) -> bool:
        """Replaces the roles; False when the user is gone."""
        return self._update(user, {"roles": list(roles)}, _THERE)

    def set_profile(self, user: User) -> bool:
        """Writes the members of the profile; False when the user is gone."""
        changes = {
            "nickname": user.nickname,
            "avatar": user.avatar,
            "signature": user.signature,
            "gender": user.gender,
            "updated_at": _text(user.updated_at),
        }
        return self._update(user, changes, _THERE)

    def erase(self, user_id: str, at: datetime) -> None:
        """Leaves nothing of a user but the id and when; no fault where that was done before."""
        left = {"pk": _user_key(user_id), "user_id": user_id, "deleted_at": _text(at)}
        attempt(self._store, "PutItem", **self._put(left), ConditionExpression=_THERE)

    def search(self, prefix: str, *, after: str, limit: int) -> list[User]:
        """Users by the beginning of their lower-case names, after one of them, in order."""
        bounds = {
            ":initial": prefix[0],
            ":from": after + _BELOW_NAMES if after else prefix,
            ":to": prefix + _ABOVE_NAMES,
        }
        items = query_all(
            self._store,
            TableName=self._table,
            IndexName="by_name",
            KeyConditionExpression="initial = :initial AND name_key BETWEEN :from AND :to",
            ExpressionAttributeValues=encode_item(bounds),
            ConsistentRead=False,
            Limit=limit,
        )
        return [_user(item) for item in items]

    def _put(self, item: Item) -> dict[str, Any]:
        return {"TableName": self._table, "Item": encode_item(item)}

    def _update_where_password(self, user: User, changes: Mapping[str, Any]) -> bool:
        return self._update(user, changes, "password_hash = :known", {":known": user.password_hash})

    def _update(
        self, user: User, changes: Mapping[str, Any], condition: str, values: Item | None = None
    ) -> bool:
        new = {f":{name}": value for name, value in changes.items()}
        return attempt(
            self._store,
            "UpdateItem",
            TableName=self._table,
            Key=encode_item({"pk": _user_key(user.id)}),
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            ConditionExpression=condition,
            ExpressionAttributeNames={f"#{name}": name for name in changes},
            ExpressionAttributeValues=encode_item({**new, **(values or {})}),
        )


def _user_key(user_id: str) -> str:
    return f"user#{user_id}"


def _name_key(username: str) -> str:
    return f"name#{username.lower()}"


def _text(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime(_MOMENT)


def _item(user: User) -> Item:
    key = user.username.lower()
    return {
        "pk": _user_key(user.id),
        "user_id": user.id,
        "initial": key[0],
        "name_key": key,
        "username": user.username,
        "password_hash": user.password_hash,
        "nickname": user.nickname,
        "avatar": user.avatar,
        "signature": user.signature,
        "gender": user.gender,
        "roles": list(user.roles),
        "email": user.email,
        "created_at": _text(user.created_at),
        "updated_at": _text(user.updated_at),
    }


def _user(item: Item) -> User:
    return User(
        id=item["user_id"],
        username=item["username"],
        password_hash=item["password_hash"],
        nickname=item["nickname"],
        avatar=item["avatar"],
        signature=item["signature"],
        gender=item["gender"],
        roles=tuple(item["roles"]),
        email=item.get("email", ""),  # older items have none
        created_at=datetime.fromisoformat(item["created_at"]),
        updated_at=datetime.fromisoformat(item["updated_at"]),
    )
