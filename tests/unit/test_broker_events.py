"""Events: every listener gets them, in the version that it knows, in either style."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import pytest

from chalicelib.broker import BaseEvent, Command, Retry, decode, publish_event, subscribe_event
from chalicelib.context import Context
from tests.unit.broker_fakes import Fixture


@dataclass(frozen=True, slots=True, kw_only=True)
class UserRegistered(BaseEvent):
    event_name: ClassVar[str] = "user.registered"
    user_id: str
    invited_by: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class UserLeft(BaseEvent):
    event_name: ClassVar[str] = "user.left"


@pytest.fixture
def on() -> Fixture:
    return Fixture()


@pytest.mark.req("TASK-4", "TASK-5")
def test_every_listener_gets_an_event_as_a_raw_dict_in_a_group_of_its_own(on: Fixture) -> None:
    seen: list[tuple[str, dict[str, Any]]] = []

    @on.broker.listener(UserRegistered)
    def welcome(_ctx: Context, payload: dict[str, Any]) -> None:
        seen.append(("welcome", payload))

    @on.broker.listener("user.registered", name="statistics")
    def count(_ctx: Context, payload: dict[str, Any]) -> None:
        seen.append(("statistics", payload))

    on.broker.publish(Context(), UserRegistered(user_id="u1"), key="u1")
    (message,) = on.kafka.sent
    event = on.taken()
    for group in on.broker.groups:
        on.broker.run(group, decode(event))

    payload = {"user_id": "u1", "invited_by": ""}
    assert on.broker.groups == {"welcome": "EVENTS", "statistics": "EVENTS"}
    assert seen == [("welcome", payload), ("statistics", payload)]
    assert (message.topic, message.key) == ("EVENTS", b"u1")


def test_a_batch_listener_gets_the_events_with_their_places(on: Fixture) -> None:
    seen: list[Command] = []

    @on.broker.batch_listener(UserRegistered)
    def count(events: Any) -> None:
        seen.extend(events)

    for number in range(2):
        on.broker.publish(Context(), UserRegistered(user_id=str(number)))
    on.broker.run("count", decode(on.taken()))

    assert [(one.args["user_id"], one.offset) for one in seen] == [("0", 0), ("1", 1)]


def test_a_listener_of_several_events_gets_them_in_order_each_kind_for_itself(on: Fixture) -> None:
    seen: list[tuple[str, int]] = []

    @on.broker.batch_listener(UserRegistered, "user.left", name="people")
    def follow(events: Any) -> None:
        seen.append((events[0].name, len(events)))

    for one in (UserRegistered(user_id="1"), UserRegistered(user_id="2"), UserLeft()):
        on.broker.publish(Context(), one)
    on.broker.publish(Context(), UserRegistered(user_id="3"))
    on.broker.run("people", decode(on.taken()))

    assert on.broker.groups == {"people": "EVENTS"}
    assert seen == [("user.registered", 2), ("user.left", 1), ("user.registered", 1)]


@pytest.mark.req("TASK-5")
def test_the_version_is_10_unless_an_event_says_otherwise() -> None:
    assert UserRegistered(user_id="u1").event_version == "1.0"
    assert "event_version" not in UserRegistered(user_id="u1").payload()


@pytest.mark.req("TASK-5")
def test_an_unsupported_version_is_skipped_with_a_warning_and_a_new_minor_is_taken(
    on: Fixture, caplog: pytest.LogCaptureFixture
) -> None:
    seen: list[str] = []

    @on.broker.listener(UserRegistered)
    def welcome(_ctx: Context, payload: dict[str, Any]) -> None:
        seen.append(payload["user_id"])

    for version in ("2.0", "1.7"):
        on.broker.publish(Context(), UserRegistered(event_version=version, user_id=version))
    on.broker.run("welcome", decode(on.taken()))

    assert seen == ["1.7"]
    assert caplog.text.count("unsupported version") == 1
    assert on.parked == []


def test_an_event_that_nobody_listens_to_is_nobodys(on: Fixture) -> None:
    on.broker.listener(UserRegistered, name="welcome")(lambda _ctx, _payload: None)

    @dataclass(frozen=True, kw_only=True)
    class Other(BaseEvent):
        event_name = "other"

    on.broker.publish(Context(), Other())
    on.broker.run("welcome", decode(on.taken()))

    assert on.parked == []


def test_a_failed_listener_tries_again_alone(on: Fixture) -> None:
    seen: list[str] = []

    @on.broker.listener(UserRegistered, retry=Retry(attempts=2, first_seconds=1))
    def webhook(_ctx: Context, _payload: dict[str, Any]) -> None:
        seen.append("webhook")
        raise OSError("refused")

    @on.broker.listener(UserRegistered)
    def statistics(_ctx: Context, _payload: dict[str, Any]) -> None:
        seen.append("statistics")

    on.broker.publish(Context(), UserRegistered(event_version="1.3", user_id="u1"), key="u1")
    for _ in range(2):
        event = on.taken()
        for group in on.broker.groups:
            on.broker.run(group, decode(event))
        on.now += 10
        on.broker.release(Context())

    assert seen == ["webhook", "statistics", "webhook"]
    ((command, _),) = on.parked
    assert (command.listener, command.version, command.key) == ("webhook", "1.3", "u1")


@pytest.mark.req("TASK-8")
def test_both_styles_get_the_same_events_from_both_publishers(on: Fixture) -> None:
    old: list[UserRegistered] = []
    new: list[dict[str, Any]] = []

    @subscribe_event(on.broker, UserRegistered)
    def old_style(event: UserRegistered) -> None:
        old.append(event)

    @on.broker.listener(UserRegistered)
    def new_style(_ctx: Context, payload: dict[str, Any]) -> None:
        new.append(payload)

    publish_event(on.broker, UserRegistered(user_id="u1"))
    on.broker.publish(Context(), UserRegistered(user_id="u2"))
    event = on.taken()
    for group in on.broker.groups:
        on.broker.run(group, decode(event))

    assert len(on.broker.groups) == 2
    assert old == [UserRegistered(user_id="u1"), UserRegistered(user_id="u2")]
    assert [one["user_id"] for one in new] == ["u1", "u2"]


@pytest.mark.req("TASK-5", "TASK-8")
def test_the_old_style_ignores_unknown_fields_and_skips_other_versions(on: Fixture) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Newer(BaseEvent):
        event_name: ClassVar[str] = "user.registered"
        event_version: str = "1.1"
        user_id: str = "u1"
        country: str = "CH"

    seen: list[UserRegistered] = []
    subscribe_event(on.broker, UserRegistered)(seen.append)

    on.broker.publish(Context(), Newer())
    on.broker.publish(Context(), Newer(event_version="2.0"))
    (group,) = on.broker.groups
    on.broker.run(group, decode(on.taken()))

    assert seen == [UserRegistered(user_id="u1")]


@pytest.mark.req("TASK-8")
def test_an_event_without_a_field_that_the_old_style_needs_is_parked(on: Fixture) -> None:
    @dataclass(frozen=True, slots=True, kw_only=True)
    class Poor(BaseEvent):
        event_name: ClassVar[str] = "user.registered"

    seen: list[UserRegistered] = []
    subscribe_event(on.broker, UserRegistered)(seen.append)
    on.broker.publish(Context(), Poor())
    (group,) = on.broker.groups
    on.broker.run(group, decode(on.taken()))

    assert seen == []
    assert len(on.parked) == 1


@pytest.mark.req("TASK-8")
def test_an_old_style_subscriber_with_retries_is_tried_again_and_then_parked(on: Fixture) -> None:
    seen: list[str] = []

    @subscribe_event(on.broker, UserRegistered, retries=1)
    def webhook(event: UserRegistered) -> None:
        seen.append(event.user_id)
        raise OSError("refused")

    publish_event(on.broker, UserRegistered(user_id="u1"))
    (group,) = on.broker.groups
    for _ in range(2):
        on.broker.run(group, decode(on.taken()))
        on.now += 10
        on.broker.release(Context())

    assert seen == ["u1", "u1"]
    assert len(on.parked) == 1
