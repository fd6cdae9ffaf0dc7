from __future__ import annotations

import base64
import hmac
import json
import logging
from collections.abc import Sequence
from typing import Any

import pytest

from chalicelib.context import Context
from chalicelib.errors import BlockedError, UnavailableError
from chalicelib.frames import Draft, Rejected
from chalicelib.logic.webhook_delivery import WebhookDelivery, signed
from chalicelib.logic.webhook_fanout import Remembered
from chalicelib.models import TargetKind, WebhookPost
from tests.fakes_accounts import Clock
from tests.fakes_integration import KEY, FakeBots, FakeReader, FakeWebhooks, bot, webhook

CTX = Context(trace_id="t1")


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.webhooks, self.bots, self.reader = FakeWebhooks(), FakeBots(), FakeReader()
        self.answer: tuple[int, bytes] = (200, b"")
        self.posted: list[tuple[str, str, bytes, dict[str, str]]] = []
        self.sent: list[tuple[str, Draft]] = []
        self.refusal: Exception | None = None
        self.webhooks.put(webhook("w1"), new=True)
        self.bots.put(bot("robot"), new=True)
        self.delivery = WebhookDelivery(
            webhooks=Remembered(self.webhooks.all, self.clock),
            bots=Remembered(self.bots.all, self.clock),
            reader=self.reader,
            post=self._post,
            send=self._send,
            clock=self.clock,
        )

    def _post(
        self, target_id: str, url: str, body: bytes, headers: dict[str, str]
    ) -> tuple[int, bytes]:
        self.posted.append((target_id, url, body, headers))
        return self.answer

    def _send(
        self, _ctx: Context, user_id: str, drafts: Sequence[Draft | Rejected]
    ) -> Sequence[object]:
        if isinstance(self.refusal, UnavailableError):
            raise self.refusal
        (draft,) = drafts
        assert isinstance(draft, Draft)
        self.sent.append((user_id, draft))
        if isinstance(self.refusal, BlockedError):
            return [Rejected(client_msg_id=draft.client_msg_id, error=self.refusal)]
        return [draft]

    def deliver(self, kind: str = "webhook", target_id: str = "w1", **more: Any) -> None:
        made = {"event": "message.stored", "conversation_type": "group", "seq": 5, **more}
        post = WebhookPost(
            target=TargetKind(kind), target_id=target_id, conversation_id="g-1", **made
        )
        self.delivery.deliver(CTX, post)

    def answered(self, reply: object) -> None:
        """The bot answers a message like this."""
        self.answer = (200, json.dumps({"reply": reply}).encode())
        self.deliver("bot", "robot")


@pytest.fixture
def desk() -> Desk:
    made = Desk()
    made.reader.add("g-1", 5, "ann")
    return made


@pytest.mark.req("APP-19")
def test_a_receiver_gets_the_whole_message(desk: Desk) -> None:
    desk.deliver()

    ((target_id, url, body, headers),) = desk.posted
    assert (target_id, url) == ("w1", "https://hooks.example/in")
    assert json.loads(body) == {
        "type": "message.stored",
        "timestamp": "2026-11-21T08:00:00.000Z",
        "data": {"conversation_type": "group", "message": desk.reader.rows["g-1", 5]},
    }
    assert headers["content-type"] == "application/json"


def test_a_post_is_signed_as_standard_webhooks_says(desk: Desk) -> None:
    desk.deliver()

    ((_, _, body, headers),) = desk.posted
    content = f"m5.{int(desk.clock.now)}.".encode() + body
    expected = base64.b64encode(hmac.new(KEY, content, "sha256").digest()).decode()
    assert headers["webhook-id"] == "m5"
    assert headers["webhook-timestamp"] == str(int(desk.clock.now))
    assert headers["webhook-signature"] == f"v1,{expected}"


def test_the_example_of_the_standard_has_its_signature() -> None:
    """https://github.com/standard-webhooks/standard-webhooks has this vector in its libraries."""
    headers = signed(
        ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"],
        "msg_p5jXN8AQM9LWM0D4loKWxJek",
        1614265330,
        b'{"test": 2432232314}',
    )

    assert headers["webhook-signature"] == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_a_repetition_has_the_same_id_and_a_time_of_its_own(desk: Desk) -> None:
    desk.deliver()
    desk.clock.now += 60
    desk.deliver()

    first, second = (headers for *_, headers in desk.posted)
    assert first["webhook-id"] == second["webhook-id"]
    assert first["webhook-timestamp"] != second["webhook-timestamp"]


def test_a_system_line_is_told_by_what_it_says(desk: Desk) -> None:
    said = {"event": "group.member_added", "actor": "ann", "users": ["bob"]}
    desk.reader.add("g-1", 6, "ann", type="system", content=json.dumps(said))

    desk.deliver(event="group.member_added", seq=6)

    body = json.loads(desk.posted[0][2])
    assert body["type"] == "group.member_added"
    assert body["data"] == {"group_id": "g-1", "seq": 6, "actor": "ann", "users": ["bob"]}


@pytest.mark.parametrize("status", [301, 400, 404, 410, 429, 500, 503])
def test_any_other_status_is_tried_again(desk: Desk, status: int) -> None:
    desk.answer = (status, b"{}")

    with pytest.raises(UnavailableError, match=str(status)):
        desk.deliver()


def test_a_receiver_that_is_new_here_is_found_and_one_that_is_gone_dropped(desk: Desk) -> None:
    desk.deliver()
    desk.webhooks.put(webhook("w2"), new=True)

    desk.deliver(target_id="w2")
    desk.webhooks.delete("w1")
    desk.clock.now += 60
    desk.deliver()
    desk.deliver(seq=99)

    assert [target for target, *_ in desk.posted] == ["w1", "w2"]


@pytest.mark.req("APP-19")
def test_what_a_bot_answers_is_sent_in_its_name_under_an_id_of_its_own(desk: Desk) -> None:
    desk.answered({"content": "hello", "mentions": ["ann"], "to": "eve", "conversation_id": "g-2"})

    ((user_id, draft),) = desk.sent
    assert (user_id, draft.conversation_id, draft.to) == ("robot", "g-1", "")
    assert (draft.content, draft.client_msg_id) == ("hello", "reply-m5")
    assert draft.options is not None
    assert draft.options.mentions == ("ann",)


@pytest.mark.parametrize("answer", [b"", b"{}", b"[]", b"thanks", b'{"reply": null}', b"\xff"])
def test_a_bot_may_answer_nothing(desk: Desk, answer: bytes) -> None:
    desk.answer = (204, answer)

    desk.deliver("bot", "robot")

    assert desk.sent == []


def test_a_webhook_is_no_bot(desk: Desk) -> None:
    desk.answer = (200, b'{"reply": {"content": "hello"}}')

    desk.deliver()

    assert desk.sent == []


def test_a_reply_that_is_refused_or_wrong_is_logged_and_not_asked_for_again(
    desk: Desk, caplog: pytest.LogCaptureFixture
) -> None:
    desk.refusal = BlockedError()
    with caplog.at_level(logging.WARNING):
        desk.answered({"content": "hello"})
        desk.answered({"content": 7})

    codes = [getattr(one, "code", "") for one in caplog.records]
    assert codes == ["blocked", "invalid_field"]
    assert "hello" not in caplog.text


def test_a_reply_that_kafka_does_not_take_is_asked_for_again(desk: Desk) -> None:
    desk.refusal = UnavailableError("away")

    with pytest.raises(UnavailableError):
        desk.answered({"content": "hello"})


@pytest.mark.req("APP-19")
def test_a_change_is_posted_with_the_message_as_it_is_and_an_id_of_its_own(desk: Desk) -> None:
    change = {
        "id": "x1",
        "seq": 5,
        "kind": "react",
        "user_id": "bob",
        "at": "2026-11-21T09:00:00.000Z",
        "emoji": "👍",
        "remove": False,
    }

    desk.deliver(event="message.reacted", change=change)

    ((_, _, raw, headers),) = desk.posted
    assert json.loads(raw) == {
        "type": "message.reacted",
        "timestamp": "2026-11-21T09:00:00.000Z",
        "data": {
            "conversation_type": "group",
            "message": desk.reader.rows["g-1", 5],
            "user_id": "bob",
            "emoji": "👍",
            "remove": False,
        },
    }
    assert headers["webhook-id"] == "x1"


def test_after_a_rotation_both_secrets_sign_until_the_old_one_ends(desk: Desk) -> None:
    old = webhook().secret
    new = "whsec_" + base64.b64encode(b"n" * 32).decode()
    until = desk.clock() + 60
    rotated = webhook("w1", secret=new, old_secret=old, old_secret_until=until)
    desk.webhooks.put(rotated, new=False)

    desk.deliver()
    desk.clock.now += 60
    desk.deliver()

    (_, _, body, during), (_, _, _, after) = desk.posted
    both = [signed([one], "m5", int(until - 60), body)["webhook-signature"] for one in (new, old)]
    assert during["webhook-signature"] == " ".join(both)
    assert after == {**after, **signed([new], "m5", int(until), body)}
