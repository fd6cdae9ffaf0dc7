"""Sending and editing, where the operator has a hook before messages are accepted."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from chalicelib.context import Context
from chalicelib.errors import IMError, RefusedError, UnavailableError
from chalicelib.frames import Draft, Rejected
from chalicelib.logic.messages import Accepted
from tests.unit.test_changes import Changes
from tests.unit.test_messages import Outbox, service

CTX = Context()


class Review:
    """Refuses `bad`, makes `rude` polite."""

    def __init__(self, *, on: bool = True) -> None:
        self.on = on
        self.away = False
        self.asked: list[tuple[str, list[str]]] = []

    def is_on(self) -> bool:
        return self.on

    def review(
        self, _ctx: Context, kind: str, messages: Sequence[Mapping[str, Any]], /
    ) -> Sequence[IMError | Mapping[str, Any]]:
        if self.away:
            raise UnavailableError("away")
        self.asked.append((kind, [one["content"] for one in messages]))
        return [self._verdict(one["content"]) for one in messages]

    def _verdict(self, content: str) -> IMError | Mapping[str, Any]:
        if content == "bad":
            return RefusedError("not here")
        return {"content": "polite", "metadata": {"was": "rude"}} if content == "rude" else {}


def sent(review: Review, *contents: str, to: str = "bob") -> tuple[Outbox, list[Any]]:
    outbox = Outbox()
    messages = service(outbox)
    messages._acceptance = review
    drafts = [Draft(client_msg_id=f"c{n}", content=one, to=to) for n, one in enumerate(contents)]
    return outbox, messages.send_message(CTX, "ann", drafts)


def stored(outbox: Outbox) -> list[dict[str, Any]]:
    return [dict(body) for _, args in outbox.submitted for body in args["messages"]]


@pytest.mark.req("APP-19")
def test_of_a_frame_some_are_refused_some_altered_and_the_rest_goes_as_it_is() -> None:
    review = Review()

    outbox, results = sent(review, "good", "bad", "rude")

    assert review.asked == [("send", ["good", "bad", "rude"])]
    assert [type(one) for one in results] == [Accepted, Rejected, Accepted]
    assert isinstance(results[1].error, RefusedError)
    assert [one["content"] for one in stored(outbox)] == ["good", "polite"]
    assert [one.get("metadata") for one in stored(outbox)] == [None, {"was": "rude"}]


def test_where_all_are_refused_kafka_is_not_asked() -> None:
    outbox, results = sent(Review(), "bad", "bad")

    assert [one.client_msg_id for one in results] == ["c0", "c1"]
    assert outbox.submitted == []


def test_what_is_refused_anyway_is_not_reviewed() -> None:
    review = Review()

    _, (result,) = sent(review, "good", to="nobody")

    assert isinstance(result, Rejected)
    assert review.asked == []


def test_where_no_hook_is_configured_nobody_is_asked() -> None:
    review = Review(on=False)

    outbox, _ = sent(review, "bad")

    assert review.asked == []
    assert [one["content"] for one in stored(outbox)] == ["bad"]


def test_a_hook_that_does_not_answer_and_must_accepts_nothing() -> None:
    review = Review()
    review.away = True

    with pytest.raises(UnavailableError):
        sent(review, "good")


def edited(content: str, *, on: bool = True) -> Changes:
    changes = Changes()
    changes.service._acceptance = Review(on=on)
    changes.service.edit(CTX, "ann", changes.room, 1, content)
    return changes


def test_an_edit_does_not_get_around_the_hook() -> None:
    with pytest.raises(RefusedError, match="not here"):
        edited("bad")

    assert [one.content for one in edited("rude").accepted] == ["polite"]
    assert [one.content for one in edited("good").accepted] == ["good"]
    assert [one.content for one in edited("bad", on=False).accepted] == ["bad"]
