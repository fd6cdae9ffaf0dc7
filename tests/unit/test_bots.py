from __future__ import annotations

from dataclasses import replace
from itertools import count

import pytest

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_integration as integration
from chalicelib import cli
from chalicelib.context import Context
from chalicelib.errors import (
    InvalidFieldError,
    LimitReachedError,
    NotFoundError,
    UsernameTakenError,
)
from chalicelib.logic.bot_tokens import BotTokens
from chalicelib.logic.bots import MAX_BOTS, BotService
from chalicelib.logic.outbound import Outbound, WebhookPolicy
from chalicelib.models import Hears
from tests.fakes_admin import FakeEntries, new_audit
from tests.fakes_integration import KEY, FakeBots, bot
from tests.rest import Rest, assert_problem

CTX = Context(user="boss")


class Desk:
    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self.bots = FakeBots()
        self.entries = FakeEntries()
        secrets = count(1)
        self.service = BotService(
            bots=self.bots,
            register=accounts.auth().register,
            disconnect=rest.presence.disconnect,
            require=Outbound(WebhookPolicy, "prod").require,
            audit=new_audit(self.entries, rest.clock),
            clock=rest.clock,
            new_token_secret=lambda: f"se_cret-{next(secrets)}",
            random_bytes=lambda size: KEY[:size],
        )


@pytest.fixture
def desk(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Desk:
    made = Desk(rest)
    monkeypatch.setattr(integration, "bots", lambda: made.service)
    tokens = BotTokens(made.bots, rest.bans, rest.relations.exists)
    monkeypatch.setattr(integration, "bot_tokens", lambda: tokens)
    return made


@pytest.fixture
def admin(desk: Desk) -> str:
    user = desk.rest.signed_in("boss")["user"]
    desk.rest.users.rows[user["id"]] = replace(desk.rest.users.rows[user["id"]], roles=("admin",))
    token: str = desk.rest.login("boss")["access_token"]
    return token


def test_a_bot_is_an_account_without_a_password(desk: Desk) -> None:
    made = desk.service.add(CTX, user_id="b1", username="Helper", nickname="Help")

    account = desk.rest.users.rows["b1"]
    assert (account.username, account.roles, account.password_hash) == ("Helper", ("bot",), "")
    assert made.token == "lb_b1_se_cret-1"
    assert made.bot.hears is Hears.MENTIONS


def test_only_the_hash_of_a_token_is_stored_and_neither_is_logged(desk: Desk) -> None:
    made = desk.service.add(CTX, user_id="b1", username="helper")

    assert "se_cret-1" not in str(desk.bots.rows)
    shown = str(desk.entries.rows)
    assert made.bot.token_digest not in shown
    assert made.bot.secret not in shown


def test_a_name_that_is_taken_makes_no_bot(desk: Desk) -> None:
    desk.rest.signed_in("helper")

    with pytest.raises(UsernameTakenError):
        desk.service.add(CTX, user_id="b1", username="Helper")

    assert desk.service.all() == []


def test_there_are_so_many_at_the_most_and_at_public_addresses(desk: Desk) -> None:
    with pytest.raises(InvalidFieldError):
        desk.service.add(CTX, user_id="b1", username="helper", url="https://10.0.0.1/")
    desk.bots.rows = {f"b{n}": bot(f"b{n}") for n in range(MAX_BOTS)}

    with pytest.raises(LimitReachedError):
        desk.service.add(CTX, user_id="one", username="one more")


def test_a_new_token_ends_the_one_before_and_its_connections(desk: Desk) -> None:
    first = desk.service.add(CTX, user_id="b1", username="helper")

    second = desk.service.renew_token(CTX, "b1")

    assert first.token != second.token
    assert first.bot.token_digest != second.bot.token_digest
    assert desk.rest.presence.closed == [("b1", None)]


def test_a_removed_bot_is_cut_off_and_its_account_stays(desk: Desk) -> None:
    desk.service.add(CTX, user_id="b1", username="helper")

    desk.service.remove(CTX, "b1")

    assert desk.service.all() == []
    assert desk.rest.presence.closed == [("b1", None)]
    assert "b1" in desk.rest.users.rows
    with pytest.raises(NotFoundError):
        desk.service.renew_token(CTX, "b1")


def test_an_administrator_keeps_bots_over_rest(desk: Desk, admin: str) -> None:
    rest, path = desk.rest, "/v1/admin/bots"

    added = rest.call("POST", path, token=admin, body={"username": "helper", "hears": "all"})

    assert added.status == 201
    shown = added.body
    token, secret = shown.pop("token"), shown.pop("secret")
    assert (token[:3], secret[:6]) == ("lb_", "whsec_")
    assert rest.call("GET", path, token=admin).body == {"items": [shown]}
    one = f"{path}/{shown['user_id']}"
    changed = rest.call(
        "PATCH", one, token=admin, body={"url": "https://b.example/", "hears": "mentions"}
    )
    assert changed.body == {**shown, "url": "https://b.example/", "hears": "mentions"}
    renewed = rest.call("POST", f"{one}/token", token=admin)
    assert renewed.status == 201
    assert renewed.body["token"] != token
    assert rest.call("DELETE", one, token=admin).status == 204
    assert_problem(rest.call("PATCH", one, token=admin, body={}), 404, "not_found")


@pytest.mark.req("APP-19")
def test_a_bot_uses_the_api_with_its_token_until_it_is_renewed(desk: Desk, admin: str) -> None:
    rest = desk.rest
    added = rest.call("POST", "/v1/admin/bots", token=admin, body={"username": "helper"}).body

    mine = rest.call("GET", "/v1/users/me", token=added["token"])

    assert (mine.status, mine.body["username"]) == (200, "helper")
    assert_problem(rest.call("GET", "/v1/admin/bots", token=added["token"]), 403, "forbidden")
    rest.call("POST", f"/v1/admin/bots/{added['user_id']}/token", token=admin)
    assert_problem(rest.call("GET", "/v1/users/me", token=added["token"]), 401, "unauthorized")


def test_the_command_line_does_the_same(desk: Desk, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["bot", "helper", "--hears", "all"]) == 0
    user_id, token, _secret = capsys.readouterr().out.split()
    assert cli.main(["bots"]) == 0
    listed = capsys.readouterr().out
    assert cli.main(["remove-bot", user_id]) == 0

    assert token.startswith(f"lb_{user_id}_")
    assert user_id in listed
    assert token not in listed
    assert desk.service.all() == []
