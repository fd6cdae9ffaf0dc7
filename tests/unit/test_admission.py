from __future__ import annotations

import json
import logging
import re

import pytest
import yaml

from chalicelib.logic.admission import (
    DEFAULT_RATES,
    Followed,
    HttpPolicy,
    parse_http,
    parse_limits,
)
from chalicelib.logic.limits import Rate
from tests.unit.test_layout import ROOT


def test_without_a_word_the_defaults_apply() -> None:
    assert parse_limits("{}") == DEFAULT_RATES
    assert parse_http("{}") == HttpPolicy()


@pytest.mark.req("APP-17")
def test_a_document_changes_what_it_names() -> None:
    text = """{"write": {"limit": 100, "seconds": 10}, "read": null,
        "GET /v1/unread": {"limit": 5, "seconds": 60}, "frame ack": {"limit": 7, "seconds": 1}}"""

    assert parse_limits(text) == {
        **DEFAULT_RATES,
        "write": Rate(limit=100, seconds=10, lease=5),
        "read": None,
        "GET /v1/unread": Rate(limit=5, seconds=60, lease=1),
        "frame ack": Rate(limit=7, seconds=1, lease=1),
    }


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("x", "Expecting value"),
        ("[]", "expected a JSON object"),
        ('{"raed": null}', "raed: expected read, write"),
        ('{"get /v1/x": null}', "or another route"),
        ('{"read": 5}', "read: expected limit and seconds"),
        ('{"read": {"limit": 5}}', "read: expected limit and seconds"),
        ('{"read": {"limit": 5, "seconds": 1, "burst": 1}}', "read: unknown: burst"),
        ('{"read": {"limit": 0, "seconds": 1}}', "read: expected whole numbers above 0"),
        ('{"read": {"limit": true, "seconds": 1}}', "read: expected whole numbers above 0"),
        ('{"read": {"limit": 5, "seconds": 1, "lease": 6}}', "a lease up to the limit"),
        ('{"read": {"limit": 5, "seconds": 90000}}', "expected seconds up to 86400"),
    ],
)
def test_a_wrong_document_of_limits_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_limits(text)


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("1", "expected a JSON object"),
        ('{"cors": []}', "unknown: cors"),
        ('{"cors_origins": "https://chat.example"}', "cors_origins: expected a list"),
        ('{"cors_origins": ["*"]}', "cors_origins: expected a list"),
        ('{"cors_origins": ["https://chat.example/"]}', "cors_origins: expected a list"),
        ('{"cors_origins": ["null"]}', "cors_origins: expected a list"),
        ('{"cors_origins": [1]}', "cors_origins: expected a list"),
        ('{"minimum_client_version": 2}', "minimum_client_version: expected numbers"),
        ('{"minimum_client_version": "v2"}', "minimum_client_version: expected numbers"),
    ],
)
def test_a_wrong_document_of_http_is_refused(text: str, problem: str) -> None:
    with pytest.raises(ValueError, match=re.escape(problem)):
        parse_http(text)


@pytest.mark.parametrize(
    ("version", "minimum", "is_too_old"),
    [
        (None, "9.0", False),
        ("1.2.3", "0", False),
        ("anything", "0", False),
        ("1.2.3", "1.2.3", False),
        ("1.2", "1.2.0", False),
        ("1.10.0", "1.9.9", False),
        ("2", "1.9.9", False),
        ("1.2.2", "1.2.3", True),
        ("1.2.3-rc1", "1.2.3", False),
        ("0.9", "1", True),
        ("anything", "1", True),
        ("", "0.0.1", True),
    ],
)
def test_versions_are_compared_number_by_number(
    version: str | None, minimum: str, is_too_old: bool
) -> None:
    policy = HttpPolicy(minimum_client_version=minimum)

    assert policy.is_too_old(version) is is_too_old


def test_a_document_is_followed_and_of_a_wrong_one_the_last_good_stays(
    caplog: pytest.LogCaptureFixture,
) -> None:
    texts: list[str | None] = [None, '{"minimum_client_version": "2"}', "x", "x", "{}", None]
    policy = Followed(iter(texts).__next__, parse_http, HttpPolicy(minimum_client_version="1"))

    with caplog.at_level(logging.ERROR):
        found = [policy().minimum_client_version for _ in texts]

    assert found == ["1", "2", "2", "2", "0", "1"]
    assert len(caplog.records) == 1, "it is logged once"


def test_the_same_text_gives_the_same_value() -> None:
    """A limiter begins anew with every new rate."""
    policy = Followed(lambda: "".join(("{", "}")), parse_limits, DEFAULT_RATES)

    assert policy()["read"] is policy()["read"]


@pytest.mark.req("APP-17")
def test_the_local_profiles_allow_what_load_tests_need() -> None:
    """The wire contract: 100 registrations, 500 frames, 5,000 messages a second, and bursts."""
    template = (ROOT / "infra" / "parameters.yaml").read_text()
    plain = yaml.load(re.sub(r"!\w+", "", template), yaml.SafeLoader)
    resource = plain["Resources"]["LimitsPolicy"]
    rates = parse_limits(resource["Properties"]["Value"])

    def a_second(name: str) -> float:
        rate = rates[name]
        assert rate is not None
        return rate.limit / rate.seconds

    assert a_second("POST /v1/auth/register") >= 2 * 100
    assert a_second("POST /v1/auth/login") >= 2 * 100
    assert a_second("frame send") >= 2 * 500
    assert a_second("message") >= 2 * 5_000
    assert resource["Condition"] == "IsLocal", "elsewhere the defaults apply"
    http = plain["Resources"]["HttpPolicy"]["Properties"]["Value"]
    assert json.loads(http.replace("${CorsOrigins}", "")) == {
        "cors_origins": [],
        "minimum_client_version": "0",
    }
