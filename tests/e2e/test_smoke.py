"""The whole system under a crowd, undisturbed and with processes killed in the middle."""

from __future__ import annotations

import asyncio
import contextlib
import random

import psutil
import pytest

from tests.e2e import smoke
from tests.e2e.system import System


def kill_one(system: System, word: str) -> int:
    """SIGKILL for one of the system's processes; how many there were."""
    victims = system.processes(word)
    if victims:
        with contextlib.suppress(psutil.Error):
            random.choice(victims).kill()
    return len(victims)


async def disturbed(
    system: System, words: list[str], *, messages: int, seed: int
) -> tuple[dict[str, object], int]:
    """Runs the script while a process with each of the words is killed, one after the other."""
    running = asyncio.create_task(smoke.run(system.url, users=20, messages=messages, seed=seed))
    killed = 0
    for word in words:
        await asyncio.wait([running], timeout=0.8)
        while not await asyncio.to_thread(kill_one, system, word) and not running.done():
            await asyncio.wait([running], timeout=0.1)  # it was not needed yet, or starts again
        killed += not running.done()
    return await running, killed


@pytest.mark.req("APP-10", "APP-11", "APP-13", "APP-14", "IM-11", "IM-12", "SHAPE-3")
def test_a_crowd_loses_nothing(system: System) -> None:
    summary = asyncio.run(smoke.run(system.url, users=20, messages=600, seed=1))

    assert summary["problems"] == []


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(
            ["functions.send", "functions.fanout", "functions.tasks", "functions.fanout"],
            id="workers",
            marks=pytest.mark.full,
        ),
        pytest.param(["emulator.trigger", "functions.fanout", "emulator.trigger"], id="trigger"),
    ],
)
def test_a_crowd_loses_nothing_when_processes_are_killed(system: System, words: list[str]) -> None:
    summary, killed = asyncio.run(disturbed(system, words, messages=2500, seed=len(words)))

    assert killed >= 2
    assert summary["problems"] == []


@pytest.mark.full
def test_a_crowd_loses_nothing_when_kafka_is_killed(system: System) -> None:
    summary, killed = asyncio.run(disturbed(system, ["kafka.Kafka"], messages=2500, seed=3))

    assert killed == 1
    assert summary["problems"] == []


@pytest.mark.full
def test_a_crowd_loses_nothing_when_dynamodb_is_killed(system: System) -> None:
    summary, killed = asyncio.run(disturbed(system, ["ServerRunner"], messages=2500, seed=4))

    assert killed == 1
    assert summary["problems"] == []
