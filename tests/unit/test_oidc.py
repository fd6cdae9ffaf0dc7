"""Log-in with an OpenID provider, as a client of the REST API sees it."""

from __future__ import annotations

import base64
import json
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from chalicelib.logic.oidc import STATE_SECONDS, challenge
from chalicelib.models import Ban
from tests.fakes_identity import ISSUER, JWKS_URL, Signer
from tests.rest import Reply, Rest, assert_problem

POLICY = "/lambchat/unit/policy/oidc"
SECRET = "/lambchat/unit/secret/corp"
DISCOVERY = f"{ISSUER}/.well-known/openid-configuration"
TOKEN_URL = f"{ISSUER}/token"
REDIRECT = "https://chat.example/login"
START = "/v1/auth/oidc/corp"
FOUND = {
    "issuer": ISSUER,
    "authorization_endpoint": f"{ISSUER}/authorize",
    "token_endpoint": TOKEN_URL,
    "jwks_uri": JWKS_URL,
}


class Corp:
    """The provider, and a browser that goes there."""

    def __init__(self, rest: Rest) -> None:
        self.rest = rest
        self.signer = Signer(rest.clock)
        rest.web.answers[DISCOVERY] = (200, dict(FOUND))
        rest.web.answers[JWKS_URL] = (200, {"keys": [self.signer.jwk()]})
        self.configure(client_secret_parameter="secret/corp")
        rest.centre.values[SECRET] = "s3cr:et"
        rest.centre.secrets.add(SECRET)

    def configure(self, **more: Any) -> None:
        provider = {"issuer": ISSUER, "client_id": "chat", "redirect_uris": [REDIRECT, "app:/cb"]}
        document = {"providers": {"corp": {**provider, **more}}}
        self.rest.centre.values[POLICY] = json.dumps(document)

    def visit(self, url: str, **claims: Any) -> dict[str, str]:
        """The user logs in there; what comes back with them."""
        query = {name: value for name, (value,) in parse_qs(urlsplit(url).query).items()}
        token = self.signer.token(**{"nonce": query["nonce"], **claims})
        self.rest.web.answers[TOKEN_URL] = (200, {"id_token": token, "access_token": "unused"})
        return {"code": "code-1", "state": query["state"]}

    def start(self, **query: str) -> Reply:
        return self.rest.call("GET", START, query=query)

    def finish(self, body: dict[str, Any], path: str = f"{START}/callback") -> Reply:
        return self.rest.call("POST", path, body=body)

    def log_in(self, **claims: Any) -> Reply:
        return self.finish(self.visit(self.start().body["authorization_url"], **claims))

    def link(self, token: str, **claims: Any) -> Reply:
        begun = self.rest.call("POST", f"{START}/link", token=token)
        body = self.visit(begun.body["authorization_url"], **claims)
        return self.rest.call("POST", f"{START}/link/callback", token=token, body=body)


@pytest.fixture
def corp(rest: Rest) -> Corp:
    return Corp(rest)


@pytest.mark.req("APP-1")
def test_the_first_log_in_makes_an_account_and_the_next_one_finds_it(corp: Corp) -> None:
    first = corp.log_in(preferred_username="ann", name="Ann B.")
    again = corp.log_in(preferred_username="renamed")

    assert first.status == 200, first.text
    assert set(first.body) == {
        "user", "device_id", "access_token", "refresh_token", "expires_in",
    }  # fmt: skip
    assert first.body["user"]["username"] == "ann"
    assert again.body["user"]["id"] == first.body["user"]["id"]
    shown = corp.rest.call("GET", "/v1/users/me", token=again.body["access_token"])
    assert shown.body["nickname"] == "Ann B."


def test_the_user_is_sent_with_state_nonce_and_a_challenge(corp: Corp) -> None:
    started = corp.start().body

    url = urlsplit(started["authorization_url"])
    query = {name: value for name, (value,) in parse_qs(url.query).items()}
    assert f"{url.scheme}://{url.netloc}{url.path}" == f"{ISSUER}/authorize"
    assert query.pop("state") == started["state"]
    assert len(query.pop("nonce")) > 40
    assert len(query.pop("code_challenge")) == 43
    assert query == {
        "response_type": "code",
        "client_id": "chat",
        "redirect_uri": REDIRECT,
        "scope": "openid profile",
        "code_challenge_method": "S256",
    }


def test_the_challenge_is_that_of_rfc_7636() -> None:
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert challenge(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"


def test_the_code_goes_with_its_verifier_and_the_secret_in_the_header(corp: Corp) -> None:
    started = corp.start(redirect_uri="app:/cb").body
    sent = parse_qs(urlsplit(started["authorization_url"]).query)
    corp.finish(corp.visit(started["authorization_url"]))

    ((form, authorization),) = corp.rest.web.posted
    assert challenge(form["code_verifier"]) == sent["code_challenge"][0]
    assert form["redirect_uri"] == "app:/cb"
    assert "client_secret" not in form
    basic = base64.b64decode(authorization.removeprefix("Basic ")).decode()
    assert basic == "chat:s3cr%3Aet"


def test_the_secret_goes_into_the_form_where_the_provider_takes_only_that(corp: Corp) -> None:
    methods = {"token_endpoint_auth_methods_supported": ["client_secret_post"]}
    corp.rest.web.answers[DISCOVERY] = (200, {**FOUND, **methods})
    corp.log_in()

    ((form, authorization),) = corp.rest.web.posted
    assert (form["client_id"], form["client_secret"]) == ("chat", "s3cr:et")
    assert authorization == ""


def test_a_public_client_has_no_secret(corp: Corp) -> None:
    corp.configure()
    corp.log_in()

    ((form, authorization),) = corp.rest.web.posted
    assert form["client_id"] == "chat"
    assert authorization == ""


def test_a_secret_that_everybody_may_read_is_not_used(corp: Corp) -> None:
    corp.rest.centre.secrets.clear()

    assert_problem(corp.log_in(), 503, "unavailable")
    assert corp.rest.web.posted == []


def test_a_state_works_once(corp: Corp) -> None:
    body = corp.visit(corp.start().body["authorization_url"])
    assert corp.finish(body).status == 200

    assert_problem(corp.finish(body), 400, "invalid_token")


def test_a_state_does_not_work_for_long(corp: Corp) -> None:
    body = corp.visit(corp.start().body["authorization_url"])
    corp.rest.clock.now += STATE_SECONDS

    assert_problem(corp.finish(body), 400, "invalid_token")


def test_a_state_of_nobody_or_of_another_provider_is_refused(corp: Corp) -> None:
    document = json.loads(corp.rest.centre.values[POLICY])
    document["providers"]["other"] = document["providers"]["corp"]
    corp.rest.centre.values[POLICY] = json.dumps(document)
    body = corp.visit(corp.start().body["authorization_url"])

    forged = corp.finish({**body, "state": "forged"})
    elsewhere = corp.finish(body, "/v1/auth/oidc/other/callback")

    assert_problem(forged, 400, "invalid_token")
    assert_problem(elsewhere, 400, "invalid_token")
    assert corp.rest.web.posted == []


@pytest.mark.parametrize(
    "claims",
    [
        {"nonce": "another"},
        {"nonce": None},
        {"aud": "another"},
        {"iss": "https://evil.example"},
        {"exp": 1},
        {"sub": None},
        {"aud": ["chat", "other"]},
        {"aud": ["chat", "other"], "azp": "other"},
        {"azp": "other"},
    ],
)
def test_an_id_token_that_is_not_for_this_log_in_is_refused(
    corp: Corp, claims: dict[str, Any]
) -> None:
    refused = corp.log_in(**claims)

    assert refused.status == 401
    assert corp.rest.users.rows == {}


def test_an_id_token_for_several_audiences_names_us_as_its_party(corp: Corp) -> None:
    assert corp.log_in(aud=["chat", "other"], azp="chat").status == 200


def test_an_id_token_of_another_key_is_refused(corp: Corp) -> None:
    corp.signer = Signer(corp.rest.clock)

    assert_problem(corp.log_in(), 401, "unauthorized")


@pytest.mark.parametrize(
    "answer", [(400, {"error": "invalid_grant"}), (200, {}), (200, {"id_token": 7})]
)
def test_a_code_that_the_provider_does_not_take_is_refused(
    corp: Corp, answer: tuple[int, dict[str, Any]]
) -> None:
    body = corp.visit(corp.start().body["authorization_url"])
    corp.rest.web.answers[TOKEN_URL] = answer

    assert_problem(corp.finish(body), 401, "unauthorized")


@pytest.mark.parametrize(
    "change",
    [
        {"issuer": "https://evil.example"},
        {"authorization_endpoint": "http://id.example/authorize"},
        {"token_endpoint": "http://169.254.169.254/token"},
        {"token_endpoint": "http://127.0.0.1:9001/"},
        {"jwks_uri": "file:///etc/passwd"},
        {"jwks_uri": None},
    ],
)
def test_a_discovery_document_leads_nowhere_else(corp: Corp, change: dict[str, Any]) -> None:
    corp.rest.web.answers[DISCOVERY] = (200, {**FOUND, **change})

    assert_problem(corp.start(), 503, "unavailable")
    assert corp.rest.web.asked == [DISCOVERY]


def test_a_provider_that_is_away_is_unavailable(corp: Corp) -> None:
    corp.rest.web.answers.clear()

    assert_problem(corp.start(), 503, "unavailable")


def test_only_providers_and_addresses_that_the_operator_listed_are_taken(corp: Corp) -> None:
    assert_problem(corp.rest.call("GET", "/v1/auth/oidc/nobody"), 404, "not_found")
    assert_problem(corp.start(redirect_uri="https://evil.example"), 422, "invalid_field")


def test_an_account_with_the_same_name_or_address_is_not_taken_over(corp: Corp) -> None:
    ann = corp.rest.signed_in("ann")

    other = corp.log_in(preferred_username="ann", email="ann@example.com", email_verified=True)

    assert other.body["user"]["id"] != ann["user"]["id"]
    assert other.body["user"]["username"].startswith("ann-")


def test_without_new_accounts_only_linked_identities_log_in(corp: Corp) -> None:
    corp.configure(create_users=False)
    assert_problem(corp.log_in(), 401, "unauthorized")
    ann = corp.rest.signed_in("ann")

    linked = corp.link(ann["access_token"])

    assert linked.status == 204, linked.text
    assert corp.log_in().body["user"]["id"] == ann["user"]["id"]


def test_an_identity_that_has_an_account_is_not_linked_to_another(corp: Corp) -> None:
    corp.log_in()
    ann = corp.rest.signed_in("ann")

    assert_problem(corp.link(ann["access_token"]), 409, "conflict")


def test_a_link_is_finished_by_who_began_it_and_is_no_log_in(corp: Corp) -> None:
    """Else an identity could be pushed onto somebody, or a log-in taken for a link."""
    ann, bob = corp.rest.signed_in("ann"), corp.rest.signed_in("bob")

    def begun() -> dict[str, str]:
        answer = corp.rest.call("POST", f"{START}/link", token=ann["access_token"])
        return corp.visit(answer.body["authorization_url"])

    as_bob = corp.rest.call(
        "POST", f"{START}/link/callback", token=bob["access_token"], body=begun()
    )
    as_log_in = corp.finish(begun())
    log_in = corp.visit(corp.start().body["authorization_url"])
    as_link = corp.rest.call(
        "POST", f"{START}/link/callback", token=ann["access_token"], body=log_in
    )

    for refused in (as_bob, as_log_in, as_link):
        assert_problem(refused, 400, "invalid_token")
    assert corp.rest.identities.rows == {}


def test_linking_needs_a_log_in(corp: Corp) -> None:
    for path in (f"{START}/link", f"{START}/link/callback"):
        assert corp.rest.call("POST", path, body={}).status == 401


@pytest.mark.req("APP-16")
def test_a_banned_user_is_kept_out_however_they_log_in(corp: Corp) -> None:
    user_id = corp.log_in().body["user"]["id"]
    corp.rest.bans.put(Ban(user_id=user_id, banned_by="uadmin", banned_at=corp.rest.clock.now))

    assert_problem(corp.log_in(), 403, "banned")


def test_an_account_that_is_gone_is_not_opened(corp: Corp) -> None:
    corp.log_in()
    corp.rest.users.rows.clear()

    assert_problem(corp.log_in(), 401, "unauthorized")
