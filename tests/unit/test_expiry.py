from __future__ import annotations

import json
from typing import Any

from chalicelib.logic.expiry import ExpiryService
from chalicelib.models import Change, ChangeKind, Placed, rfc3339

NOW = 1_700_000_000.0


def placed(**members: Any) -> Placed:
    return Placed("d-ann-bob", 3, "ann", "m1", json.dumps({"content": "hello", **members}))


def later(*messages: Placed) -> list[tuple[Change, float]]:
    found: list[tuple[Change, float]] = []
    ExpiryService(lambda *one: found.append(one), lambda: NOW).stored(messages)
    return found


def test_the_end_of_a_message_is_seen_to_when_it_is_stored() -> None:
    ((change, seconds),) = later(placed(), placed(expires_at=rfc3339(NOW + 60)))

    assert (change.kind, change.conversation_id, change.seq) == (
        ChangeKind.EXPIRE,
        "d-ann-bob",
        3,
    )
    assert seconds == 60


def test_what_has_expired_before_it_was_stored_goes_at_once() -> None:
    ((_, seconds),) = later(placed(expires_at=rfc3339(NOW - 60)))

    assert seconds == 0


def test_who_only_writes_the_word_keeps_the_message() -> None:
    assert later(placed(content='"expires_at"'), placed(expires_at=None)) == []
