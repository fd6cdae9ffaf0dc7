"""What the tests of the page share; they name this module in ``pytest_plugins``."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect, sync_playwright

from tests.e2e.browser import TIMEOUT_MS, Arrives, Person, chromium, launch


@pytest.fixture(scope="module")  # not longer: Playwright keeps an event loop running
def browser() -> Iterator[Browser]:
    executable = chromium()
    if executable is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("no chromium found, and REQUIRE_BROWSER=1")
        pytest.skip("no chromium found: install it, or set CHROMIUM")
    expect.set_options(timeout=TIMEOUT_MS)
    with sync_playwright() as playwright:
        running = launch(playwright, executable)
        yield running
        running.close()


@pytest.fixture
def arrives(browser: Browser, system: Any) -> Iterator[Arrives]:
    """Brings people to the page; fails the test when one of their pages reports an error."""
    people: list[Person] = []
    errors: list[str] = []

    def bring(name: str, **options: object) -> Person:
        person = Person.arrives(browser, system.url, name, **options)
        person.context.on("weberror", lambda problem: errors.append(str(problem.error)))
        people.append(person)
        return person

    yield bring
    for person in people:
        person.context.close()
    assert errors == []


@pytest.fixture(scope="session")
def screenshots(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = os.environ.get("SCREENSHOTS")
    return Path(folder) if folder else tmp_path_factory.mktemp("screenshots")
