"""The hook before a message is accepted: the example, a word filter, run by Lambda."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.e2e.client import User, eventually
from tests.e2e.operators import aws
from tests.e2e.system import ROOT, System

PARAMETER = "/lambchat/local/policy/acceptance"
# A process of its own knows of the policy at once; others within a minute.
SEND = """
import json, sys
from chalicelib import bootstrap
from chalicelib.context import Context
from chalicelib.frames import Draft, Rejected
sender, receiver, *contents = sys.argv[1:]
drafts = [Draft(client_msg_id=f"c{n}", content=c, to=receiver) for n, c in enumerate(contents)]
for one in bootstrap.messages().send_message(Context(), sender, drafts):
    print(one.error.code if isinstance(one, Rejected) else one.conversation_id)
"""


@pytest.fixture
def policy(system: System) -> Iterator[dict[str, Any]]:
    """The policy that is in force; a test changes it before it sends."""
    made = {"function": "lambchat-local-hook-word-filter", "timeout_ms": 5000}
    yield made
    with contextlib.closing(aws(system, "ssm")) as client:
        client.delete_parameter(Name=PARAMETER)


def send(system: System, policy: dict[str, Any], one: User, to: User, *contents: str) -> list[str]:
    with contextlib.closing(aws(system, "ssm")) as client:
        client.put_parameter(
            Name=PARAMETER, Value=json.dumps(policy), Type="String", Overwrite=True
        )
    done = subprocess.run(
        [sys.executable, "-c", SEND, one.id, to.id, *contents],
        cwd=ROOT,
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, **system.environment()},
    )
    assert done.returncode == 0, done.stderr
    return [line for line in done.stdout.splitlines() if not line.startswith("{")]


@pytest.mark.req("APP-19")
def test_a_function_refuses_messages_and_alters_them(
    system: System, policy: dict[str, Any], ann: User, bob: User
) -> None:
    said = ("hello", "forbidden", "this is Forbidden here")

    first, second, third = send(system, policy, ann, bob, *said)

    assert (second, third) == ("refused", first)
    path = f"/v1/conversations/{first}/messages?after_seq=0"
    stored = asyncio.run(eventually(lambda: bob.get(path)["items"]))
    assert [one["content"] for one in stored] == ["hello", "this is *** here"]
    assert [one.get("metadata") for one in stored] == [None, {"covered": 1}]


def test_a_function_that_is_not_there_lets_pass_or_refuses_as_the_policy_says(
    system: System, policy: dict[str, Any], ann: User, bob: User
) -> None:
    policy["function"] = "lambchat-local-hook-nobody"

    passed = send(system, policy, ann, bob, "forbidden")
    policy["on_failure"] = "refuse"
    with pytest.raises(AssertionError, match="UnavailableError"):
        send(system, policy, ann, bob, "hello")

    assert passed[0].startswith("d-")
