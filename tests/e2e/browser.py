"""A person in front of the page: Debian's chromium, driven by Playwright."""

from __future__ import annotations

import os
import re
import shutil
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from playwright.sync_api import Browser, BrowserContext, Locator, Page, Playwright, expect

ARGUMENTS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
PASSWORD = "correct horse battery staple"
TIMEOUT_MS = 15_000
PHONE = {"viewport": {"width": 390, "height": 780}, "has_touch": True, "is_mobile": True}
DESKTOP = {"viewport": {"width": 1180, "height": 760}}

# Lets a test drop the page's connection, and keep it away, as a lost network would.
_SOCKET_SWITCH = """
const Real = globalThis.WebSocket;
globalThis.testSockets = [];
globalThis.testNetworkIsDown = false;
globalThis.WebSocket = class extends Real {
  constructor(url) {
    super(globalThis.testNetworkIsDown ? "ws://127.0.0.1:9/" : url);
    globalThis.testSockets.push(this);
  }
};
"""


def chromium() -> str | None:
    """Where the browser is, or None when there is none."""
    return os.environ.get("CHROMIUM") or shutil.which("chromium")


def launch(playwright: Playwright, executable: str) -> Browser:
    """Starts the browser."""
    return playwright.chromium.launch(executable_path=executable, args=list(ARGUMENTS))


@dataclass
class Person:
    """Somebody with an account, and their window."""

    name: str
    username: str
    url: str
    page: Page

    @classmethod
    def arrives(cls, browser: Browser, url: str, name: str, **options: object) -> Person:
        """Opens a browser of their own at the page, not signed in yet."""
        settings = {**DESKTOP, "locale": "en-GB", "reduced_motion": "reduce", **options}
        context = browser.new_context(**settings)  # type: ignore[arg-type]
        context.set_default_timeout(TIMEOUT_MS)
        context.add_init_script(_SOCKET_SWITCH)
        username = f"{name.lower()}_{uuid.uuid4().hex[:10]}"
        person = cls(name=name, username=username, url=url, page=context.new_page())
        person.page.goto(url)
        return person

    @property
    def context(self) -> BrowserContext:
        return self.page.context

    @property
    def log(self) -> Locator:
        return self.page.get_by_role("log")

    @property
    def composer(self) -> Locator:
        return self.page.get_by_role("textbox", name="Message", exact=True)

    def fill_in(self, *, password: str = PASSWORD) -> None:
        self.page.get_by_label("User name", exact=True).fill(self.username)
        self.page.get_by_label("Password", exact=True).fill(password)

    def sign_up(self) -> Person:
        self.page.get_by_role("button", name="Create an account").click()
        self.fill_in()
        self.page.get_by_label("Name shown to others").fill(self.name)
        self.page.get_by_role("button", name="Sign up").click()
        self.is_connected()
        return self

    def sign_in(self, *, password: str = PASSWORD) -> None:
        self.fill_in(password=password)
        self.page.get_by_role("button", name="Sign in").click()

    def is_connected(self) -> None:
        self.page.locator("body[data-connection=online]").wait_for()

    def leaves(self) -> None:
        """Closes the window; the browser remembers the session."""
        self.page.close()

    def comes_back(self) -> None:
        self.page = self.context.new_page()
        self.page.goto(self.url)
        self.is_connected()

    def loses_the_network(self) -> None:
        self.page.evaluate("testNetworkIsDown = true; testSockets.at(-1).close()")
        self.page.locator("#connection").get_by_text("No connection").wait_for()

    def gets_the_network_back(self) -> None:
        self.page.evaluate("testNetworkIsDown = false; dispatchEvent(new Event('online'))")
        self.is_connected()

    def finds(self, other: Person) -> None:
        """Starts a conversation by the other's user name."""
        self.page.get_by_role("button", name="New chat").click()
        self.page.get_by_label("Find a person by user name").fill(other.username)
        self.page.get_by_role("dialog").get_by_role("button", name=other.name).click()
        expect(self.page.get_by_role("heading", name=other.name)).to_be_visible()

    def entry(self, title: str) -> Locator:
        """The conversation in the list with this title: previews name people, too."""
        conversations = self.page.get_by_role("navigation", name="Conversations")
        titled = self.page.locator(".title").get_by_text(title, exact=True)
        return conversations.get_by_role("link").filter(has=titled)

    def opens(self, title: str) -> None:
        self.entry(title).click()
        expect(self.page.get_by_role("heading", name=title)).to_be_visible()

    def says(self, text: str) -> None:
        self.composer.fill(text)
        self.composer.press("Enter")
        expect(self.message(text)).to_be_visible()

    def message(self, text: str) -> Locator:
        exact = re.compile(rf"^{re.escape(text)}$")
        text_of = self.page.locator(".text").filter(has_text=exact)
        return self.log.locator(".message").filter(has=text_of)

    def sees(self, text: str) -> None:
        expect(self.message(text)).to_have_count(1)

    def sees_mark(self, text: str, mark: str) -> None:
        expect(self.message(text).locator(".meta")).to_contain_text(mark)

    def texts(self) -> list[str]:
        return self.log.locator(".text").all_inner_texts()

    def screenshot(self, folder: Path, name: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=folder / f"{name}.png", animations="disabled")


Arrives = Callable[..., Person]  # name and options of the browser context
