from __future__ import annotations

import copy
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from functions import authorizer
from tests.rest import Rest

ROOT = Path(__file__).parents[2]
EVENT = json.loads((ROOT / "tests" / "events" / "authorizer.json").read_text())


def connecting(query: str | None = None, **headers: str) -> dict[str, Any]:
    made: dict[str, Any] = copy.deepcopy(EVENT)
    made["queryStringParameters"] = None if query is None else {"token": query}
    made["headers"].update(headers)
    return made


@pytest.mark.req("APP-8", "APP-3")
def test_a_token_in_the_query_lets_its_user_connect(rest: Rest) -> None:
    answer = rest.signed_in()

    allowed = authorizer.handler(connecting(answer["access_token"]), None)

    (statement,) = allowed["policyDocument"]["Statement"]
    assert statement == {
        "Action": "execute-api:Invoke",
        "Effect": "Allow",
        "Resource": EVENT["methodArn"],
    }
    assert allowed["principalId"] == answer["user"]["id"]


def test_the_context_is_what_the_routes_need_and_flat(rest: Rest) -> None:
    """API Gateway takes text, numbers and booleans only."""
    answer = rest.signed_in()

    context = authorizer.handler(connecting(answer["access_token"]), None)["context"]

    session = rest.sessions.rows[answer["user"]["id"], answer["device_id"]]
    assert context == {
        "user_id": answer["user"]["id"],
        "device_id": answer["device_id"],
        "session_id": session.id,
        "roles": "",
        "expires_at": int(rest.clock.now) + 900,
    }


@pytest.mark.req("APP-8")
@pytest.mark.parametrize("header", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_token_in_the_header_does_too(rest: Rest, header: str, scheme: str) -> None:
    answer = rest.signed_in()
    made = connecting(None, **{header: f"{scheme} {answer['access_token']}"})

    assert authorizer.handler(made, None)["principalId"] == answer["user"]["id"]


@pytest.mark.parametrize("token", [None, "", "a.b.c", "x" * 5000])
def test_without_a_valid_token_nobody_connects(rest: Rest, token: str | None) -> None:
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.handler(connecting(token), None)


def test_an_expired_token_does_not_connect(rest: Rest) -> None:
    token = rest.signed_in()["access_token"]
    rest.clock.now += 900

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.handler(connecting(token), None)


def test_a_token_of_a_revoked_session_does_not_connect(rest: Rest) -> None:
    token = rest.signed_in()["access_token"]
    rest.call("POST", "/v1/auth/logout", token=token)

    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.handler(connecting(token), None)


def test_a_store_that_is_away_is_no_reason_to_refuse_the_token(
    rest: Rest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A client that is told 401 throws its tokens away."""
    token = rest.signed_in()["access_token"]

    def away(*_: str) -> bool:
        raise UnavailableError

    monkeypatch.setattr(rest.sessions, "stands", away)
    with pytest.raises(UnavailableError):
        authorizer.handler(connecting(token), None)


def test_it_starts_without_the_heavy_libraries() -> None:
    script = (
        "import sys; from functions import authorizer\n"
        "try: authorizer.handler({'methodArn': ''}, None)\n"
        "except Exception: pass\n"
        "print(*sys.modules)"
    )

    environment = {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "PATH": ""}
    out = subprocess.check_output(
        [sys.executable, "-c", script], cwd=ROOT, text=True, env=environment
    )

    modules = set(out.split())
    assert "jwt" in modules
    assert not {"pynamodb", "boto3", "botocore", "chalice", "argon2"} & modules
