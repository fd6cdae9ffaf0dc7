"""Two people call each other, forward, send later and hide, by click; one of them has a phone."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.browser import PHONE, Arrives, Person
from tests.e2e.test_page_groups import OVERFLOW, choose, pick, picture, press

pytestmark = pytest.mark.browser
pytest_plugins = ("tests.e2e.page_fixtures",)


def offered(person: Person) -> Locator:
    return person.page.get_by_role("listbox", name="People to mention").get_by_role("option")


def of_the_conversation(person: Person, choice: str) -> None:
    press(person, "What to do with this conversation")
    person.page.get_by_role("menuitem", name=choice).click()


@pytest.mark.req("APP-2", "APP-14", "APP-15")
def test_two_people_mention_forward_schedule_and_hide(arrives: Arrives, screenshots: Path) -> None:
    ada = arrives("Ada").sign_up()
    ben = arrives("Ben", color_scheme="dark", **PHONE).sign_up()

    a_picture_is_chosen_and_removed(ada, screenshots)
    somebody_is_called_by_name(ada, ben, screenshots)
    a_member_is_not_offered_everybody(ben, screenshots)
    a_message_is_forwarded(ada, ben, screenshots)
    a_message_is_scheduled_and_cancelled(ada, screenshots)
    a_conversation_is_hidden_until_the_next_message(ada, ben)


def a_picture_is_chosen_and_removed(ada: Person, screenshots: Path) -> None:
    mine = ada.page.locator("#my-avatar img")
    lake = {"name": "lake.png", "mimeType": "image/png", "buffer": picture()}
    ada.page.get_by_role("link", name="My account").click()
    ada.page.locator("#picture").set_input_files({**lake, "buffer": b"no picture"})  # type: ignore[arg-type]
    expect(ada.page.locator("#picture-error")).to_contain_text("cannot read")
    ada.page.locator("#picture").set_input_files(lake)  # type: ignore[arg-type]
    expect(mine).to_have_js_property("naturalWidth", 256)
    ada.screenshot(screenshots, "picture")
    press(ada, "Remove the picture")
    expect(mine).to_have_count(0)
    ada.page.locator("#picture").set_input_files(lake)  # type: ignore[arg-type]
    expect(mine).to_be_visible()


def somebody_is_called_by_name(ada: Person, ben: Person, screenshots: Path) -> None:
    press(ada, "New group")
    ada.page.get_by_label("Name of the group").fill("Sailors")
    pick(ada, [ben], "Create group")
    expect(ada.page.get_by_role("heading", name="Sailors")).to_be_visible()
    expect(ben.entry("Sailors")).to_be_visible()
    ada.composer.press_sequentially("Ahoy @")
    expect(offered(ada)).to_contain_text(["all", "Ben"])
    ada.screenshot(screenshots, "mention")
    ada.composer.press("ArrowDown")
    chosen = offered(ada).and_(ada.page.locator("[aria-selected=true]"))
    expect(chosen).to_contain_text("Ben")
    ada.composer.press("Enter")
    expect(ada.composer).to_have_value("Ahoy @Ben ")
    expect(offered(ada)).to_have_count(0)
    ada.composer.press("Enter")
    expect(ben.entry("Sailors")).to_contain_text("You are mentioned")
    ben.screenshot(screenshots, "phone-mentioned")
    ben.entry("Sailors").tap()
    expect(ben.log.locator(".mentioned")).to_contain_text("@Ben")
    expect(ben.log.locator(".message .avatar img")).to_be_visible()


def a_member_is_not_offered_everybody(ben: Person, screenshots: Path) -> None:
    ben.composer.press_sequentially("@")
    expect(offered(ben)).to_have_count(1)
    ben.screenshot(screenshots, "phone-mention")
    assert ben.page.evaluate(OVERFLOW) == 0
    offered(ben).get_by_text("Ada", exact=True).tap()
    expect(ben.composer).to_have_value("@Ada ")
    ben.composer.press_sequentially("aye, @")
    expect(offered(ben)).to_have_count(1)
    ben.composer.press("Escape")
    expect(offered(ben)).to_have_count(0)
    ben.says("Aye")


def a_message_is_forwarded(ada: Person, ben: Person, screenshots: Path) -> None:
    ada.finds(ben)
    ada.says("Between us")
    ada.entry("Sailors").click()
    ada.sees("Aye")
    choose(ada, "Aye", "Forward")
    dialog = ada.page.get_by_role("dialog", name="Forward to")
    expect(dialog.get_by_role("button", name="World")).to_be_visible()
    ada.screenshot(screenshots, "forward")
    dialog.get_by_label("Find a conversation").fill("be")
    expect(dialog.get_by_role("button", name="World")).to_have_count(0)
    dialog.get_by_role("button", name="Ben").click()
    expect(ada.page.get_by_role("heading", name="Ben")).to_be_visible()
    expect(ada.message("Aye")).to_contain_text("Forwarded")
    ada.sees_mark("Aye", "Delivered")
    ben.page.get_by_role("link", name="Back to the conversations").tap()
    expect(ben.entry("Sailors")).not_to_contain_text("You are mentioned")
    ben.entry("Ada").tap()
    expect(ben.message("Aye")).to_contain_text("Forwarded")


def a_message_is_scheduled_and_cancelled(ada: Person, screenshots: Path) -> None:
    waiting = ada.page.get_by_role("list", name="Messages that wait")
    ada.composer.fill("Happy birthday!")
    press(ada, "Schedule this message")
    ada.page.get_by_label("When to send it").fill("2001-01-01T10:00")
    press(ada, "Schedule")
    expect(ada.page.locator("#schedule-at-error")).to_contain_text("expected")
    ada.page.get_by_label("When to send it").fill("")
    press(ada, "Schedule")
    expect(ada.page.locator("#schedule-at-error")).to_have_text("This is needed.")
    press(ada, "Close")
    press(ada, "Schedule this message")
    ada.screenshot(screenshots, "schedule")
    press(ada, "Schedule")
    expect(waiting).to_contain_text("Happy birthday!")
    expect(ada.composer).to_have_value("")
    press(ada, "Close")
    of_the_conversation(ada, "Scheduled messages")
    expect(waiting).to_contain_text("Ben · ")
    ada.screenshot(screenshots, "scheduled")
    press(ada, "Cancel the message to Ben")
    expect(ada.page.get_by_text("No messages wait to be sent.")).to_be_visible()
    press(ada, "Close")


def a_conversation_is_hidden_until_the_next_message(ada: Person, ben: Person) -> None:
    of_the_conversation(ada, "Hide until the next message")
    expect(ada.page.get_by_role("button", name="Write to somebody")).to_be_visible()
    expect(ada.entry("Ben")).to_have_count(0)
    ben.says("Still there?")
    expect(ada.entry("Ben")).to_contain_text("Still there?")
