"""What happens to messages beside their path: they are counted."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from datetime import UTC, datetime

import pytest

from tests.e2e.client import User, eventually
from tests.e2e.conftest import connected
from tests.e2e.system import ROOT, System


@pytest.mark.req("APP-19")
def test_messages_are_counted_by_a_listener(system: System, ann: User, bob: User) -> None:
    asyncio.run(_count(system, ann, bob))


async def _count(system: System, ann: User, bob: User) -> None:
    def total() -> int:
        day = datetime.now(UTC).date().isoformat()
        done = subprocess.run(
            [sys.executable, "-m", "chalicelib.cli", "statistics", "--day", day],
            cwd=ROOT,
            check=True,
            capture_output=True,
            text=True,
            timeout=60,
            env={**os.environ, **system.environment()},
        )
        return int(done.stdout.split()[-1])

    before = await asyncio.to_thread(total)
    (writer,) = await connected(system, ann)
    for number in range(3):
        assert (await writer.say(f"counted {number}", to=bob.id))["type"] == "sent"

    assert await eventually(lambda: total() >= before + 3, 30.0)
    await writer.close()
