"""Conversations on the page, in a real browser, against a running system."""

from __future__ import annotations

import uuid
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import Arrives

pytestmark = pytest.mark.browser
pytest_plugins = ("tests.e2e.page_fixtures",)


def test_two_people_chat_and_see_what_was_read(arrives: Arrives, screenshots: Path) -> None:
    alice = arrives("Alice").sign_up()
    bruno = arrives("Bruno", color_scheme="dark").sign_up()
    alice.screenshot(screenshots, "empty")

    alice.finds(bruno)
    alice.says("Hi Bruno! Did the local cloud start on your machine?")
    expect(bruno.entry("Alice")).to_contain_text("1 unread")
    alice.sees_mark("Hi Bruno! Did the local cloud start on your machine?", "Delivered")
    bruno.opens("Alice")
    alice.sees_mark("Hi Bruno! Did the local cloud start on your machine?", "Read")
    bruno.says("It did. One command, as promised.")
    alice.says("Wonderful. Next I would like to try:\n• the world room\n• pulling the plug")
    bruno.says("Shall we?")

    alice.sees("Shall we?")
    bruno.sees_mark("Shall we?", "Read")
    assert alice.texts() == bruno.texts()
    alice.screenshot(screenshots, "chat")
    bruno.screenshot(screenshots, "chat-dark")


def test_the_world_room_reaches_everybody(arrives: Arrives, screenshots: Path) -> None:
    chloe, dimitri = arrives("Chloe").sign_up(), arrives("Dimitri").sign_up()
    greeting, answer = (f"{word} {uuid.uuid4().hex[:6]}" for word in ("Good morning", "Hello"))

    chloe.opens("World")
    chloe.says(greeting)
    expect(dimitri.entry("World")).to_contain_text(greeting)
    expect(dimitri.entry("World")).to_contain_text("unread")
    dimitri.opens("World")
    dimitri.says(answer)

    chloe.sees(answer)
    expect(chloe.message(answer)).to_contain_text("Dimitri")
    dimitri.screenshot(screenshots, "world")


def test_who_was_away_finds_the_messages_and_how_many_are_new(arrives: Arrives) -> None:
    emil, fay = arrives("Emil").sign_up(), arrives("Fay").sign_up()
    emil.finds(fay)
    emil.says("before")
    fay.opens("Emil")
    fay.says("see you later")
    emil.sees_mark("before", "Read")
    fay.leaves()

    for text in ("one", "two", "three"):
        emil.says(text)
    emil.sees_mark("three", "Sent")
    fay.comes_back()

    expect(fay.page).to_have_title("(3) lambchat")
    expect(fay.entry("Emil")).to_contain_text("3 unread")
    emil.sees_mark("three", "Delivered")
    fay.opens("Emil")
    expect(fay.log.get_by_text("New messages", exact=True)).to_be_visible()
    emil.sees_mark("three", "Read")
    expect(fay.page).to_have_title("lambchat")
    assert fay.texts() == ["before", "see you later", "one", "two", "three"]


def test_a_lost_connection_comes_back_and_catches_up(arrives: Arrives, screenshots: Path) -> None:
    gina, hugo = arrives("Gina").sign_up(), arrives("Hugo").sign_up()
    gina.finds(hugo)
    gina.says("hello")
    hugo.opens("Gina")

    hugo.loses_the_network()
    gina.says("can you hear me?")
    hugo.says("written without a connection")
    hugo.sees_mark("written without a connection", "Sending")
    hugo.screenshot(screenshots, "no-connection")
    gina.sees_mark("can you hear me?", "Sent")
    hugo.gets_the_network_back()

    gina.sees("written without a connection")
    hugo.sees("can you hear me?")
    expect(hugo.page.locator("#connection")).to_be_hidden()
    assert gina.texts() == ["hello", "can you hear me?", "written without a connection"]
    expect(hugo.log.locator(".text")).to_have_text(gina.texts())


def test_a_connection_that_the_server_drops_is_opened_again_by_itself(arrives: Arrives) -> None:
    ida, jon = arrives("Ida").sign_up(), arrives("Jon").sign_up()
    ida.finds(jon)
    ida.says("hello")
    jon.opens("Ida")

    for number in range(3):
        jon.page.evaluate("testSockets.at(-1).close()")
        ida.says(f"during break {number}")
        jon.says(f"answer {number}")
        jon.is_connected()
        jon.sees(f"during break {number}")
        ida.sees(f"answer {number}")

    assert jon.page.evaluate("testSockets.length") == 4
    expect(jon.log.locator(".text")).to_have_text(ida.texts())
