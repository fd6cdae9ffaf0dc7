from __future__ import annotations

import logging
from collections.abc import Callable

import pytest

from chalicelib.logic.policies import (
    AttachmentPolicy,
    AuthPolicy,
    MessagePolicy,
    PresencePolicy,
    SchedulePolicy,
    parse_attachments,
    parse_auth,
    parse_messages,
    parse_presence,
    parse_schedule,
)


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
        ('{"members_may_pin": 1}', "members_may_pin: expected true or false"),
        ('{"edit_seconds": -1}', "edit_seconds: expected a whole number of seconds"),
        ('{"recall_seconds": true}', "recall_seconds: expected a whole number of seconds"),
    ],
)
def test_a_wrong_policy_for_messages_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        parse_messages(text)


def test_the_document_says_what_may_be_uploaded() -> None:
    policy = parse_attachments('{"max_bytes": 5, "types": ["image/png", "audio/*"]}')

    assert policy == AttachmentPolicy(max_bytes=5, types=("image/png", "audio/*"))
    assert [policy.allows(one) for one in ("image/png", "audio/ogg", "image/gif")] == [
        True,
        True,
        False,
    ]
    assert parse_attachments("{}") == AttachmentPolicy()


def test_the_document_says_how_many_messages_may_wait() -> None:
    assert parse_schedule('{"max_pending": 7}') == SchedulePolicy(max_pending=7)
    assert parse_schedule("{}") == SchedulePolicy()


@pytest.mark.parametrize(
    ("parse", "text", "names"),
    [
        (parse_attachments, '{"max_bytes": 0}', "max_bytes"),
        (parse_attachments, '{"max_bytes": true}', "max_bytes"),
        (parse_attachments, '{"max_bytes": 5368709121}', "max_bytes"),
        (parse_attachments, '{"types": []}', "types"),
        (parse_attachments, '{"types": "image/png"}', "types"),
        (parse_attachments, '{"types": ["*/png"]}', "types"),
        (parse_attachments, '{"types": [5]}', "types"),
        (parse_attachments, '{"sizes": 5}', "sizes"),
        (parse_presence, '{"strangers_may_see": 1}', "strangers_may_see"),
        (parse_presence, '{"strangers": true}', "strangers_may_see"),
        (parse_presence, "[]", "object"),
        (parse_schedule, '{"max_pending": 0}', "max_pending"),
        (parse_schedule, '{"max_pending": "7"}', "max_pending"),
        (parse_schedule, "[]", "object"),
    ],
)
def test_what_is_wrong_in_a_document_is_named(
    parse: Callable[[str], object], text: str, names: str
) -> None:
    with pytest.raises(ValueError, match=names):
        parse(text)


def test_the_document_says_how_long_messages_may_be_changed_and_by_whom() -> None:
    policy = parse_messages('{"edit_seconds": 60, "recall_seconds": 0, "members_may_pin": true}')

    assert policy == MessagePolicy(edit_seconds=60, recall_seconds=0, members_may_pin=True)


@pytest.mark.req("APP-8")
def test_the_document_says_whether_strangers_see_who_is_there() -> None:
    assert parse_presence("{}") == PresencePolicy(strangers_may_see=True)
    assert parse_presence('{"strangers_may_see": false}') == PresencePolicy(strangers_may_see=False)
