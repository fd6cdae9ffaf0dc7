from __future__ import annotations

import logging

import pytest

from chalicelib.logic.policies import AuthPolicy, parse_auth


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
