"""Bring your own users: over REST, and at the connect of a WebSocket."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import bootstrap_identity as identity
from chalicelib.errors import UnavailableError
from chalicelib.logic.issuers import OUTSIDE_SESSION, parse_issuers
from chalicelib.models import Ban, LinkedIdentity
from functions import authorizer
from tests.fakes_identity import AUDIENCE, ISSUER, JWKS_URL, Signer
from tests.rest import Rest, assert_problem
from tests.unit.test_authorizer import connecting

PATH = "/lambchat/unit/policy/issuers"
GOOD = {"issuer": ISSUER, "audience": AUDIENCE, "jwks_url": JWKS_URL}


def trust(rest: Rest, **more: Any) -> None:
    rest.centre.values[PATH] = json.dumps({"issuers": [{**GOOD, **more}]})


@pytest.fixture
def signer(rest: Rest) -> Signer:
    made = Signer(rest.clock)
    rest.web.answers[JWKS_URL] = (200, {"keys": [made.jwk()]})
    trust(rest, create_users=True)
    return made


@pytest.mark.req("APP-3")
def test_a_trusted_issuer_s_user_gets_an_account_at_the_first_use(
    rest: Rest, signer: Signer
) -> None:
    token = signer.token(preferred_username="ann", name="Ann B.")

    first, again = (rest.call("GET", "/v1/users/me", token=token) for _ in range(2))

    assert first.status == 200, first.text
    assert first.body == again.body
    assert (first.body["username"], first.body["nickname"]) == ("ann", "Ann B.")
    assert first.body["roles"] == []


def test_a_role_in_a_foreign_token_is_worth_nothing(rest: Rest, signer: Signer) -> None:
    token = signer.token(roles=["admin"], role="admin", sub="admin")

    assert_problem(rest.call("GET", "/v1/admin/bans", token=token), 403, "forbidden")


def test_who_was_not_provisioned_is_refused_where_the_policy_says_so(
    rest: Rest, signer: Signer
) -> None:
    trust(rest, create_users=False)

    refused = rest.call("GET", "/v1/users/me", token=signer.token())

    assert_problem(refused, 401, "unauthorized")
    assert rest.users.rows == {}


def test_who_was_provisioned_is_let_in_by_the_claim_that_says_who_they_are(
    rest: Rest, signer: Signer
) -> None:
    trust(rest, user_id_claim="employee")
    ann = rest.register("ann").body["id"]
    rest.identities.claim(LinkedIdentity(issuer=ISSUER, subject="e-7", user_id=ann))

    shown = rest.call("GET", "/v1/users/me", token=signer.token(employee="e-7"))

    assert shown.body["id"] == ann
    assert_problem(rest.call("GET", "/v1/users/me", token=signer.token()), 401, "unauthorized")


@pytest.mark.parametrize(
    "claims", [{"iss": "https://evil.example"}, {"aud": "another"}, {"exp": 1}, {"sub": None}]
)
def test_a_token_that_is_not_as_it_must_be_is_refused_everywhere(
    rest: Rest, signer: Signer, claims: dict[str, Any]
) -> None:
    token = signer.token(**claims)

    assert rest.call("GET", "/v1/users/me", token=token).status == 401
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.handler(connecting(token), None)
    assert rest.users.rows == {}


def test_our_own_name_as_issuer_needs_our_own_key(rest: Rest, signer: Signer) -> None:
    """Even if an operator lists it."""
    rest.centre.values[PATH] = json.dumps({"issuers": [{**GOOD, "issuer": "lambchat-unit"}]})

    token = signer.token(iss="lambchat-unit")

    assert_problem(rest.call("GET", "/v1/users/me", token=token), 401, "unauthorized")


def test_an_issuer_that_is_not_trusted_any_more_is_refused(rest: Rest, signer: Signer) -> None:
    token = signer.token()
    assert rest.call("GET", "/v1/users/me", token=token).status == 200

    del rest.centre.values[PATH]

    assert_problem(rest.call("GET", "/v1/users/me", token=token), 401, "unauthorized")


@pytest.mark.req("APP-16")
def test_a_ban_cuts_off_who_has_no_session_here(rest: Rest, signer: Signer) -> None:
    token = signer.token()
    user_id = rest.call("GET", "/v1/users/me", token=token).body["id"]
    assert authorizer.handler(connecting(token), None)["principalId"] == user_id
    assert identity.standing().stands(user_id, OUTSIDE_SESSION, OUTSIDE_SESSION)

    rest.bans.put(Ban(user_id=user_id, banned_by="uadmin", banned_at=rest.clock.now))

    assert_problem(rest.call("GET", "/v1/users/me", token=token), 401, "unauthorized")
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.handler(connecting(token), None)
    assert not identity.standing().stands(user_id, OUTSIDE_SESSION, OUTSIDE_SESSION)


def test_an_account_that_is_gone_is_refused(rest: Rest, signer: Signer) -> None:
    token = signer.token()
    rest.call("GET", "/v1/users/me", token=token)
    rest.users.rows.clear()

    assert_problem(rest.call("GET", "/v1/users/me", token=token), 401, "unauthorized")


@pytest.mark.req("APP-8")
@pytest.mark.parametrize(
    ("sid", "device"), [("phone-1", "phone-1"), ("a b", "outside"), (7, "outside")]
)
def test_a_connection_is_of_the_issuer_s_session(
    rest: Rest, signer: Signer, sid: object, device: str
) -> None:
    context = authorizer.handler(connecting(signer.token(sid=sid)), None)["context"]

    assert context["device_id"] == device
    assert context["session_id"] == OUTSIDE_SESSION
    assert context["expires_at"] == int(rest.clock.now) + 300


def test_our_own_sessions_stand_as_before(rest: Rest) -> None:
    ann = rest.signed_in("ann")
    (session,) = rest.sessions.rows.values()

    assert identity.standing().stands(ann["user"]["id"], session.device_id, session.id)
    assert not identity.standing().stands(ann["user"]["id"], session.device_id, "another")


def test_a_configuration_that_cannot_be_read_is_no_reason_to_refuse_the_token(
    rest: Rest, signer: Signer
) -> None:
    token = signer.token()
    rest.centre.is_away = True

    with pytest.raises(UnavailableError):
        authorizer.handler(connecting(token), None)


def test_a_policy_with_keys_in_it_is_read(rest: Rest) -> None:
    jwk = Signer(rest.clock).jwk()
    entry = {"issuer": "anything", "audience": "a", "jwks": {"keys": [jwk]}}

    found = parse_issuers(json.dumps({"issuers": [{**entry, "algorithms": ["ES256"]}]}))

    assert found["anything"].trust.jwks == (jwk,)
    assert found["anything"].trust.algorithms == {"ES256"}
    assert parse_issuers("{}") == {}


def wrong(change: Callable[[dict[str, Any]], object]) -> str:
    entry: dict[str, Any] = dict(GOOD)
    change(entry)
    return json.dumps({"issuers": [entry]})


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("[]", "issuers"),
        ('{"issuers": {}}', "issuers"),
        ('{"issuer": []}', "issuers"),
        ('{"issuers": [7]}', r"issuers\.0"),
        (wrong(lambda one: one.update(secret="x")), r"issuers\.0"),
        (wrong(lambda one: one.pop("issuer")), r"issuers\.0\.issuer"),
        (wrong(lambda one: one.update(audience="")), r"issuers\.0\.audience"),
        (wrong(lambda one: one.pop("jwks_url")), "either"),
        (wrong(lambda one: one.update(jwks={"keys": [{}]})), "either"),
        (wrong(lambda one: one.update(jwks_url="http://id.example")), "https"),
        (wrong(lambda one: one.update(algorithms=["HS256"])), "algorithms"),
        (wrong(lambda one: one.update(algorithms=["none"])), "algorithms"),
        (wrong(lambda one: one.update(algorithms=[])), "algorithms"),
        (wrong(lambda one: one.update(user_id_claim=7)), "user_id_claim"),
        (wrong(lambda one: one.update(create_users="yes")), "create_users"),
        ('{"issuers": [{"issuer": "i", "audience": "a", "jwks": {}}]}', "keys"),
        ('{"issuers": [{"issuer": "i", "audience": "a", "jwks": {"keys": [7]}}]}', "keys"),
        (
            '{"issuers": [{"issuer": "i", "audience": "a", "jwks": {"keys": [{"d": "x"}]}}]}',
            "public",
        ),
    ],
)
def test_a_wrong_policy_is_refused_and_says_where(text: str, says: str) -> None:
    with pytest.raises(ValueError, match=says):
        parse_issuers(text)
