"""Who is notified of what, on fakes: the desk of tests/unit/test_mobile_push.py."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any, cast

from chalicelib.logic.conversations import ConversationView
from chalicelib.logic.mobile_push import MobilePushService
from chalicelib.logic.push_policy import PushPolicy
from chalicelib.logic.push_receivers import PushReceiver, PushReceivers
from chalicelib.logic.push_tokens import PushTokenService
from chalicelib.logic.webhook_fanout import StoredTogether
from chalicelib.models import (
    WORLD,
    ConversationMember,
    ConversationSettings,
    ConversationType,
    Group,
    Head,
    User,
    direct_id,
)
from tests.fakes_accounts import Clock
from tests.fakes_data import new_user
from tests.fakes_push import APPLICATIONS, FakeEndpoints, FakePushTokens, device

ROOM = direct_id("ann", "bob")
GROUP = "g-1"
COLLAPSE = 30


class Desk:
    """Ann writes to bob (and cat), who have phones."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.devices = FakePushTokens()
        self.endpoints = FakeEndpoints()
        self.policy = PushPolicy(applications=APPLICATIONS, collapse_seconds=COLLAPSE)
        self.receivers = ["bob"]
        self.message: dict[str, Any] = {}
        self.ended: set[str] = set()
        self.read: dict[str, int] = {}
        self.unread = {ROOM: (2, 0.0), "d-bob-cat": (3, 0.0), WORLD: (90, 0.0)}
        self.names_read = 0
        self.looked_ahead: list[tuple[int, int]] = []
        tokens = PushTokenService(
            devices=self.devices,
            endpoints=self.endpoints,
            policy=lambda: self.policy,
            clock=self.clock,
        )
        self.service = MobilePushService(
            receivers=cast(PushReceivers, self),
            claims=self.devices,
            forget=tokens.drop,
            endpoints=self.endpoints,
            sessions=self,
            conversations=self.conversations,
            users=self.users,
            groups=self,
            policy=lambda: self.policy,
            clock=self.clock,
        )
        for name in ("phone", "tablet"):
            self.add("bob", name)

    def add(self, user_id: str, device_id: str) -> None:
        """A device that SNS knows."""
        self.devices.put(device(user_id, device_id))
        self.endpoints.enabled.add(device(user_id, device_id).endpoint)

    def of(self, _stored: StoredTogether, *, max_members: int) -> list[PushReceiver]:
        assert max_members == self.policy.max_group_members
        return [
            PushReceiver(user_id=one, devices=own, message=self.message)
            for one, own in self.devices.of(self.receivers).items()
        ]

    def look_ahead(self, stored: Sequence[StoredTogether], *, max_members: int) -> None:
        self.looked_ahead.append((len(stored), max_members))

    def stands(self, _user_id: str, device_id: str, _session_id: str) -> bool:
        return device_id not in self.ended

    def conversations(self, user_id: str) -> Sequence[ConversationView]:
        return [
            ConversationView(
                head=Head(id=room, type=ConversationType.DIRECT),
                member=ConversationMember(
                    conversation_id=room, user_id=user_id, read_seq=self.read.get(user_id, 0)
                ),
                peer=None,
                unread_count=count,
                last_message=None,
                peer_id=None,
                settings=ConversationSettings(conversation_id=room, muted_until=muted_until),
            )
            for room, (count, muted_until) in self.unread.items()
        ]

    def users(self, user_ids: Iterable[str]) -> Mapping[str, User]:
        self.names_read += 1
        return {one: replace(new_user(one), nickname="Ann A.") for one in user_ids}

    def get_groups(self, ids: Iterable[str]) -> Mapping[str, Group]:
        return {one: Group(id=one, name="Crew", owner_id="ann") for one in ids}

    def push(self, seq: int = 1, room: str = ROOM) -> None:
        """An event of one message."""
        self.message = {
            "id": f"m{seq}", "conversation_id": room, "sender_id": "ann", "seq": seq,
            "type": "text", "content": f"text {seq}",
        }  # fmt: skip
        self.service.push(
            StoredTogether(
                trace_id="t", conversation_id=room, conversation_type="", senders={seq: "ann"}
            )
        )

    def told(self) -> list[tuple[str, int]]:
        """The devices that were notified, and of which message."""
        found = []
        for note in self.endpoints.published:
            sent = json.loads(json.loads(note.message)["GCM"])["fcmV1Message"]["message"]
            found.append((note.endpoint.rpartition("/")[2], int(sent["data"]["seq"])))
        self.endpoints.published.clear()
        return found

    def notification(self) -> dict[str, Any]:
        """What the last one shows."""
        own = json.loads(json.loads(self.endpoints.published[-1].message)["GCM"])
        shown: dict[str, Any] = own["fcmV1Message"]["message"]["notification"]
        return shown
