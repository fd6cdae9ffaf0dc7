"""A group on the page: three people use it, and what can be done with messages."""

from __future__ import annotations

import struct
import zlib
from pathlib import Path

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.browser import PHONE, Arrives, Person

pytestmark = pytest.mark.browser
pytest_plugins = ("tests.e2e.page_fixtures",)

OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
WIDTH, HEIGHT = 240, 150


def picture() -> bytes:
    """A PNG of a lake under the sky."""
    rows = [bytes((170 - y, 200 - y // 3, 230)) * WIDTH for y in range(HEIGHT)]
    header = struct.pack(">IIBBBBB", WIDTH, HEIGHT, 8, 2, 0, 0, 0)
    pixels = zlib.compress(b"".join(b"\0" + row for row in rows))
    chunks = ((b"IHDR", header), (b"IDAT", pixels), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))
        for kind, body in chunks
    )


def press(person: Person, name: str) -> None:
    person.page.get_by_role("button", name=name, exact=True).click()


def pick(person: Person, others: list[Person], action: str) -> None:
    """Finds people in the dialog and chooses them."""
    for other in others:
        person.page.get_by_label("Find people by user name").fill(other.username)
        person.page.get_by_label(other.name).check()
    press(person, action)


def choose(person: Person, text: str, choice: str) -> None:
    """Opens a message's menu and takes one of its entries."""
    message = person.message(text)
    message.hover()
    message.get_by_role("button", name="What to do with this message").click()
    person.page.get_by_role("menuitem", name=choice, exact=True).click()


def member(person: Person, name: str) -> Locator:
    members = person.page.get_by_role("list", name="Members")
    return members.get_by_role("listitem").filter(has_text=name)


def change(person: Person, name: str, choice: str) -> None:
    """Does something with a member of the group."""
    member(person, name).get_by_role("button").click()
    person.page.get_by_role("menuitem", name=choice).click()


@pytest.mark.req("APP-9", "APP-10", "APP-11", "APP-12")
def test_three_people_use_a_group(arrives: Arrives, screenshots: Path) -> None:
    alma = arrives("Alma", viewport={"width": 1400, "height": 900}).sign_up()
    boris = arrives("Boris", color_scheme="dark").sign_up()
    carla = arrives("Carla", **PHONE).sign_up()

    a_group_is_made(alma, boris)
    a_third_comes_by_link(alma, carla, screenshots)
    they_call_and_answer_each_other(alma, boris, carla, screenshots)
    messages_change(alma, boris, carla)
    a_picture_is_sent(boris, alma, carla, screenshots)
    a_conversation_is_muted_pinned_and_searched(boris, screenshots)
    members_are_changed_and_removed(alma, boris, carla, screenshots)


def a_group_is_made(alma: Person, boris: Person) -> None:
    press(alma, "New group")
    alma.page.get_by_label("Name of the group").fill("Hikers")
    pick(alma, [boris], "Create group")
    expect(alma.page.get_by_role("heading", name="Hikers")).to_be_visible()
    expect(alma.log).to_contain_text("You created the group with Boris.")
    boris.opens("Hikers")
    expect(boris.log).to_contain_text("Alma created the group with you.")


def a_third_comes_by_link(alma: Person, carla: Person, screenshots: Path) -> None:
    alma.page.get_by_role("link", name="Hikers 2 members").click()
    alma.page.get_by_label("Announcement").fill("Sundays at nine.")
    alma.page.locator("#group-form").get_by_role("button", name="Save").click()
    press(alma, "Make an invite link")
    link = alma.page.get_by_label("Invite link until").input_value()
    alma.screenshot(screenshots, "group-pane")
    carla.page.goto(link)
    carla.page.get_by_role("alertdialog").get_by_role("button", name="Join").click()
    expect(carla.page.get_by_role("heading", name="Hikers")).to_be_visible()
    expect(carla.log).to_contain_text("You joined.")
    expect(member(alma, "Carla")).to_be_visible()
    alma.page.get_by_role("link", name="Open conversation").click()
    expect(alma.log).to_contain_text("You announced: Sundays at nine.")


def they_call_and_answer_each_other(
    alma: Person, boris: Person, carla: Person, screenshots: Path
) -> None:
    boris.composer.press_sequentially("Hey")
    expect(alma.page.get_by_text("Boris is writing…")).to_be_visible()
    boris.says("Is @Carla coming along?")
    expect(carla.log.locator(".mentioned")).to_contain_text("@Carla")
    carla.page.get_by_role("button", name="What to do with this message").last.tap()
    carla.screenshot(screenshots, "phone-menu")
    carla.page.get_by_role("menuitem", name="Reply").tap()
    carla.says("Of course")
    answer = alma.message("Of course")
    expect(answer.locator(".quote")).to_contain_text("Is @Carla coming along?")
    choose(alma, "Of course", "React with 👍")
    choose(boris, "Of course", "React with 👍")
    reaction = answer.get_by_role("button", name="👍 2")
    expect(reaction).to_have_attribute("aria-pressed", "true")
    reaction.click()
    expect(answer.get_by_role("button", name="👍 1")).to_be_visible()
    assert carla.page.evaluate(OVERFLOW) == 0


def messages_change(alma: Person, boris: Person, carla: Person) -> None:
    alma.says("We meat at nine")
    choose(alma, "We meat at nine", "Edit")
    alma.says("We meet at nine")
    boris.sees("We meet at nine")
    expect(boris.message("We meet at nine")).to_contain_text("edited")
    choose(alma, "We meet at nine", "Pin")
    expect(carla.page.locator("#pinned")).to_contain_text("We meet at nine")
    choose(alma, "We meet at nine", "Who has read this")
    readers = alma.page.get_by_role("dialog")
    expect(readers).to_contain_text("Boris")
    expect(readers).to_contain_text("Carla")
    press(alma, "Close")
    boris.says("I hate hills")
    choose(boris, "I hate hills", "Recall for everybody")
    boris.page.get_by_role("alertdialog").get_by_role("button", name="Recall").click()
    carla.sees("This message was recalled.")
    choose(boris, "We meet at nine", "Delete for me")
    boris.sees("You deleted this message.")
    alma.sees("We meet at nine")


def a_picture_is_sent(boris: Person, alma: Person, carla: Person, screenshots: Path) -> None:
    lake = {"name": "lake.png", "mimeType": "image/png", "buffer": picture()}
    boris.page.locator("#file").set_input_files(lake)  # type: ignore[arg-type]
    boris.says("The lake")
    for person in (alma, boris, carla):
        image = person.page.get_by_role("img", name="lake.png")
        expect(image).to_have_js_property("naturalWidth", WIDTH)
    route = {"name": "route.txt", "mimeType": "text/plain", "buffer": b"north"}
    boris.page.locator("#file").set_input_files(route)  # type: ignore[arg-type]
    press(boris, "Send")
    with alma.page.expect_download() as download:
        alma.page.get_by_role("button", name="Download route.txt").click()
    assert download.value.path().read_bytes() == b"north"
    boris.screenshot(screenshots, "group-dark")
    alma.screenshot(screenshots, "group")
    carla.screenshot(screenshots, "phone-group")


def a_conversation_is_muted_pinned_and_searched(boris: Person, screenshots: Path) -> None:
    for choice in ("Mute this conversation", "Pin to the top of the list"):
        press(boris, "What to do with this conversation")
        boris.page.get_by_role("menuitem", name=choice).click()
    expect(boris.entry("Hikers")).to_contain_text("Muted Pinned")
    press(boris, "Search in messages")
    boris.page.get_by_label("Words of the message").fill("course")
    found = boris.page.get_by_role("dialog").get_by_role("button", name="Of course")
    expect(found).to_be_visible()
    boris.screenshot(screenshots, "search-dark")
    found.click()
    expect(boris.log.locator(".found")).to_contain_text("Of course")
    boris.composer.fill("Not yet")
    with boris.page.expect_response(lambda answer: answer.url.endswith("/draft")):
        pass
    boris.leaves()
    boris.comes_back()
    expect(boris.entry("Hikers")).to_contain_text("Draft: Not yet")
    boris.opens("Hikers")
    expect(boris.composer).to_have_value("Not yet")


def members_are_changed_and_removed(
    alma: Person, boris: Person, carla: Person, screenshots: Path
) -> None:
    alma.page.get_by_role("link", name="Hikers 3 members").click()
    change(alma, "Boris", "Make admin")
    expect(member(alma, "Boris")).to_contain_text("Admin")
    change(alma, "Carla", "Mute for an hour")
    carla.composer.fill("Hello?")
    carla.page.get_by_role("button", name="Send").tap()
    expect(carla.message("Hello?").locator(".failure")).to_contain_text("uted")
    change(alma, "Carla", "Remove from the group")
    alma.page.get_by_role("alertdialog").get_by_role("button", name="Remove").click()
    expect(member(alma, "Carla")).to_have_count(0)
    expect(carla.entry("Hikers")).to_have_count(0)
    alma.screenshot(screenshots, "members")
    boris.page.get_by_role("link", name="Hikers 2 members").click()
    press(boris, "Leave group")
    boris.page.get_by_role("alertdialog").get_by_role("button", name="Leave group").click()
    expect(boris.entry("Hikers")).to_have_count(0)
    press(alma, "Dismiss group")
    alma.page.get_by_role("alertdialog").get_by_role("button", name="Dismiss group").click()
    expect(alma.entry("Hikers")).to_have_count(0)
