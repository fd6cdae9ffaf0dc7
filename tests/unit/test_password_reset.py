from __future__ import annotations

import json
import logging
from typing import Any

import pytest

from chalicelib import bootstrap
from chalicelib import bootstrap_identity as identity
from chalicelib.aws import Endpoint
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.logic.password_reset import TOKEN_SECONDS, ResetPolicy, parse_reset
from chalicelib.mail import LogSender, SesSender
from chalicelib.models import User
from tests.rest import PASSWORD, Reply, Rest, assert_problem

POLICY = "/lambchat/unit/policy/password-reset"
SES = {"sender": "ses", "from": "chat@example.com", "url": "https://chat.example/#reset={token}"}
NEW = "another horse"


class Sent:
    """A sender that remembers, and an outbox whose commands a test carries out."""

    def __init__(self) -> None:
        self.tokens: list[tuple[str, str]] = []
        self.waiting: list[str] = []

    def send(self, user: User, token: str, policy: ResetPolicy) -> None:
        assert policy.sender == "ses"
        self.tokens.append((user.username, token))

    def reset_password(self, _ctx: Context, username: str) -> None:
        self.waiting.append(username)

    def carry_out(self) -> None:
        while self.waiting:
            identity.password_resets().send_token(self.waiting.pop(0))


@pytest.fixture
def sent(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> Sent:
    made = Sent()
    monkeypatch.setattr(identity, "_senders", lambda: {"ses": made})
    monkeypatch.setattr(bootstrap, "outbox", lambda: made)
    rest.centre.values[POLICY] = json.dumps(SES)
    return made


def ask(rest: Rest, username: str) -> Reply:
    return rest.call("POST", "/v1/auth/password-reset", body={"username": username})


def confirm(rest: Rest, token: str, password: str = NEW) -> Reply:
    body = {"token": token, "new_password": password}
    return rest.call("POST", "/v1/auth/password-reset/confirm", body=body)


def token_for(rest: Rest, sent: Sent, username: str) -> str:
    assert ask(rest, username).status == 202
    sent.carry_out()
    return sent.tokens[-1][1]


@pytest.mark.req("APP-1")
def test_a_forgotten_password_is_replaced_and_every_session_ends(rest: Rest, sent: Sent) -> None:
    ann = rest.signed_in("ann")

    done = confirm(rest, token_for(rest, sent, "ANN"))

    assert (done.status, done.text) == (204, "")
    assert rest.call("GET", "/v1/users/me", token=ann["access_token"]).status == 401
    assert rest.presence.closed == [(ann["user"]["id"], None)]
    assert rest.login("ann", password=NEW)
    old = rest.call("POST", "/v1/auth/login", body={"username": "ann", "password": PASSWORD})
    assert_problem(old, 401, "invalid_credentials")


def test_nobody_learns_who_has_an_account(rest: Rest, sent: Sent) -> None:
    """Neither from the answer nor from what is done before it."""
    rest.register("ann")

    answers = [ask(rest, name) for name in ("ann", "nobody")]

    assert [(one.status, one.text) for one in answers] == [(202, "")] * 2
    assert sent.waiting == ["ann", "nobody"]
    sent.carry_out()
    assert [name for name, _ in sent.tokens] == ["ann"]


def test_a_token_works_once_and_not_for_long(rest: Rest, sent: Sent) -> None:
    rest.register("ann")
    token = token_for(rest, sent, "ann")
    assert confirm(rest, token).status == 204
    assert_problem(confirm(rest, token), 400, "invalid_token")

    late = token_for(rest, sent, "ann")
    rest.clock.now += TOKEN_SECONDS
    assert_problem(confirm(rest, late), 400, "invalid_token")


def test_a_changed_password_makes_earlier_tokens_worthless(rest: Rest, sent: Sent) -> None:
    rest.register("ann")
    tokens = [token_for(rest, sent, "ann") for _ in range(2)]
    assert confirm(rest, tokens[0]).status == 204

    assert_problem(confirm(rest, tokens[1]), 400, "invalid_token")


def test_a_token_of_nobody_is_refused(rest: Rest, sent: Sent) -> None:
    assert_problem(confirm(rest, "forged"), 400, "invalid_token")

    rest.register("ann")
    token = token_for(rest, sent, "ann")
    rest.users.rows.clear()
    assert_problem(confirm(rest, token), 400, "invalid_token")


def test_a_token_is_stored_hashed(rest: Rest, sent: Sent) -> None:
    rest.register("ann")

    token = token_for(rest, sent, "ann")

    assert token not in repr(rest.one_time_tokens.rows)


def test_requests_for_one_account_are_few_wherever_they_come_from(rest: Rest, sent: Sent) -> None:
    for name in ("ann", "nobody"):
        statuses = [ask(rest, name).status for _ in range(6)]

        assert statuses == [202] * 5 + [429]


@pytest.mark.parametrize("text", ['{"sender": "none"}', '{"sender": "log"}', "rubbish"])
def test_without_a_sender_it_is_refused_whoever_asks(rest: Rest, sent: Sent, text: str) -> None:
    """The log is none in the stage of these tests."""
    rest.centre.values[POLICY] = text

    assert_problem(ask(rest, "ann"), 403, "forbidden")
    assert sent.waiting == []


def test_a_command_that_comes_when_the_sender_is_gone_sends_nothing(rest: Rest, sent: Sent) -> None:
    rest.register("ann")
    ask(rest, "ann")
    rest.centre.values[POLICY] = '{"sender": "none"}'

    sent.carry_out()

    assert sent.tokens == []
    assert rest.one_time_tokens.rows == {}


def test_the_address_is_one_s_own_and_needs_the_password(rest: Rest) -> None:
    ann, bob = rest.signed_in("ann"), rest.signed_in("bob")
    body = {"email": "ann@example.com", "password": PASSWORD}
    token = ann["access_token"]

    changed = rest.call("PUT", "/v1/auth/email", token=token, body=body)
    wrong = rest.call("PUT", "/v1/auth/email", token=token, body={**body, "password": "wrong"})

    assert (changed.status, changed.body["email"]) == (200, "ann@example.com")
    assert_problem(wrong, 401, "invalid_credentials")
    assert rest.call("GET", "/v1/users/me", token=token).body["email"] == "ann@example.com"
    assert (
        "email"
        not in rest.call("GET", f"/v1/users/{ann['user']['id']}", token=bob["access_token"]).body
    )
    patched = rest.call("PATCH", "/v1/users/me", token=token, body={"email": "x@example.com"})
    assert_problem(patched, 422, "invalid_field", "email")


@pytest.mark.parametrize("email", ["ann", "@", "a b@c", "a@b\r\nBcc: c@d", "<a@b>", "x" * 255])
def test_what_is_no_address_is_refused(rest: Rest, email: str) -> None:
    token = rest.signed_in("ann")["access_token"]
    body = {"email": email, "password": PASSWORD}

    assert_problem(
        rest.call("PUT", "/v1/auth/email", token=token, body=body), 422, "invalid_field", "email"
    )


def test_the_log_is_a_sender_in_the_stage_local_only(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(ValueError, match="local"):
        LogSender("prod")
    with pytest.raises(ValueError, match="local"):
        parse_reset('{"sender": "log"}', "prod")

    assert parse_reset('{"sender": "log"}', "local").sender == "log"
    assert caplog.records == []


def test_the_composition_root_has_the_log_as_sender_in_the_stage_local_only(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("STAGE", "prod")
    assert set(identity._senders()) == {"ses"}

    monkeypatch.setenv("STAGE", "local")
    assert set(identity._senders()) == {"ses", "log"}


def test_the_local_sender_writes_the_token_down(
    rest: Rest, caplog: pytest.LogCaptureFixture
) -> None:
    rest.register("ann")
    (ann,) = rest.users.rows.values()
    with caplog.at_level(logging.WARNING, "chalicelib.mail"):
        LogSender("local").send(ann, "t0ken", ResetPolicy(sender="log"))

    (record,) = (one for one in caplog.records if one.name == "chalicelib.mail")
    assert (record.__dict__["username"], record.__dict__["token"]) == ("ann", "t0ken")


def test_an_address_that_nobody_answers_at_is_tried_again_later(rest: Rest) -> None:
    rest.register("ann")
    (ann,) = rest.users.rows.values()
    sender = SesSender(Endpoint("ses", "http://127.0.0.1:9", "us-east-1"))
    policy = parse_reset(json.dumps(SES), "prod")
    sender.send(ann, "t0ken", policy)  # without an address nothing is tried

    rest.users.set_email(ann, "ann@example.com")
    with pytest.raises(UnavailableError):
        sender.send(rest.users.rows[ann.id], "t0ken", policy)


def change(**more: Any) -> str:
    return json.dumps({**SES, **more})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "object"),
        ("{}", "sender"),
        (change(sender="pigeon"), "sender"),
        (change(password="x"), "object"),
        (change(**{"from": ""}), "from"),
        (change(url="http://chat.example/{token}"), "url"),
        (change(url="https://chat.example/"), "url"),
    ],
)
def test_a_wrong_policy_is_refused_and_says_where(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_reset(text, "prod")


def test_the_link_has_the_token_in_it() -> None:
    policy = parse_reset(change(url="https://chat.example/reset?t={token}"), "prod")

    assert policy.link("abc") == "https://chat.example/reset?t=abc"
