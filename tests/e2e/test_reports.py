"""Reports, and a moderator who deals with them."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.e2e.client import User, eventually
from tests.e2e.system import ROOT, System

QUEUE = "/v1/admin/reports"


def with_role(system: System, user: User, role: str) -> User:
    """What an operator does on the command line."""
    subprocess.run(
        [sys.executable, "-m", "chalicelib.cli", "roles", user.id, role],
        cwd=ROOT,
        check=True,
        capture_output=True,
        timeout=60,
        env={**os.environ, **system.environment()},
    )
    return user.log_in()


@pytest.mark.req("APP-16")
def test_a_reported_message_is_seen_by_a_moderator_as_it_was_and_resolved(
    system: System, ann: User, bob: User
) -> None:
    moderator = with_role(system, User.new(system.url, "mia"), "moderator")
    room = ann.call("POST", "/v1/conversations", {"user_id": bob.id}).body["id"]
    bob.call("POST", f"/v1/conversations/{room}/messages", {"content": "rude"})
    asyncio.run(eventually(lambda: ann.get(f"/v1/conversations/{room}/messages")["items"]))

    body = {"conversation_id": room, "seq": 1, "reason": "he is rude"}
    taken = ann.call("POST", "/v1/reports", body, headers={"Idempotency-Key": "once"})
    again = ann.call("POST", "/v1/reports", body, headers={"Idempotency-Key": "once"})
    bob.call("POST", f"/v1/conversations/{room}/messages/1/recall")

    assert (taken.status, again.body) == (201, taken.body)
    found = asyncio.run(eventually(lambda: listed(moderator, taken.body["id"])))
    assert (found["user_id"], found["message"]["content"]) == (bob.id, "rude")
    path = f"{QUEUE}/{taken.body['id']}"
    done = moderator.call("PATCH", path, {"status": "resolved", "note": "warned"})
    assert (done.status, done.body["resolved_by"]) == (200, moderator.id)
    assert moderator.call("PATCH", path, {"status": "resolved"}).status == 409
    assert ann.call("GET", QUEUE).status == 403


def listed(moderator: User, report_id: str) -> dict[str, Any] | None:
    items = moderator.get(QUEUE + "?limit=100")["items"]
    return next((one for one in items if one["id"] == report_id), None)
