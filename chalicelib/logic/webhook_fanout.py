"""Which receivers are to be told of a message: a post for each, decided beside its path."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from chalicelib.change_frames import ALL
from chalicelib.logic.audiences import Audience
from chalicelib.models import (
    Bot,
    ChangeKind,
    ContentType,
    Hears,
    Placed,
    TargetKind,
    Webhook,
    WebhookEvent,
    WebhookPost,
    direct_members,
    is_group,
    is_tombstone,
)

MAX_AGE_SECONDS = 2.0  # so soon everybody knows of a new receiver

T = TypeVar("T")

_EVENT_OF: Mapping[str, str] = {
    ChangeKind.EDIT: WebhookEvent.MESSAGE_EDITED.value,
    ChangeKind.RECALL: WebhookEvent.MESSAGE_RECALLED.value,
    ChangeKind.REACT: WebhookEvent.MESSAGE_REACTED.value,
}


class Reader(Protocol):
    """Messages as they are now."""

    def at(self, user_id: str, conversation_id: str, seqs: Iterable[int]) -> dict[int, Placed]: ...


class Audiences(Protocol):
    """Who is in conversations."""

    def of(self, conversation_ids: Iterable[str]) -> Mapping[str, Audience]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class StoredTogether:
    """References to messages of one conversation.

    Attributes:
        trace_id: Of the request that caused them.
        senders: By the numbers of the messages.
    """

    trace_id: str
    conversation_id: str
    conversation_type: str
    senders: Mapping[int, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangedTogether:
    """Changes of messages of one conversation.

    Attributes:
        trace_id: Of the request that caused the first.
        changes: As the event `MessagesChanged` has them.
    """

    trace_id: str
    conversation_id: str
    conversation_type: str
    changes: Sequence[Mapping[str, Any]]


class Remembered(Generic[T]):
    """A short list, read again when it is some seconds old."""

    def __init__(self, read: Callable[[], Sequence[T]], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._found: Sequence[T] = ()
        self._read_at = float("-inf")

    def __call__(self, *, fresh: bool = False) -> Sequence[T]:
        """The list; a fresh one is as it is now."""
        if fresh or self._clock() - self._read_at >= MAX_AGE_SECONDS:
            self._found, self._read_at = self._read(), self._clock()
        return self._found


class WebhookFanout:
    """Spreads messages over the receivers that want them.

    Args:
        webhooks: Those of operators.
        bots: The bots.
        audiences: Who is in conversations.
        reader: Reads messages; not asked where nobody wants to know.
        enqueue: Hands posts to Kafka, each with its trace.
    """

    def __init__(
        self,
        *,
        webhooks: Callable[[], Sequence[Webhook]],
        bots: Callable[[], Sequence[Bot]],
        audiences: Audiences,
        reader: Reader,
        enqueue: Callable[[Sequence[tuple[str, WebhookPost]]], None],
    ) -> None:
        self._webhooks = webhooks
        self._bots = bots
        self._audiences = audiences
        self._reader = reader
        self._enqueue = enqueue

    def spread(self, stored: Sequence[StoredTogether]) -> None:
        """Enqueues a post for each message and receiver.

        Raises:
            UnavailableError: The store or Kafka is away; all of it is to come again.
        """
        webhooks = [one for one in self._webhooks() if one.active]
        bots = self._bots()
        posts = [
            (one.trace_id, post) for one in stored for post in self._posts(one, webhooks, bots)
        ]
        if posts:
            self._enqueue(posts)

    def spread_changes(self, changed: Sequence[ChangedTogether]) -> None:
        """Enqueues a post for each change and receiver; bots are told of new messages only.

        Raises:
            UnavailableError: The store or Kafka is away; all of it is to come again.
        """
        webhooks = [one for one in self._webhooks() if one.active]
        posts = [
            (one.trace_id, _change_post(one, change, event, webhook.id))
            for one in changed
            for change in one.changes
            for webhook in webhooks
            if (event := _EVENT_OF.get(change["kind"], "")) in webhook.events
        ]
        if posts:
            self._enqueue(posts)

    def _posts(
        self, stored: StoredTogether, webhooks: Sequence[Webhook], bots: Sequence[Bot]
    ) -> Iterator[WebhookPost]:
        there = self._there(stored.conversation_id, bots)
        if not webhooks and not there:
            return
        known = {one.user_id for one in bots}
        found = self._reader.at("", stored.conversation_id, stored.senders)
        for seq, placed in sorted(found.items()):
            body = json.loads(placed.text)
            event = event_of(body)
            targets = [(TargetKind.WEBHOOK, one.id) for one in webhooks if event in one.events]
            if event == WebhookEvent.MESSAGE_STORED and not is_tombstone(body):
                targets += [
                    (TargetKind.BOT, bot.user_id)
                    for bot, joined in there
                    if seq > joined and _hears(bot, body, is_from_bot=body["sender_id"] in known)
                ]
            for kind, target_id in targets:
                yield WebhookPost(
                    target=kind,
                    target_id=target_id,
                    event=event,
                    conversation_id=stored.conversation_id,
                    conversation_type=stored.conversation_type,
                    seq=seq,
                )

    def _there(self, conversation_id: str, bots: Sequence[Bot]) -> list[tuple[Bot, int]]:
        """The bots in a conversation, with the number that they joined after; not the world's."""
        calling = [one for one in bots if one.url]
        if not calling or not (is_group(conversation_id) or direct_members(conversation_id)):
            return []
        joined = self._audiences.of((conversation_id,))[conversation_id].joined
        return [(one, joined[one.user_id]) for one in calling if one.user_id in joined]


def _change_post(
    changed: ChangedTogether, change: Mapping[str, Any], event: str, webhook_id: str
) -> WebhookPost:
    return WebhookPost(
        target=TargetKind.WEBHOOK,
        target_id=webhook_id,
        event=event,
        conversation_id=changed.conversation_id,
        conversation_type=changed.conversation_type,
        seq=change["seq"],
        change=change,
    )


def event_of(body: Mapping[str, Any]) -> str:
    """What a message is to receivers: a system line says what became of its group."""
    if body["type"] != ContentType.SYSTEM:
        return WebhookEvent.MESSAGE_STORED.value
    return str(json.loads(body["content"])["event"]) if body["content"] else ""


def _hears(bot: Bot, body: Mapping[str, Any], *, is_from_bot: bool) -> bool:
    """Bots that answer each other never end, so a bot hears others only where it asks to."""
    if body["sender_id"] == bot.user_id or (is_from_bot and not bot.hears_bots):
        return False
    if bot.hears is Hears.ALL or not is_group(body["conversation_id"]):
        return True
    return not {bot.user_id, ALL}.isdisjoint(body.get("mentions", ()))
