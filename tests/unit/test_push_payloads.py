from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.logic.push_payloads import Notification, payload, wording
from chalicelib.models import PushPlatform, direct_id

ROOM = direct_id("ann", "bob")
MESSAGE = {
    "id": "m7",
    "conversation_id": ROOM,
    "sender_id": "ann",
    "seq": 7,
    "type": "text",
    "content": "Tea?",
}
TOLD = Notification(message=MESSAGE, title="Ann", text="Tea? ☕", badge=3)


def own(platform: PushPlatform, told: Notification = TOLD) -> Any:
    """What the platform gets, which stands in SNS's JSON as a text."""
    text = payload(platform, told)
    (key,) = json.loads(text).keys() - {"default"}
    return json.loads(json.loads(text)[key])


@pytest.mark.parametrize(
    ("platform", "key"), [("fcm", "GCM"), ("apns", "APNS"), ("apns_sandbox", "APNS_SANDBOX")]
)
def test_each_platform_has_its_key_beside_the_default(platform: str, key: str) -> None:
    assert json.loads(payload(PushPlatform(platform), TOLD)).keys() == {"default", key}


def test_an_iphone_shows_it_in_the_thread_of_its_conversation_with_a_badge() -> None:
    sent = own(PushPlatform.APNS)

    assert sent["aps"] == {
        "alert": {"title": "Ann", "body": "Tea? ☕"},
        "badge": 3,
        "sound": "default",
        "thread-id": ROOM,
    }
    assert (sent["conversation_id"], sent["seq"], sent["message_id"]) == (ROOM, 7, "m7")


def test_fcm_gets_a_notification_and_data_of_texts() -> None:
    sent = own(PushPlatform.FCM)["fcmV1Message"]["message"]

    assert sent["notification"] == {"title": "Ann", "body": "Tea? ☕"}
    assert sent["data"] == {
        "conversation_id": ROOM,
        "seq": "7",
        "message_id": "m7",
        "badge": "3",
    }
    assert sent["android"]["collapse_key"] == sent["android"]["notification"]["tag"] == ROOM
    assert sent["android"]["notification"]["notification_count"] == 3


def test_without_content_there_is_no_title_and_nothing_of_the_message() -> None:
    told = Notification(message=MESSAGE, title="", text="New message", badge=1)

    for platform in PushPlatform:
        text = payload(platform, told)
        assert "Tea?" not in text
        assert "title" not in text


def test_in_a_group_the_text_says_who_wrote_it() -> None:
    words = wording(MESSAGE, sender="Ann", group="Crew", placeholder="New message")

    assert words == ("Crew", "Ann: Tea?")


def test_in_a_direct_conversation_the_title_does() -> None:
    assert wording(MESSAGE, sender="Ann", group="", placeholder="…") == ("Ann", "Tea?")


def test_what_is_no_text_has_the_placeholder() -> None:
    picture = {**MESSAGE, "type": "image", "content": "{}"}

    assert wording(picture, sender="Ann", group="", placeholder="New message")[1] == "New message"


def test_the_longest_fits_into_the_4_kb_of_a_platform() -> None:
    long = {**MESSAGE, "content": "𝕏" * 16_000}
    title, text = wording(long, sender="𝕏" * 500, group="𝕏" * 500, placeholder="")
    told = Notification(message=long, title=title, text=text, badge=10**6)

    for platform in PushPlatform:
        sent = json.dumps(own(platform, told), ensure_ascii=False)
        assert len(sent.encode()) < 4096
    assert text.endswith("…")
