"""What is published on EVENTS; docs/asyncapi.json is generated from these."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

from chalicelib.broker import BaseEvent


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesStored(BaseEvent):
    """Messages of one conversation were numbered and stored; published again if that is repeated.

    Attributes:
        conversation_id: Also the record's key.
        conversation_type: ``direct``, ``group`` or ``world``.
        messages: Of each ``id``, ``seq`` and ``sender_id``; the rest is to be read from the
            conversation.
    """

    event_name: ClassVar[str] = "messages.stored"
    conversation_id: str
    conversation_type: str
    messages: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class MessagesChanged(BaseEvent):
    """Messages of one conversation were edited, recalled or reacted to; again if that is repeated.

    Attributes:
        conversation_id: Also the record's key.
        conversation_type: ``direct``, ``group`` or ``world``.
        changes: Of each its ``id``, the message's ``seq``, the ``kind`` (``edit``, ``recall`` or
            ``react``), the ``user_id`` of who did it, ``at``; of a reaction ``emoji``, and
            ``remove`` where it was taken back. The rest is to be read from the conversation.
    """

    event_name: ClassVar[str] = "messages.changed"
    conversation_id: str
    conversation_type: str
    changes: Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerChanged(BaseEvent):
    """A circuit breaker of some process changed its state.

    Attributes:
        name: The breaker's; also the record's key.
        old_state: ``closed``, ``open`` or ``half-open``.
        new_state: The same.
        process: The function's name, or that of the worker's host.
        at: Unix seconds.
    """

    event_name: ClassVar[str] = "breaker.changed"
    name: str
    old_state: str
    new_state: str
    process: str
    at: float


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountDeleted(BaseEvent):
    """Nothing is left of a user but what others have; published again if that is repeated.

    Attributes:
        user_id: Also the record's key.
    """

    event_name: ClassVar[str] = "account.deleted"
    user_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DataExported(BaseEvent):
    """The export of a user's data can be downloaded; published again if that is repeated.

    Attributes:
        user_id: Also the record's key.
        export_id: Which of theirs.
    """

    event_name: ClassVar[str] = "data.exported"
    user_id: str
    export_id: str
