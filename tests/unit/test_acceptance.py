from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.context import Context
from chalicelib.errors import RefusedError, UnavailableError
from chalicelib.logic.acceptance import (
    MAX_METADATA_BYTES,
    AcceptanceHook,
    AcceptancePolicy,
    parse_acceptance,
)
from functions.word_filter import handler

CTX = Context(trace_id="t1")
MESSAGES = [
    {"id": "m1", "seq": 0, "sender_id": "ann", "conversation_id": "d-ann-bob", "content": "hello"},
    {"id": "m2", "seq": 0, "sender_id": "ann", "conversation_id": "d-ann-bob", "content": "bye"},
]


class Function:
    """The operator's function, which answers this; it may be away."""

    def __init__(self, *verdicts: Any) -> None:
        self.answer: Any = {"messages": list(verdicts)}
        self.asked: list[tuple[str, Any, float]] = []
        self.away = False

    def __call__(self, function: str, payload: Any, *, timeout_seconds: float) -> Any:
        self.asked.append((function, payload, timeout_seconds))
        if self.away:
            raise UnavailableError("away")
        return self.answer

    def hook(self, **policy: Any) -> AcceptanceHook:
        made = AcceptancePolicy(**{"function": "filter", **policy})
        return AcceptanceHook(lambda: made, self)


def test_without_a_function_nothing_is_reviewed() -> None:
    function = Function()

    assert not function.hook(function="").is_on()
    assert function.hook().is_on()


@pytest.mark.req("APP-19")
def test_the_function_sees_the_messages_and_decides_on_each() -> None:
    function = Function({"refuse": "no greetings"}, {"content": "BYE", "metadata": {"loud": True}})

    first, second = function.hook(timeout_ms=250).review(CTX, "send", MESSAGES)

    assert isinstance(first, RefusedError)
    assert str(first) == "no greetings"
    assert second == {"content": "BYE", "metadata": {"loud": True}}
    ((name, payload, timeout),) = function.asked
    assert (name, timeout) == ("filter", 0.25)
    assert (payload["kind"], payload["trace_id"]) == ("send", "t1")
    assert payload["messages"][0] == {k: v for k, v in MESSAGES[0].items() if k != "seq"}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        {"messages": None},
        {"messages": [{}]},
        {"messages": [{}, None]},
        {"messages": [{}, {"text": "x"}]},
        {"messages": [{}, {"content": 7}]},
        {"messages": [{}, {"content": "x" * (16 * 1024 + 1)}]},
        {"messages": [{}, {"metadata": []}]},
        {"messages": [{}, {"metadata": {"x": "x" * MAX_METADATA_BYTES}}]},
    ],
)
def test_a_wrong_answer_is_none_and_the_policy_says_what_then(answer: Any) -> None:
    function = Function()
    function.answer = answer

    assert function.hook().review(CTX, "send", MESSAGES) == [{}, {}]
    with pytest.raises(UnavailableError):
        function.hook(accepts_on_failure=False).review(CTX, "send", MESSAGES)


def test_so_is_a_function_that_is_away() -> None:
    function = Function()
    function.away = True

    assert function.hook().review(CTX, "send", MESSAGES) == [{}, {}]
    with pytest.raises(UnavailableError):
        function.hook(accepts_on_failure=False).review(CTX, "send", MESSAGES)


def test_a_policy_is_read() -> None:
    arn = "arn:aws:lambda:eu-central-1:000000000000:function:lambchat-prod-hook-words:live"
    text = json.dumps({"function": arn, "timeout_ms": 300, "on_failure": "refuse"})

    policy = parse_acceptance(text)

    assert policy == AcceptancePolicy(function=arn, timeout_ms=300, accepts_on_failure=False)
    assert parse_acceptance("{}") == AcceptancePolicy()


@pytest.mark.parametrize(
    "document",
    [
        [],
        {"functions": "x"},
        {"function": "a b"},
        {"function": 7},
        {"function": "f", "timeout_ms": 0},
        {"function": "f", "timeout_ms": 9000},
        {"function": "f", "on_failure": "ask"},
    ],
)
def test_a_wrong_policy_is_refused(document: Any) -> None:
    with pytest.raises(ValueError, match="expected"):
        parse_acceptance(json.dumps(document))


def test_the_example_refuses_a_word_and_covers_it_in_a_sentence(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORBIDDEN_WORDS", "darn,heck")
    contents = ("hello", " Darn ", "what the HECK, darn it", "checkered")

    answer = handler({"messages": [{"content": one} for one in contents]}, None)

    assert answer["messages"] == [
        {},
        {"refuse": "this word is not said here"},
        {"content": "what the ***, *** it", "metadata": {"covered": 2}},
        {},
    ]
