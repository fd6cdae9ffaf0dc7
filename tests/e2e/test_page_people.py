"""Friends, profiles and one's own account on the page: two people walk through all of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.e2e.browser import PASSWORD, PHONE, Arrives, Person
from tests.e2e.client import call

pytestmark = pytest.mark.browser
pytest_plugins = ("tests.e2e.page_fixtures",)

NEW_PASSWORD = "another long password"
OVERFLOW = "document.documentElement.scrollWidth - document.documentElement.clientWidth"


def press(person: Person, name: str) -> None:
    person.page.get_by_role("button", name=name, exact=True).click()


def go(person: Person, link: str) -> None:
    person.page.get_by_role("link", name=link).click()


def group(person: Person, title: str) -> Locator:
    """One of the lists of the friends' section, or of the account."""
    return person.page.get_by_role("list", name=title, exact=True)


def confirm(person: Person, action: str) -> None:
    press(person, action)
    dialog = person.page.get_by_role("alertdialog")
    dialog.get_by_role("button", name=action).click()


def find(person: Person, other: Person) -> None:
    """Finds somebody by their user name, and looks at their profile."""
    go(person, "Friends")
    press(person, "Find people")
    person.page.get_by_label("Find a person by user name").fill(other.username)
    person.page.get_by_role("dialog").get_by_role("button", name=other.name).click()
    expect(person.page.get_by_role("heading", name=other.name)).to_be_visible()


@pytest.mark.req("APP-4", "APP-5", "APP-6", "APP-7", "APP-16")
def test_two_people_become_friends_fall_out_and_part(
    arrives: Arrives, system: Any, screenshots: Path
) -> None:
    alma, boris = arrives("Alma").sign_up(), arrives("Boris", color_scheme="dark").sign_up()

    they_become_friends(alma, boris, screenshots)
    a_remark_is_the_name_from_then_on(boris, alma, screenshots)
    a_notice_is_shown_until_it_is_dismissed(system.url, boris)
    they_part(alma, boris)
    who_is_blocked_cannot_write_until_unblocked(boris, alma)


def they_become_friends(alma: Person, boris: Person, screenshots: Path) -> None:
    find(alma, boris)
    expect(alma.page.locator("#person-presence")).to_have_text("Online")
    alma.page.get_by_label("Message with your friend request").fill("We met at the lake.")
    alma.screenshot(screenshots, "person")
    press(alma, "Add friend")
    expect(group(alma, "Sent requests")).to_contain_text("Waiting for an answer")
    go(boris, "Friends 1 friend request")
    group(boris, "Friend requests").get_by_role("link", name="Alma").click()
    expect(boris.page.get_by_role("blockquote")).to_have_text("We met at the lake.")
    boris.screenshot(screenshots, "asked-dark")
    press(boris, "Accept")
    expect(group(alma, "Friends")).to_contain_text("Boris")
    expect(group(boris, "Friends")).to_contain_text("Alma")


def a_remark_is_the_name_from_then_on(boris: Person, alma: Person, screenshots: Path) -> None:
    boris.page.get_by_label("What you call this friend").fill("Alma from the lake")
    press(boris, "Save")
    expect(group(boris, "Friends")).to_contain_text("Alma from the lake")
    boris.screenshot(screenshots, "friend-dark")
    press(boris, "Write")
    expect(boris.page.get_by_role("heading", name="Alma from the lake")).to_be_visible()
    boris.says("Hello, lake!")
    go(alma, "Chats")
    alma.opens("Boris")
    alma.sees("Hello, lake!")
    expect(boris.entry("Alma from the lake")).to_be_visible()


def a_notice_is_shown_until_it_is_dismissed(url: str, boris: Person) -> None:
    credentials = {"username": "admin", "password": "admin of the tests"}
    token = call(url, "POST", "/v1/auth/login", credentials).body["access_token"]
    call(url, "POST", "/v1/admin/broadcasts", {"content": "Back at noon."}, token=token)
    notice = boris.page.get_by_text("Back at noon.")
    expect(notice).to_be_visible()
    press(boris, "Dismiss this notice")
    expect(notice).to_be_hidden()


def they_part(alma: Person, boris: Person) -> None:
    alma.page.locator("#chat-person").click()
    confirm(alma, "Remove friend")
    expect(alma.page.get_by_role("button", name="Add friend")).to_be_visible()
    go(boris, "Friends")
    expect(boris.page.get_by_text("No friends yet")).to_be_visible()


def who_is_blocked_cannot_write_until_unblocked(boris: Person, alma: Person) -> None:
    find(boris, alma)
    press(boris, "Block")
    expect(boris.page.locator("#person-standing")).to_contain_text("You have blocked Alma")
    alma.page.get_by_label("Message with your friend request").fill("Are you angry?")
    press(alma, "Add friend")
    expect(alma.page.get_by_role("alert")).to_contain_text("has blocked the other")
    press(alma, "Write")
    alma.says("Are you there?")
    expect(alma.message("Are you there?").locator(".failure")).to_contain_text("Blocked")
    press(boris, "Unblock Alma")
    expect(group(boris, "Blocked")).to_be_hidden()
    press(alma, "Try again")
    alma.sees_mark("Are you there?", "Delivered")
    alma.page.locator("#chat-person").click()
    press(alma, "Add friend")
    press(boris, "Decline Alma")
    expect(alma.page.get_by_text("Boris declined your last request.")).to_be_visible()


@pytest.mark.req("APP-2", "APP-3")
def test_an_account_is_changed_and_another_device_logged_out(
    arrives: Arrives, screenshots: Path
) -> None:
    edda, phone = arrives("Edda").sign_up(), arrives("Edda", **PHONE)
    phone.username = edda.username
    phone.sign_in()
    phone.is_connected()
    go(edda, "My account")

    the_profile_is_changed(edda)
    edda.screenshot(screenshots, "account")
    devices = group(edda, "Devices").get_by_role("listitem")
    expect(devices).to_have_count(2)
    devices.filter(has_not_text="This device").get_by_role("button").click()
    expect(phone.page.get_by_text("Your session has ended")).to_be_visible()
    expect(devices).to_have_count(1)
    the_password_is_changed(edda)
    phone.sign_in(password=NEW_PASSWORD)
    phone.is_connected()
    go(phone, "My account")
    expect(phone.page.get_by_label("Signature")).to_have_value("On the road")
    assert phone.page.evaluate(OVERFLOW) == 0
    phone.screenshot(screenshots, "phone-account")
    confirm(phone, "Log out everywhere")

    for person in (edda, phone):
        expect(person.page.get_by_role("heading", name="Welcome back")).to_be_visible()


def the_profile_is_changed(edda: Person) -> None:
    edda.page.get_by_label("Nickname").fill("Edda the second")
    edda.page.get_by_label("Signature").fill("On the road")
    edda.page.get_by_label("Gender").select_option("Female")
    press(edda, "Save profile")
    expect(edda.page.locator("#my-name")).to_have_text("Edda the second")


def the_password_is_changed(edda: Person) -> None:
    edda.page.get_by_label("Old password").fill("not the password")
    edda.page.get_by_label("New password").fill(NEW_PASSWORD)
    press(edda, "Change password")
    expect(edda.page.get_by_role("alert")).to_have_text("The old password is wrong.")
    edda.page.get_by_label("Old password").fill(PASSWORD)
    press(edda, "Change password")
    expect(edda.page.get_by_text("Your password is changed")).to_be_visible()


@pytest.mark.req("APP-2")
def test_one_takes_ones_data_along_and_leaves(arrives: Arrives) -> None:
    fritz = arrives("Fritz").sign_up()
    go(fritz, "My account")

    press(fritz, "Export my data")
    link = fritz.page.get_by_role("link", name="Download my data")
    expect(link).to_be_visible()
    with fritz.page.expect_download() as download:
        link.click()
    confirm(fritz, "Delete my account")

    assert fritz.username in download.value.path().read_text(encoding="utf-8")
    expect(fritz.page.get_by_role("heading", name="Welcome back")).to_be_visible()
    fritz.sign_in()
    expect(fritz.page.get_by_role("alert")).to_have_text("The user name or the password is wrong.")
