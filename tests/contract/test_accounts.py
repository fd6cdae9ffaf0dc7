"""Accounts from the REST event to DynamoDB and Parameter Store, nothing faked."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest

import app
from chalicelib import bootstrap, cli
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_downstream as downstream
from chalicelib.coord import ConfigCentre
from functions import authorizer
from localstack.emulator.ports import free_port
from tests.built import forget_built
from tests.contract.conftest import Connect
from tests.rest import PASSWORD, event

CONNECT = json.loads((Path(__file__).parents[1] / "events" / "authorizer.json").read_text())


def clear() -> None:
    for provider in downstream._ready:
        provider.close()
    downstream._ready.clear()
    forget_built()


@pytest.fixture(autouse=True)
def wired(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The composition root, with clients that this test closes."""
    clear()
    centre = ConfigCentre(connect("ssm"))
    monkeypatch.setattr("chalicelib.aws.dynamodb", lambda **_: connect())
    for module in (bootstrap, downstream):
        monkeypatch.setattr(module, "centre", lambda: centre)
    monkeypatch.setattr("chalicelib.aws.parameter_store", lambda: connect("ssm"))
    monkeypatch.setattr(accounts, "ensure_topics", lambda **_: ["TASKS", "EVENTS"])
    monkeypatch.setenv("WEBSOCKET_ENDPOINT", "http://127.0.0.1:9/contract")
    monkeypatch.setenv("ADMIN_PASSWORD", "operator's own")
    assert cli.main(["init"]) == 0
    yield
    clear()


def call(method: str, path: str, **parts: Any) -> Any:
    answer = app.handler(event(method, path, **parts), None)
    return answer["statusCode"], json.loads(answer["body"] or "null")


def bearer(tokens: dict[str, Any]) -> dict[str, str]:
    return {"Authorization": f"Bearer {tokens['access_token']}"}


def signed_in(username: str) -> Any:
    body = {"username": username, "password": PASSWORD}
    assert call("POST", "/v1/auth/register", body=body)[0] == 201
    return call("POST", "/v1/auth/login", body=body)[1]


@pytest.mark.req("APP-1", "APP-3")
def test_an_account_from_registration_to_log_out() -> None:
    tokens = signed_in(f"a{uuid4().hex[:12]}")
    assert call("GET", "/v1/users/me", headers=bearer(tokens)) == (200, tokens["user"])
    status, renewed = call(
        "POST", "/v1/auth/refresh", body={"refresh_token": tokens["refresh_token"]}
    )
    assert status == 200
    assert call("POST", "/v1/auth/logout", headers=bearer(renewed))[0] == 204

    status, problem = call("GET", "/v1/users/me", headers=bearer(renewed))

    assert (status, problem["code"]) == (401, "unauthorized")


def test_who_may_use_rest_may_connect_and_only_as_long() -> None:
    tokens = signed_in(f"a{uuid4().hex[:12]}")
    made = {**CONNECT, "queryStringParameters": {"token": tokens["access_token"]}}
    allowed = authorizer.handler(made, None)
    call("POST", "/v1/auth/logout", headers=bearer(tokens))

    assert allowed["context"]["user_id"] == tokens["user"]["id"]
    with pytest.raises(Exception, match=r"^Unauthorized$"):
        authorizer.handler(made, None)


def test_a_registration_with_a_key_is_done_once() -> None:
    body = {"username": f"a{uuid4().hex[:12]}", "password": PASSWORD}
    headers = {"Idempotency-Key": uuid4().hex}

    first, second = (
        call("POST", "/v1/auth/register", body=body, headers=headers) for _ in range(2)
    )

    assert first[0] == 201
    assert first == second


def test_of_many_registrations_of_one_name_one_succeeds() -> None:
    name = f"a{uuid4().hex[:12]}"
    users = accounts.users_table()
    auth = accounts.auth()
    auth._registry = type("Registry", (), {"register": lambda *_: None})()

    def attempt(_: int) -> str:
        try:
            return auth.register(name, PASSWORD).id
        except Exception as error:
            return type(error).__name__

    with ThreadPoolExecutor(6) as pool:
        outcomes = list(pool.map(attempt, range(6)))

    assert outcomes.count("UsernameTakenError") == 5
    found = users.by_name(name)
    assert found is not None
    assert found.id in outcomes


def test_the_administrator_can_log_in(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.main(["init"]) == 0
    body = {"username": "admin", "password": "operator's own"}

    status, tokens = call("POST", "/v1/auth/login", body=body)

    assert status == 200
    assert tokens["user"]["roles"] == ["admin"]
    assert "operator" not in capsys.readouterr().out


@pytest.mark.req("APP-3")
def test_a_rotated_signing_key_logs_nobody_out() -> None:
    before = signed_in(f"a{uuid4().hex[:12]}")

    assert cli.main(["rotate-signing-key"]) == 0
    clear()
    after = signed_in(f"a{uuid4().hex[:12]}")

    for tokens in (before, after):
        assert call("GET", "/v1/users/me", headers=bearer(tokens))[0] == 200


def test_health_is_ready_when_every_dependency_answers(connect: Connect) -> None:
    with socket.create_server(("127.0.0.1", 0)) as kafka:
        address = f"127.0.0.1:{kafka.getsockname()[1]}"
        document = json.dumps({"brokers": [address]})
        parameter = {"Name": "/lambchat/contract/mq/lambchat", "Value": document, "Type": "String"}
        connect("ssm").call("PutParameter", {**parameter, "Overwrite": True})

        status, body = call("GET", "/v1/health")

    assert (status, body["status"]) == (200, "ok")
    assert set(body["dependencies"]) == {"dynamodb", "parameter_store", "kafka"}


def test_health_says_which_dependency_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{free_port()}")

    status, body = call("GET", "/v1/health")

    assert status == 503
    assert body["dependencies"]["dynamodb"] == "unavailable"
    assert body["dependencies"]["parameter_store"] == "ok"
