from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.logic.push_policy import PushPolicy, parse_push
from chalicelib.models import PushPlatform

FCM = "arn:aws:sns:eu-west-1:123456789012:app/GCM/chat"


def test_by_default_nobody_is_notified() -> None:
    policy = parse_push("{}")

    assert policy == PushPolicy()
    assert not policy.is_on
    assert policy.application(PushPlatform.FCM) == ""


def test_a_document_is_read_whole() -> None:
    document = {
        "enabled": True,
        "applications": {"fcm": FCM},
        "collapse_seconds": 0,
        "max_group_members": 10_000,
        "show_content": True,
        "placeholder": "Nachricht",
    }

    policy = parse_push(json.dumps(document))

    assert policy.is_on
    assert policy.application(PushPlatform.FCM) == FCM
    assert policy.application(PushPlatform.APNS) == ""
    assert (policy.collapse_seconds, policy.max_group_members) == (0, 10_000)
    assert (policy.show_content, policy.placeholder) == (True, "Nachricht")


def test_it_is_switched_off_without_forgetting_the_applications() -> None:
    policy = parse_push(json.dumps({"enabled": False, "applications": {"fcm": FCM}}))

    assert not policy.is_on
    assert policy.application(PushPlatform.FCM) == ""


@pytest.mark.parametrize(
    ("document", "named"),
    [
        ([], "JSON object"),
        ({"colour": 1}, "colour"),
        ({"enabled": "yes"}, "enabled"),
        ({"show_content": 1}, "show_content"),
        ({"applications": []}, "applications"),
        ({"applications": {"pigeon": FCM}}, "fcm, apns, apns_sandbox"),
        (
            {"applications": {"fcm": "arn:aws:sns:eu-west-1:123456789012:alarms"}},
            "applications.fcm",
        ),
        ({"applications": {"apns": 1}}, "applications.apns"),
        ({"collapse_seconds": -1}, "collapse_seconds"),
        ({"collapse_seconds": 1.5}, "collapse_seconds"),
        ({"collapse_seconds": True}, "collapse_seconds"),
        ({"max_group_members": 10_001}, "max_group_members"),
        ({"placeholder": ""}, "placeholder"),
        ({"placeholder": None}, "placeholder"),
    ],
)
def test_what_is_wrong_is_named(document: Any, named: str) -> None:
    with pytest.raises(ValueError, match=named):
        parse_push(json.dumps(document))
