"""Notifying receivers who are offline, on their phones: decided beside a message's path.

Each step may happen again. A claim on user and conversation says for which message somebody is
notified, and until when of no further one; it is settled when SNS has it, so what was done is not
repeated, and what was interrupted is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Protocol

from chalicelib.errors import UnavailableError
from chalicelib.logic.conversations import ConversationView
from chalicelib.logic.push_payloads import Notification, payload, wording
from chalicelib.logic.push_policy import PushPolicy
from chalicelib.logic.push_receivers import PushReceiver, PushReceivers
from chalicelib.logic.webhook_fanout import StoredTogether
from chalicelib.models import WORLD, Group, PushDevice, PushNote, PushResult, User, is_group

_CHUNK = 100  # receivers, who are claimed, notified and settled together

Words = tuple[str, str]  # title and text


class Claims(Protocol):
    """What users were notified of."""

    def remove(self, user_id: str, device_id: str, *, endpoint: str = "") -> str: ...
    def claim(
        self, conversation_id: str, seqs: Mapping[str, int], *, now: float, until: float
    ) -> set[str]: ...
    def settle(self, conversation_id: str, seqs: Mapping[str, int]) -> None: ...


class Endpoints(Protocol):
    """Sends notifications."""

    def publish(self, notes: Sequence[PushNote]) -> Sequence[PushResult]: ...


class Sessions(Protocol):
    """Whether a device's session still stands."""

    def stands(self, user_id: str, device_id: str, session_id: str) -> bool: ...


class Groups(Protocol):
    """The stored groups."""

    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]: ...


class MobilePushService:
    """Notifies devices.

    Args:
        receivers: Who is to be notified.
        claims: What they were notified of.
        forget: Forgets a device that is notified no longer.
        endpoints: Sends notifications.
        sessions: Whether they are still logged in.
        conversations: Of a user, with what they have not read.
        users: Profiles, read only where names are shown.
        groups: Names of groups.
        policy: Whether and how.
        clock: Unix seconds.
    """

    def __init__(
        self,
        *,
        receivers: PushReceivers,
        claims: Claims,
        forget: Callable[[PushDevice], None],
        endpoints: Endpoints,
        sessions: Sessions,
        conversations: Callable[[str], Sequence[ConversationView]],
        users: Callable[[Iterable[str]], Mapping[str, User]],
        groups: Groups,
        policy: Callable[[], PushPolicy],
        clock: Callable[[], float],
    ) -> None:
        self._receivers = receivers
        self._claims = claims
        self._forget = forget
        self._endpoints = endpoints
        self._sessions = sessions
        self._conversations = conversations
        self._users = users
        self._groups = groups
        self._policy = policy
        self._clock = clock

    def look_ahead(self, stored: Sequence[StoredTogether]) -> None:
        """Finds out at once which of these are nobody's to be notified of.

        Raises:
            UnavailableError: The store is away.
        """
        policy = self._policy()
        if policy.is_on:
            self._receivers.look_ahead(stored, max_members=policy.max_group_members)

    def push(self, stored: StoredTogether) -> None:
        """Notifies of the newest of some messages of one conversation.

        Raises:
            UnavailableError: SNS did not take all, or the store is away; it is to come again.
        """
        policy = self._policy()
        if not policy.is_on:
            return
        found = self._receivers.of(stored, max_members=policy.max_group_members)
        failed = sum(
            self._notify(policy, stored.conversation_id, found[at : at + _CHUNK])
            for at in range(0, len(found), _CHUNK)
        )
        if failed:
            raise UnavailableError(f"SNS did not take the notifications of {failed} receivers")

    def _notify(self, policy: PushPolicy, room: str, found: Sequence[PushReceiver]) -> int:
        """Notifies some receivers; how many of them SNS did not take."""
        seqs = {one.user_id: int(one.message["seq"]) for one in found}
        now = self._clock()
        claimed = self._claims.claim(room, seqs, now=now, until=now + policy.collapse_seconds)
        receivers = [one for one in found if one.user_id in claimed]
        words = self._words(policy, room, receivers)
        sending = [
            (device, PushNote(endpoint=device.endpoint, message=text, collapse_id=room))
            for one in receivers
            for device, text in self._texts(one, words[one.message["id"]])
        ]
        results = self._endpoints.publish([note for _, note in sending]) if sending else ()
        failed = set()
        for (device, _), result in zip(sending, results, strict=True):
            if result is PushResult.GONE:
                self._forget(device)
            elif result is PushResult.FAILED:
                failed.add(device.user_id)
        self._claims.settle(room, {user_id: seqs[user_id] for user_id in claimed - failed})
        return len(failed)

    def _texts(self, one: PushReceiver, words: Words) -> Iterator[tuple[PushDevice, str]]:
        """The text for each device; none where the message was read meanwhile."""
        standing = [device for device in one.devices if self._stands(device)]
        if not standing:
            return
        views = {view.head.id: view for view in self._conversations(one.user_id)}
        own = views.get(one.message["conversation_id"])
        if own is None or own.member.read_seq >= one.message["seq"]:
            return
        views.pop(WORLD, None)
        now = self._clock()
        badge = sum(
            view.unread_count for view in views.values() if view.settings.muted_until <= now
        )
        told = Notification(message=one.message, title=words[0], text=words[1], badge=badge)
        for device in standing:
            yield device, payload(device.platform, told)

    def _stands(self, device: PushDevice) -> bool:
        """Without a log-out a session ends too; its device is found here."""
        if self._sessions.stands(device.user_id, device.device_id, device.session_id):
            return True
        self._forget(device)
        return False

    def _words(
        self, policy: PushPolicy, room: str, receivers: Sequence[PushReceiver]
    ) -> dict[str, Words]:
        """What may be shown of each message, by its id."""
        messages = {one.message["id"]: one.message for one in receivers}
        if not policy.show_content or not messages:
            return dict.fromkeys(messages, ("", policy.placeholder))
        users = self._users({one["sender_id"] for one in messages.values()})
        group = self._groups.get_groups((room,)).get(room) if is_group(room) else None
        return {
            message_id: wording(
                one,
                sender=_name(users.get(one["sender_id"])),
                group=group.name if group else "",
                placeholder=policy.placeholder,
            )
            for message_id, one in messages.items()
        }


def _name(user: User | None) -> str:
    return user.nickname or user.username if user else ""
