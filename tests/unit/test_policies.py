from __future__ import annotations

import logging

import pytest

from chalicelib.logic.policies import AuthPolicy, MessagePolicy, parse_auth, parse_messages


def test_the_document_sets_the_lives_of_tokens() -> None:
    policy = parse_auth('{"access_token_seconds": 5, "refresh_token_seconds": 50, "more": 1}')

    assert policy == AuthPolicy(access_token_seconds=5, refresh_token_seconds=50)


def test_without_a_document_the_defaults_apply() -> None:
    assert parse_auth(None) == AuthPolicy()


@pytest.mark.parametrize("text", ["", "[]", "{", "5"])
def test_a_broken_document_does_not_stop_log_ins(
    text: str, caplog: pytest.LogCaptureFixture
) -> None:
    assert parse_auth(text) == AuthPolicy()
    assert bool(caplog.records) is (text != "")


@pytest.mark.parametrize("value", ['"5"', "0", "-1", "true", "1.5", "null"])
def test_a_wrong_value_is_named_and_has_its_default(
    value: str, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level(logging.ERROR):
        policy = parse_auth(f'{{"access_token_seconds": {value}, "refresh_token_seconds": 50}}')

    assert policy == AuthPolicy(refresh_token_seconds=50)
    assert caplog.records[0].__dict__["key"] == "access_token_seconds"


@pytest.mark.parametrize(
    ("text", "strangers_may_write"),
    [
        ("{}", True),
        ('{"strangers_may_write": true}', True),
        ('{"strangers_may_write": false, "more": 1}', False),
    ],
)
def test_the_document_says_whether_strangers_may_write(
    text: str, strangers_may_write: bool
) -> None:
    assert parse_messages(text) == MessagePolicy(strangers_may_write=strangers_may_write)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "Expecting value"),
        ("[]", "expected a JSON object"),
        ('{"strangers_may_write": "no"}', "strangers_may_write: expected true or false"),
    ],
)
def test_a_wrong_policy_for_messages_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_messages(text)
