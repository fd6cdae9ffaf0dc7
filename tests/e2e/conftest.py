from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.e2e.client import Client, User
from tests.e2e.system import System, joined, start


@pytest.fixture(scope="session")
def system(tmp_path_factory: pytest.TempPathFactory) -> Iterator[System]:
    """The running system: the one at LAMBCHAT_URL, or one of our own."""
    if url := os.environ.get("LAMBCHAT_URL"):
        yield joined(System(url))
        return
    running = start(tmp_path_factory.mktemp("data"), os.environ.get("PROFILE", "embedded"))
    yield running
    running.stop()


@pytest.fixture(autouse=True)
def show_the_log_of_a_failure(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[None]:
    yield
    if "system" in request.fixturenames and getattr(request.node, "failed", False):
        log = request.getfixturevalue("system").log
        print("".join(log[-80:]))


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Iterator[None]:
    outcome = yield
    item.failed = outcome.get_result().failed  # type: ignore[attr-defined]


@pytest.fixture
def ann(system: System) -> User:
    return User.new(system.url, "ann")


@pytest.fixture
def bob(system: System) -> User:
    return User.new(system.url, "bob")


async def connected(system: System, *users: User) -> list[Client]:
    """Open connections of these users."""
    return [await Client(user, system.websocket_url).connect() for user in users]
