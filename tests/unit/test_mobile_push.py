from __future__ import annotations

import json
from dataclasses import replace
from typing import cast

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.logic.push_policy import PushPolicy
from chalicelib.logic.webhook_fanout import StoredTogether
from tests.fakes_push import APPLICATIONS, device
from tests.unit.mobile_push_fakes import COLLAPSE, GROUP, ROOM, Desk

STORED = StoredTogether(
    trace_id="t", conversation_id=ROOM, conversation_type="direct", senders={1: "ann"}
)


@pytest.fixture
def desk() -> Desk:
    return Desk()


@pytest.mark.req("APP-11")
def test_every_device_of_a_receiver_is_notified_once(desk: Desk) -> None:
    desk.push(1)

    assert {note.collapse_id for note in desk.endpoints.published} == {ROOM}
    assert desk.told() == [("bob-phone", 1), ("bob-tablet", 1)]


@pytest.mark.parametrize(
    "policy", [PushPolicy(), PushPolicy(enabled=False, applications=APPLICATIONS)]
)
def test_where_it_is_switched_off_nothing_is_asked(desk: Desk, policy: PushPolicy) -> None:
    desk.policy = policy
    desk.receivers = cast(list[str], None)

    desk.service.look_ahead([STORED])
    desk.push(1)

    assert (desk.told(), desk.looked_ahead) == ([], [])


def test_looking_ahead_heeds_the_size_of_groups_that_are_notified(desk: Desk) -> None:
    desk.service.look_ahead([STORED, STORED])

    assert desk.looked_ahead == [(2, desk.policy.max_group_members)]


@pytest.mark.req("APP-14")
def test_the_same_event_again_notifies_nobody_again(desk: Desk) -> None:
    desk.push(1)
    desk.told()

    desk.push(1)

    assert desk.told() == []


def test_further_messages_are_collapsed_until_the_window_ends(desk: Desk) -> None:
    desk.push(1)
    desk.clock.now += COLLAPSE - 1
    desk.push(2)
    assert desk.told() == [("bob-phone", 1), ("bob-tablet", 1)]

    desk.clock.now += 1
    desk.push(3)

    assert desk.told() == [("bob-phone", 3), ("bob-tablet", 3)]


@pytest.mark.req("APP-14")
def test_what_sns_did_not_take_comes_again_and_what_it_took_does_not(desk: Desk) -> None:
    desk.receivers = ["bob", "cat"]
    desk.add("cat", "phone")
    desk.endpoints.is_away = True
    with pytest.raises(UnavailableError, match="2 receivers"):
        desk.push(1)
    desk.endpoints.is_away = False
    desk.devices.settle(ROOM, {"cat": 1})

    desk.push(1)

    assert desk.told() == [("bob-phone", 1), ("bob-tablet", 1)]


def test_a_process_that_dies_in_between_leaves_the_notification_to_the_next(desk: Desk) -> None:
    publish, desk.endpoints.publish = desk.endpoints.publish, lambda _: 1 / 0  # type: ignore[method-assign,assignment,return-value]
    with pytest.raises(ZeroDivisionError):
        desk.push(1)
    desk.endpoints.publish = publish  # type: ignore[method-assign]

    desk.push(1)

    assert desk.told() == [("bob-phone", 1), ("bob-tablet", 1)]


def test_a_disabled_endpoint_removes_that_device_and_no_other(desk: Desk) -> None:
    desk.endpoints.enabled.remove(device("bob", "phone").endpoint)

    desk.push(1)

    assert desk.told() == [("bob-tablet", 1)]
    assert list(desk.devices.rows["bob"]) == ["tablet"]


@pytest.mark.req("APP-3")
def test_a_device_whose_session_is_over_is_not_notified_and_forgotten(desk: Desk) -> None:
    desk.ended = {"phone"}

    desk.push(1)

    assert desk.told() == [("bob-tablet", 1)]
    assert list(desk.devices.rows["bob"]) == ["tablet"]


def test_what_was_read_meanwhile_is_not_told(desk: Desk) -> None:
    desk.read = {"bob": 1}

    desk.push(1)
    assert desk.told() == []

    desk.unread.pop(ROOM)  # and neither is a conversation that was left
    desk.clock.now += COLLAPSE
    desk.push(2)
    assert desk.told() == []


def test_the_badge_counts_what_is_unread_and_not_muted_without_the_world(desk: Desk) -> None:
    desk.unread["d-bob-eve"] = (7, desk.clock.now + 60)

    desk.push(1)

    own = json.loads(json.loads(desk.endpoints.published[0].message)["GCM"])
    assert own["fcmV1Message"]["message"]["data"]["badge"] == "5"


def test_names_and_text_are_shown_if_the_policy_says_so(desk: Desk) -> None:
    desk.push(1)
    assert desk.notification() == {"body": "New message"}
    assert desk.names_read == 0

    desk.policy = replace(desk.policy, show_content=True)
    desk.clock.now += COLLAPSE
    desk.push(2)
    assert desk.notification() == {"title": "Ann A.", "body": "text 2"}

    desk.unread[GROUP] = (1, 0.0)
    desk.push(1, GROUP)
    assert desk.notification() == {"title": "Crew", "body": "Ann A.: text 1"}


def test_many_receivers_are_notified_in_chunks_and_each_once(desk: Desk) -> None:
    desk.receivers = [f"u{number}" for number in range(250)]
    for user_id in desk.receivers:
        desk.add(user_id, "phone")
    waves: list[int] = []
    publish = desk.endpoints.publish
    desk.endpoints.publish = lambda notes: waves.append(len(notes)) or publish(notes)  # type: ignore[method-assign,func-returns-value]

    desk.push(1)

    assert waves == [100, 100, 50]
    assert len(set(desk.told())) == 250
