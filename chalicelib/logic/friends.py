"""Friend requests and friendships."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, replace
from itertools import permutations
from typing import Any, Protocol

from chalicelib.errors import (
    AlreadyFriendsError,
    AlreadyPendingError,
    BlockedError,
    ConflictError,
    NotFoundError,
)
from chalicelib.logic.access import Directory
from chalicelib.logic.relations import Change, Relations, change, require_other
from chalicelib.models import FriendRequest, Relation, RequestStatus, rfc3339


class Tell(Protocol):
    """Tells every device of users what changed."""

    def __call__(self, user_ids: Iterable[str], event: str, data: Mapping[str, Any], /) -> None: ...


class FriendService:
    """Makes people friends, and ends it; both sides change in one transaction (APP-4, APP-5)."""

    def __init__(
        self,
        *,
        relations: Relations,
        directory: Directory,
        tell: Tell,
        clock: Callable[[], float],
    ) -> None:
        self._relations = relations
        self._directory = directory
        self._tell = tell
        self._clock = clock

    def request(
        self, user_id: str, other_id: str, message: str, *, request_id: str
    ) -> FriendRequest:
        """Asks somebody to be friends; where they had asked too, the two are friends now.

        Args:
            user_id: Who asks.
            other_id: Whom.
            message: What to say to them.
            request_id: Of the new request; the same one again gives the same request.

        Raises:
            SelfError, UserNotFoundError: There is no such other user.
            BlockedError: One of the two has blocked the other.
            AlreadyFriendsError, AlreadyPendingError: There is nothing to ask.
        """
        require_other(self._directory, user_id, other_id)
        if earlier := self._relations.request(user_id, "sent", request_id):
            return earlier
        now = rfc3339(self._clock())
        mine = FriendRequest(
            id=request_id,
            sender_id=user_id,
            receiver_id=other_id,
            message=message,
            created_at=now,
            updated_at=now,
        )
        made: list[FriendRequest] = []

        def decide(old: Relation) -> Change:
            new, made[:] = self._asked(old, mine)
            return new, made

        change(self._relations, user_id, other_id, decide)
        self._notify("friend.requested" if len(made) == 1 else "friend.accepted", made[-1])
        return made[0]

    def accept(self, user_id: str, request_id: str) -> FriendRequest:
        """Accepts a request that a user received; again, it answers the same.

        Raises:
            NotFoundError: The user received no such request.
            ConflictError: It was rejected.
        """
        return self._answer(user_id, request_id, RequestStatus.ACCEPTED)

    def reject(self, user_id: str, request_id: str) -> FriendRequest:
        """Rejects a request that a user received; again, it answers the same.

        Raises:
            NotFoundError: The user received no such request.
            ConflictError: It was accepted.
        """
        return self._answer(user_id, request_id, RequestStatus.REJECTED)

    def remove(self, user_id: str, friend_id: str) -> None:
        """Ends a friendship for both; no fault where there is none."""

        def decide(old: Relation) -> Change | None:
            return (replace(old, friends=False), ()) if old.friends else None

        if user_id != friend_id and change(self._relations, user_id, friend_id, decide):
            self._tell((user_id,), "friend.deleted", {"user_id": friend_id})
            self._tell((friend_id,), "friend.deleted", {"user_id": user_id})

    def _answer(self, user_id: str, request_id: str, status: RequestStatus) -> FriendRequest:
        request = self._received(user_id, request_id)
        answered = replace(request, status=status, updated_at=rfc3339(self._clock()))

        def decide(old: Relation) -> Change | None:
            if old.requests.get(request.sender_id) != request.id:
                return None
            friends = status is RequestStatus.ACCEPTED
            return replace(old, requests={}, friends=friends), (answered,)

        if change(self._relations, user_id, request.sender_id, decide):
            self._notify(f"friend.{status.value}", answered)
            return answered
        request = self._received(user_id, request_id)
        if request.status is not status:
            raise ConflictError(f"the request was {request.status.value}")
        return request

    def _asked(self, old: Relation, mine: FriendRequest) -> Change:
        if old.blocked_by:
            raise BlockedError("one of the two has blocked the other")
        if old.friends:
            raise AlreadyFriendsError
        if mine.sender_id in old.requests:
            raise AlreadyPendingError
        if mine.receiver_id not in old.requests:
            return replace(old, requests={mine.sender_id: mine.id}), [mine]
        crossing = old.requests[mine.receiver_id]
        theirs = self._relations.request(mine.sender_id, "received", crossing)
        if theirs is None:  # gone since the relation was read: this is refused, and asked again
            return old, []
        accepted = [
            replace(one, status=RequestStatus.ACCEPTED, updated_at=mine.created_at)
            for one in (mine, theirs)
        ]
        return replace(old, requests={}, friends=True), accepted

    def _received(self, user_id: str, request_id: str) -> FriendRequest:
        request = self._relations.request(user_id, "received", request_id)
        if request is None:
            raise NotFoundError("you have received no such friend request")
        return request

    def _notify(self, event: str, request: FriendRequest) -> None:
        for one, other in permutations((request.sender_id, request.receiver_id)):
            self._tell((one,), event, {**asdict(request), "user_id": other})
