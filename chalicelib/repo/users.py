"""The table `users`: an item for each user, and one for each name, so that names are unique.

| item | pk | holds |
|---|---|---|
| user | `user#` + user id | the profile; `initial` and `name_key` for the index `by_name` |
| name | `name#` + lower-case name | the id of the user who has it, or had |

Of a deleted user nothing is kept but the id, the name and when: both items stay, nobody finds them.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from pynamodb.attributes import ListAttribute, UnicodeAttribute, UTCDateTimeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.expressions.condition import Condition
from pynamodb.indexes import AllProjection, GlobalSecondaryIndex
from pynamodb.models import Model
from pynamodb.transactions import TransactWrite

from chalicelib.models import User
from chalicelib.repo.pynamo import Guard, connection, guarded, is_condition, on_table, unguarded

_BELOW_NAMES = " "  # sorts before every character of a user name
_ABOVE_NAMES = "~"  # and this one after


class _ByName(GlobalSecondaryIndex["_Item"]):  # type: ignore[no-untyped-call]  # pynamodb
    class Meta:
        index_name = "by_name"
        projection = AllProjection()

    initial = UnicodeAttribute(hash_key=True)
    name_key = UnicodeAttribute(range_key=True)


class _Item(Model):
    """Either kind: a client of pynamodb costs 50 ms, and each model has its own."""

    pk = UnicodeAttribute(hash_key=True)
    user_id = UnicodeAttribute()
    initial = UnicodeAttribute(null=True)
    name_key = UnicodeAttribute(null=True)
    username = UnicodeAttribute(null=True)
    password_hash = UnicodeAttribute(null=True)
    nickname = UnicodeAttribute(null=True)
    avatar = UnicodeAttribute(null=True)
    signature = UnicodeAttribute(null=True)
    gender = UnicodeAttribute(null=True)
    roles = ListAttribute(of=UnicodeAttribute, null=True)
    email = UnicodeAttribute(null=True)
    created_at = UTCDateTimeAttribute(null=True)
    updated_at = UTCDateTimeAttribute(null=True)
    deleted_at = UTCDateTimeAttribute(null=True)
    by_name = _ByName()


class UserRepository:
    """Users, by id and by name."""

    def __init__(self, guard: Guard = unguarded) -> None:
        self.guard = guard
        self._items = on_table(_Item, "users")
        self._connection = connection()

    @guarded
    def create(self, user: User) -> bool:
        """Stores a new user with their name; the same one again is no fault.

        Returns:
            False when somebody else has the name, or had it and was deleted.
        """
        name = self._items(_name_key(user.username), user_id=user.id)
        free = self._items.pk.does_not_exist() | (self._items.user_id == user.id)
        not_deleted = self._items.deleted_at.does_not_exist()
        try:
            with TransactWrite(connection=self._connection) as transaction:
                transaction.save(name, condition=free)
                transaction.save(self._item(user), condition=not_deleted)
        except PynamoDBException as error:
            if is_condition(error):
                return False
            raise
        return True

    @guarded
    def get(self, user_id: str) -> User | None:
        """The user with this id, read strongly."""
        try:
            item = self._items.get(_user_key(user_id), consistent_read=True)
        except self._items.DoesNotExist:
            return None
        return None if item.deleted_at else _user(item)

    @guarded
    def get_many(self, user_ids: Iterable[str]) -> dict[str, User]:
        """The users that exist of these ids."""
        keys = [_user_key(user_id) for user_id in dict.fromkeys(user_ids)]
        items = self._items.batch_get(keys) if keys else ()
        return {item.user_id: _user(item) for item in items if not item.deleted_at}

    def by_name(self, username: str) -> User | None:
        """The user with this name, whatever its case, read strongly."""
        user_id = self._id_of(_name_key(username))
        return self.get(user_id) if user_id else None

    @guarded
    def _id_of(self, name_key: str) -> str | None:
        try:
            return self._items.get(name_key, consistent_read=True).user_id
        except self._items.DoesNotExist:
            return None

    def set_password(self, user: User, password_hash: str) -> bool:
        """Replaces the password's hash; False when it is no longer the one in ``user``."""
        item = self._item(user)
        return self._update(
            item,
            [self._items.password_hash.set(password_hash)],
            self._items.password_hash == user.password_hash,
        )

    def set_email(self, user: User, email: str) -> bool:
        """Replaces the address; False when the password is no longer the one in ``user``."""
        return self._update(
            self._item(user),
            [self._items.email.set(email)],
            self._items.password_hash == user.password_hash,
        )

    def set_roles(self, user: User, roles: Iterable[str]) -> bool:
        """Replaces the roles; False when the user is gone."""
        there = self._items.pk.exists() & self._items.deleted_at.does_not_exist()
        given: list[Any] = list(roles)  # pynamodb's stubs want its attributes
        return self._update(self._item(user), [self._items.roles.set(given)], there)

    def set_profile(self, user: User) -> bool:
        """Writes the members of the profile; False when the user is gone."""
        items = self._items
        actions = [
            items.nickname.set(user.nickname),
            items.avatar.set(user.avatar),
            items.signature.set(user.signature),
            items.gender.set(user.gender),
            items.updated_at.set(user.updated_at),
        ]
        there = items.pk.exists() & items.deleted_at.does_not_exist()
        return self._update(self._item(user), actions, there)

    @guarded
    def erase(self, user_id: str, at: datetime) -> None:
        """Leaves nothing of a user but the id and when; no fault where that was done before."""
        there = self._items.pk.exists() & self._items.deleted_at.does_not_exist()
        try:
            self._items(_user_key(user_id), user_id=user_id, deleted_at=at).save(condition=there)
        except PynamoDBException as error:
            if not is_condition(error):
                raise

    @guarded
    def search(self, prefix: str, *, after: str, limit: int) -> list[User]:
        """Users by the beginning of their lower-case names, after one of them, in order."""
        names = self._items.name_key.between(
            after + _BELOW_NAMES if after else prefix, prefix + _ABOVE_NAMES
        )
        found = self._items.by_name.query(prefix[0], names, limit=limit)
        return [_user(item) for item in found]

    @guarded
    def _update(self, item: _Item, actions: list[Any], condition: Condition) -> bool:
        try:
            item.update(actions=actions, condition=condition)
        except PynamoDBException as error:
            if is_condition(error):
                return False
            raise
        return True

    def _item(self, user: User) -> _Item:
        key = user.username.lower()
        return self._items(
            _user_key(user.id),
            user_id=user.id,
            initial=key[0],
            name_key=key,
            username=user.username,
            password_hash=user.password_hash,
            nickname=user.nickname,
            avatar=user.avatar,
            signature=user.signature,
            gender=user.gender,
            roles=list(user.roles),
            email=user.email,
            created_at=user.created_at,
            updated_at=user.updated_at,
        )


def _user_key(user_id: str) -> str:
    return f"user#{user_id}"


def _name_key(username: str) -> str:
    return f"name#{username.lower()}"


def _user(item: _Item) -> User:
    return User(
        id=item.user_id,
        username=item.username,
        password_hash=item.password_hash,
        nickname=item.nickname,
        avatar=item.avatar,
        signature=item.signature,
        gender=item.gender,
        roles=tuple(str(role) for role in item.roles),
        email=item.email or "",  # older items have none
        created_at=item.created_at,
        updated_at=item.updated_at,
    )
