"""How the page behaves for its users: devices, keyboard, mistakes, tabs, hostile text."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.e2e.browser import PASSWORD, PHONE, Arrives

pytestmark = pytest.mark.browser
pytest_plugins = ("tests.e2e.page_fixtures",)

SEND_MANY = """async ([query, count]) => {
  const { Lambchat } = await import("/sdk/lambchat.js");
  const client = new Lambchat({ storage: localStorage });
  const { items: [other] } = await client.people.search({ query });
  client.connect();
  const numbers = Array.from({ length: count }, (_, index) => index + 1);
  await Promise.all(numbers.map((n) => client.send({ to: other.id }, `number ${n}`).sent));
  client.disconnect();
}"""
MAKE_TOKEN_STALE = """async () => {
  const { BrowserStorage } = await import("/sdk/lambchat.js");
  const storage = new BrowserStorage();
  const stored = JSON.parse(storage.getItem("lambchat.session"));
  await storage.setItem("lambchat.session", JSON.stringify({ ...stored, stale_at: 0 }));
}"""


def test_what_people_write_is_shown_as_they_wrote_it(arrives: Arrives) -> None:
    name = "<b>Kim</b>"
    texts = [
        "<img src=x onerror=\"document.title='broken'\">",
        "<script>document.title = 'broken'</script>",
        "'; DROP TABLE users; -- ${7*7} {{7*7}} %00 \\u0000",
        "e\u0301 مرحبا 👩\u200d👩\u200d👧 \u202eabc",
        "two\nlines   and   spaces",
    ]
    kim, lena = arrives("kim"), arrives("Lena").sign_up()
    kim.name = name
    kim.sign_up()

    kim.finds(lena)
    for text in texts:
        kim.says(text)
    lena.entry(name).click()
    lena.sees(texts[-1])

    assert lena.log.locator(".text").evaluate_all("all => all.map(one => one.textContent)") == texts
    assert lena.log.locator("img, script, b").count() == 0
    expect(lena.page.get_by_role("heading", name=name)).to_be_visible()
    expect(lena.page).to_have_title("lambchat")


def test_older_messages_are_loaded_on_scrolling_up(arrives: Arrives) -> None:
    mona, nils = arrives("Mona").sign_up(), arrives("Nils").sign_up()
    mona.finds(nils)
    mona.page.evaluate(SEND_MANY, [nils.username, 130])
    mona.sees("number 130")

    nils.opens("Mona")
    nils.page.get_by_role("button", name="Newest messages").click()
    nils.sees("number 130")
    first = nils.message("number 1")
    while first.count() == 0:
        nils.log.evaluate("log => { log.scrollTop = 0; }")
        nils.page.wait_for_function("document.querySelector('#log').scrollTop > 0")

    expect(nils.log.locator(".text")).to_have_text([f"number {n}" for n in range(1, 131)])
    expect(nils.log.get_by_text("The beginning of your conversation with Mona")).to_have_count(1)


def test_it_works_on_a_phone(arrives: Arrives, screenshots: Path) -> None:
    olga, pete = arrives("Olga").sign_up(), arrives("Pete", **PHONE)
    pete.screenshot(screenshots, "phone-sign-in")
    pete.sign_up()
    olga.finds(pete)
    olga.says("Are you on the train?")

    expect(pete.page.get_by_role("log")).to_be_hidden()
    pete.screenshot(screenshots, "phone-list")
    pete.entry("Olga").tap()
    pete.sees("Are you on the train?")
    expect(pete.page.get_by_role("navigation", name="Conversations")).to_be_hidden()
    pete.composer.fill("Yes, with a very small screen")
    pete.page.get_by_role("button", name="Send").tap()
    olga.sees("Yes, with a very small screen")
    pete.screenshot(screenshots, "phone-chat")
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    assert pete.page.evaluate(overflow) == 0
    pete.page.get_by_role("link", name="Back to the conversations").tap()

    expect(pete.entry("Olga")).to_be_visible()
    expect(pete.page.get_by_role("log")).to_be_hidden()


def test_the_keyboard_is_enough(arrives: Arrives) -> None:
    rosa, sven = arrives("Rosa").sign_up(), arrives("Sven").sign_up()
    keyboard = rosa.page.keyboard

    rosa.page.get_by_role("button", name="New chat").focus()
    keyboard.press("Enter")
    keyboard.type(sven.username)
    rosa.page.get_by_text("1 person found").wait_for()
    keyboard.press("ArrowDown")
    keyboard.press("Enter")
    expect(rosa.composer).to_be_focused()
    keyboard.type("first line")
    keyboard.press("Shift+Enter")
    keyboard.type("second line")
    keyboard.press("Enter")
    sven.entry("Rosa").focus()
    sven.page.keyboard.press("Enter")

    sven.sees("first line\nsecond line")
    expect(sven.composer).to_be_focused()
    expect(rosa.composer).to_be_focused()


def test_mistakes_are_told_beside_the_field(arrives: Arrives, screenshots: Path) -> None:
    tara, copy = arrives("Tara").sign_up(), arrives("Tara")
    copy.screenshot(screenshots, "sign-in")
    copy.username = tara.username
    alert = copy.page.get_by_role("alert")

    copy.sign_in(password="not the password")
    expect(alert.first).to_have_text("The user name or the password is wrong.")
    copy.page.get_by_role("button", name="Create an account").click()
    copy.fill_in()
    copy.page.get_by_role("button", name="Sign up").click()
    expect(alert.first).to_contain_text("is taken")
    copy.fill_in(password="")
    copy.page.get_by_role("button", name="Sign up").click()
    expect(copy.page.get_by_label("Password", exact=True)).to_have_attribute("aria-invalid", "true")
    expect(copy.page.get_by_label("Password", exact=True)).to_be_focused()
    copy.username += "_too"
    copy.fill_in(password="x")
    copy.page.get_by_role("button", name="Sign up").click()

    expect(copy.page.locator("#password-error")).not_to_be_empty()
    expect(alert.first).to_be_hidden()


def test_tabs_share_one_session(arrives: Arrives) -> None:
    uma = arrives("Uma").sign_up()
    tabs = [uma.page, *(uma.context.new_page() for _ in range(2))]
    uma.page.evaluate(MAKE_TOKEN_STALE)

    for tab in tabs:
        tab.goto(uma.url, wait_until="commit")
    for tab in tabs:
        tab.locator("body[data-connection=online]").wait_for()
    tabs[1].get_by_role("button", name="Sign out").click()

    for tab in tabs:
        expect(tab.get_by_role("heading", name="Welcome back")).to_be_visible()
    uma.sign_in(password=PASSWORD)
    for tab in tabs:
        tab.locator("body[data-connection=online]").wait_for()


def test_a_part_of_the_page_that_does_not_come_is_told(arrives: Arrives) -> None:
    xena = arrives("Xena")
    xena.page.route("**/app/dom.js", lambda route: route.abort())

    xena.page.reload()
    expect(xena.page.get_by_role("alert")).to_contain_text("could not be loaded")
    xena.page.unroute("**/app/dom.js")
    xena.page.get_by_role("link", name="Try again").click()

    expect(xena.page.get_by_role("heading", name="Welcome back")).to_be_visible()


def test_nothing_is_loaded_from_elsewhere(arrives: Arrives, system: Any) -> None:
    wim = arrives("Wim")
    requested: list[str] = []
    wim.page.on("request", lambda request: requested.append(request.url))

    wim.page.reload()
    wim.sign_up()

    assert all(url.startswith(f"{system.url}/") for url in requested)
    policy = wim.page.locator("meta[http-equiv=Content-Security-Policy]").get_attribute("content")
    assert policy is not None
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self';")
