"""How two users stand, and changing it when others change it at the same moment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from chalicelib.errors import SelfError, UnavailableError, UserNotFoundError
from chalicelib.logic.access import Directory
from chalicelib.models import FriendRequest, Relation

_ATTEMPTS = 10  # two people and their devices: each failure is somebody else's success

# What a decision gives: how the two stand then, and the requests that it makes or answers.
Change = tuple[Relation, Sequence[FriendRequest]]


class Relations(Protocol):
    """The stored relations."""

    def get(self, one: str, other: str) -> Relation: ...
    def replace(
        self, old: Relation, new: Relation, requests: Sequence[FriendRequest] = ()
    ) -> bool: ...
    def request(self, user_id: str, direction: str, request_id: str) -> FriendRequest | None: ...


def change(
    relations: Relations, one: str, other: str, decide: Callable[[Relation], Change | None]
) -> bool:
    """Changes how two users stand, in one transaction.

    Args:
        relations: Where it is stored.
        one: The one user.
        other: The other.
        decide: Gets how they stand now; None leaves it so. Asked again when somebody else was
            faster.

    Returns:
        Whether this call changed something.

    Raises:
        UnavailableError: Others were faster again and again.
    """
    for _ in range(_ATTEMPTS):
        old = relations.get(one, other)
        decided = decide(old)
        if decided is None:
            return False
        if relations.replace(old, *decided):
            return True
    raise UnavailableError("others keep changing how these two stand")


def require_other(directory: Directory, user_id: str, other_id: str) -> None:
    """Refuses oneself and nobody.

    Raises:
        SelfError: It is the user themselves.
        UserNotFoundError: There is no such user.
    """
    if user_id == other_id:
        raise SelfError("user_id: expected the id of another user")
    if not directory.exists(other_id):
        raise UserNotFoundError("user_id: there is no such user")
