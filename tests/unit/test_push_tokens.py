"""Who is notified where: tokens registered, moved, and forgotten; over REST too."""

from __future__ import annotations

import json
import logging

import pytest

from chalicelib.errors import InvalidFieldError, NotFoundError, UnavailableError
from chalicelib.logic.push_policy import PushPolicy
from chalicelib.logic.push_tokens import PushTokenService
from chalicelib.logic.tokens import Identity
from chalicelib.models import PushPlatform
from tests.fakes_accounts import Clock
from tests.fakes_push import APPLICATIONS, FakeEndpoints, FakePushTokens, device
from tests.rest import Reply, Rest, assert_problem

POLICY = {"applications": dict(APPLICATIONS)}
TOKEN = "a-token-that-nobody-else-may-see"


def identity(user_id: str, device_id: str = "phone") -> Identity:
    return Identity(user_id=user_id, device_id=device_id, session_id=f"s-{device_id}")


class Desk:
    def __init__(self) -> None:
        self.devices = FakePushTokens()
        self.endpoints = FakeEndpoints()
        self.policy = PushPolicy(applications=APPLICATIONS)
        self.service = PushTokenService(
            devices=self.devices,
            endpoints=self.endpoints,
            policy=lambda: self.policy,
            clock=Clock(),
        )

    def register(self, user_id: str, device_id: str = "phone", token: str = TOKEN) -> None:
        self.service.register(identity(user_id, device_id), device_id, PushPlatform.FCM, token)

    def where(self) -> dict[str, list[str]]:
        """The devices that each user is notified on."""
        return {user: list(rows) for user, rows in self.devices.rows.items() if rows}


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_device_is_kept_with_its_endpoint_and_session_and_without_its_token(desk: Desk) -> None:
    desk.register("ann")

    (kept,) = desk.devices.of(["ann"])["ann"]
    assert (kept.device_id, kept.session_id, kept.platform) == ("phone", "s-phone", "fcm")
    assert desk.endpoints.tokens == {kept.endpoint: TOKEN}
    assert TOKEN not in str(desk.devices.rows)


def test_a_changed_token_takes_the_place_of_the_earlier_one(desk: Desk) -> None:
    desk.register("ann")

    desk.register("ann", token="another")

    assert list(desk.endpoints.tokens.values()) == ["another"]
    assert desk.where() == {"ann": ["phone"]}


def test_the_same_token_again_is_notified_again_after_it_was_disabled(desk: Desk) -> None:
    desk.register("ann")
    desk.endpoints.enabled.clear()

    desk.register("ann")

    assert len(desk.endpoints.tokens) == len(desk.endpoints.enabled) == 1


@pytest.mark.req("APP-3")
def test_a_phone_that_changes_hands_notifies_its_new_user_only(desk: Desk) -> None:
    """The app keeps its token when somebody else logs in without the first one's log-out."""
    desk.register("ann")

    desk.register("bob", "b-phone")

    assert desk.where() == {"bob": ["b-phone"]}
    assert list(desk.endpoints.owners.values()) == ["bob b-phone"]


def test_a_new_log_in_on_the_same_phone_does_not_notify_twice(desk: Desk) -> None:
    desk.register("ann", "before")

    desk.register("ann", "after")

    assert desk.where() == {"ann": ["after"]}


def test_who_had_the_phone_is_forgotten_before_it_is_somebody_else_s(desk: Desk) -> None:
    desk.register("ann")
    calls: list[str] = []
    desk.endpoints.enable = lambda *_: calls.append(str(desk.where()))  # type: ignore[method-assign]

    desk.register("bob", "b-phone")

    assert calls == ["{}"]


def test_a_device_registers_for_itself_only(desk: Desk) -> None:
    with pytest.raises(NotFoundError):
        desk.service.register(identity("ann"), "tablet", PushPlatform.FCM, TOKEN)

    assert desk.where() == {}


@pytest.mark.parametrize("policy", [PushPolicy(), PushPolicy(applications={}, enabled=False)])
def test_a_platform_that_is_not_served_is_refused(desk: Desk, policy: PushPolicy) -> None:
    desk.policy = policy

    with pytest.raises(InvalidFieldError) as caught:
        desk.register("ann")

    assert caught.value.errors[0].field == "platform"


def test_forgetting_ends_one_device_or_all(desk: Desk) -> None:
    for name in ("phone", "tablet", "watch"):
        desk.register("ann", name, token=name)

    desk.service.forget("ann", "phone")
    desk.service.forget("ann", "phone")
    assert desk.where() == {"ann": ["tablet", "watch"]}
    assert sorted(desk.endpoints.tokens.values()) == ["tablet", "watch"]

    desk.service.forget("ann")
    assert (desk.where(), desk.endpoints.tokens) == ({}, {})


def test_while_sns_is_away_a_device_is_forgotten_all_the_same(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.register("ann")
    desk.endpoints.is_away = True

    with caplog.at_level(logging.WARNING):
        desk.service.forget("ann", "phone")

    assert desk.where() == {}
    assert [one.message for one in caplog.records] == ["push endpoints not deleted"]
    with pytest.raises(UnavailableError):
        desk.register("ann")


def test_dropping_a_device_leaves_the_token_that_it_has_by_now(desk: Desk) -> None:
    desk.register("ann")
    (now,) = desk.devices.of(["ann"])["ann"]

    desk.service.drop(device("ann", endpoint="an earlier one"))
    assert desk.where() == {"ann": ["phone"]}

    desk.service.drop(now)
    assert (desk.where(), desk.endpoints.tokens) == ({}, {})


def path(session: dict[str, str]) -> str:
    return f"/v1/users/me/push-tokens/{session['device_id']}"


@pytest.fixture
def served(rest: Rest) -> Rest:
    rest.centre.values["/lambchat/unit/policy/push"] = json.dumps(POLICY)
    return rest


BODY = {"platform": "apns", "token": TOKEN}


@pytest.mark.req("APP-3")
def test_over_rest_a_device_is_notified_until_it_logs_out(
    served: Rest, caplog: pytest.LogCaptureFixture
) -> None:
    session = served.signed_in()
    token = session["access_token"]

    with caplog.at_level(logging.DEBUG):
        answer = served.call("PUT", path(session), body=BODY, token=token)

    assert (answer.status, answer.text) == (204, "")
    (row,) = served.push_tokens.rows[session["user"]["id"]].values()
    assert (row.platform, row.device_id) == ("apns", session["device_id"])
    assert TOKEN not in caplog.text
    assert served.call("POST", "/v1/auth/logout", token=token).status == 204
    assert (served.push_tokens.of(served.push_tokens.rows), served.endpoints.tokens) == ({}, {})


def test_over_rest_a_token_is_taken_back(served: Rest) -> None:
    session = served.signed_in()
    token = session["access_token"]
    served.call("PUT", path(session), body=BODY, token=token)

    answers = [served.call("DELETE", path(session), token=token).status for _ in range(2)]

    assert answers == [204, 204]
    assert served.endpoints.tokens == {}


def test_over_rest_what_is_wrong_is_named(served: Rest) -> None:
    session = served.signed_in()
    token = session["access_token"]

    def put(where: str = path(session), **body: object) -> Reply:
        return served.call("PUT", where, body={**BODY, **body}, token=token)

    assert_problem(put(platform="pigeon"), 422, "invalid_field", "platform")
    assert_problem(put(token=""), 422, "invalid_field", "token")
    assert_problem(put(platform="apns_sandbox"), 422, "invalid_field", "platform")
    assert_problem(put("/v1/users/me/push-tokens/other"), 404, "not_found")
    assert_problem(served.call("PUT", path(session), body=BODY), 401, "unauthorized")
