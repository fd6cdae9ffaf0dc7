"""OpenID providers, trusted issuers, provisioning, and forgotten passwords."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
import websockets

from tests.e2e import provider as providers
from tests.e2e.client import PASSWORD, Answer, Client, User, call, eventually
from tests.e2e.operators import aws, promote
from tests.e2e.provider import Provider
from tests.e2e.system import ROOT, System
from tests.fakes_accounts import Clock
from tests.fakes_identity import AUDIENCE, Signer

REDIRECT = "https://chat.example/login"


@pytest.fixture(scope="module")
def provider(system: System, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Provider]:
    """An OpenID provider that the system knows as `corp`."""
    with providers.running(tmp_path_factory.mktemp("provider")) as running:
        known = {
            "issuer": running.issuer,
            "client_id": "chat",
            "client_secret_parameter": "secret/oidc-corp",
            "redirect_uris": [REDIRECT],
        }
        put(system, "secret/oidc-corp", "any secret will do", kind="SecureString")
        put(system, "policy/oidc", {"providers": {"corp": known}})
        yield running


def put(system: System, name: str, value: Any, *, kind: str = "String") -> None:
    text = value if isinstance(value, str) else json.dumps(value)
    with contextlib.closing(aws(system, "ssm")) as client:
        client.put_parameter(Name=f"/lambchat/local/{name}", Value=text, Type=kind, Overwrite=True)


def corp(system: System, method: str, path: str, body: Any = None, *, token: str = "") -> Answer:
    """A request about the provider, again where a process remembers that there was none."""

    def known() -> Answer | None:
        answer = call(system.url, method, f"/v1/auth/oidc/corp{path}", body, token=token)
        return None if answer.status == 404 else answer

    answer: Answer = asyncio.run(eventually(known))
    return answer


def log_in(system: System, provider: Provider, subject: str) -> dict[str, Any]:
    started = corp(system, "GET", "")
    assert started.status == 200, started.body
    back = provider.visit(started.body["authorization_url"], subject)
    assert back["state"] == started.body["state"]
    answer = corp(system, "POST", "/callback", back)
    assert answer.status == 200, answer.body
    found: dict[str, Any] = answer.body
    return found


def user_of(system: System, tokens: dict[str, Any]) -> User:
    user = tokens["user"]
    return User(system.url, user["username"], id=user["id"], token=tokens["access_token"])


@pytest.mark.req("APP-1", "APP-3")
def test_a_user_of_an_openid_provider_logs_in_and_chats(system: System, provider: Provider) -> None:
    subject, name = f"s-{uuid.uuid4().hex}", f"zoe-{uuid.uuid4().hex[:8]}"
    provider.describe(subject, {"preferred_username": name, "name": "Zoë"})

    first, again = (log_in(system, provider, subject) for _ in range(2))

    assert (first["user"]["username"], first["user"]["nickname"]) == (name, "Zoë")
    assert again["user"]["id"] == first["user"]["id"]

    async def scenario() -> dict[str, Any]:
        client = await Client(user_of(system, again), system.websocket_url).connect()
        try:
            return await client.say("hello", conversation_id="world")
        finally:
            await client.close()

    assert asyncio.run(scenario())["type"] == "sent"


def test_a_code_works_once_and_an_account_is_linked_only_by_its_owner(
    system: System, provider: Provider, ann: User
) -> None:
    subject = f"s-{uuid.uuid4().hex}"
    provider.describe(subject, {"preferred_username": ann.name, "email": f"{ann.name}@corp"})
    begun = corp(system, "POST", "/link", token=ann.token)
    back = provider.visit(begun.body["authorization_url"], subject)

    as_log_in = corp(system, "POST", "/callback", back)
    assert (as_log_in.status, as_log_in.body["code"]) == (400, "invalid_token")

    begun = corp(system, "POST", "/link", token=ann.token)
    back = provider.visit(begun.body["authorization_url"], subject)
    linked, spent = (
        corp(system, "POST", "/link/callback", back, token=ann.token) for _ in range(2)
    )

    assert (linked.status, spent.status) == (204, 400)
    assert log_in(system, provider, subject)["user"]["id"] == ann.id


@pytest.fixture(scope="module")
def trusted(system: System) -> Signer:
    """An issuer whose tokens the system takes."""
    signer = Signer(Clock(time.time()))
    issuer = {"issuer": "https://id.example", "audience": AUDIENCE, "create_users": True}
    keys = {"keys": [signer.jwk()]}
    put(system, "policy/issuers", {"issuers": [{**issuer, "jwks": keys}]})
    return signer


@pytest.fixture(scope="module")
def key(system: System, trusted: Signer) -> str:
    """A provisioning key of that issuer, made by an operator."""
    command = [sys.executable, "-m", "chalicelib.cli", "provisioning-key", "crm"]
    made = subprocess.run(
        [*command, "--issuer", "https://id.example"],
        cwd=ROOT,
        env={"PATH": "", **system.environment()},
        check=True,
        capture_output=True,
        text=True,
        timeout=60,
    )
    return made.stdout.strip()


def outsider(system: System, trusted: Signer, subject: str, **claims: Any) -> User:
    token = trusted.token(sub=subject, preferred_username=f"out-{subject[:8]}", **claims)
    user = User(system.url, subject, token=token)
    user.id = user.get("/v1/users/me")["id"]
    return user


@pytest.mark.req("APP-3", "APP-8", "APP-16")
def test_a_trusted_issuer_s_user_chats_until_they_are_banned(
    system: System, trusted: Signer, ann: User, bob: User
) -> None:
    zoe = outsider(system, trusted, uuid.uuid4().hex)
    admin = promote(system, ann)

    async def scenario() -> None:
        hers = await Client(zoe, system.websocket_url).connect()
        his = await Client(bob, system.websocket_url).connect()
        sent = await hers.say("hello", to=bob.id)
        assert (await his.received(sent["conversation_id"], 1))[0]["sender_id"] == zoe.id
        await his.say("hello yourself", to=zoe.id)
        await hers.received(sent["conversation_id"], 2)

        assert admin.call("PUT", f"/v1/admin/bans/{zoe.id}").status == 200

        await hers.cut_off()
        await his.close()

    asyncio.run(scenario())
    assert zoe.call("GET", "/v1/users/me").status == 401
    with pytest.raises(websockets.InvalidStatus) as refused:
        asyncio.run(Client(zoe, system.websocket_url).connect())
    assert refused.value.response.status_code == 401


def test_a_token_that_the_issuer_did_not_sign_is_refused(system: System, trusted: Signer) -> None:
    stranger = Signer(trusted.clock)

    answer = call(system.url, "GET", "/v1/users/me", token=stranger.token())

    assert (answer.status, answer.body["code"]) == (401, "unauthorized")


@pytest.mark.req("APP-1", "APP-5", "APP-7")
def test_a_server_provisions_users_and_their_friends(
    system: System, trusted: Signer, key: str
) -> None:
    one, other = (uuid.uuid4().hex for _ in range(2))
    users = [{"external_id": subject, "nickname": "Ann"} for subject in (one, other)]
    pairs = {"pairs": [{"external_ids": [one, other]}]}

    made, again = (
        call(system.url, "PUT", "/v1/provisioning/users", {"users": users}, token=key)
        for _ in range(2)
    )

    assert made.status == 200, made.body
    assert [item["created"] for item in made.body["items"]] == [True, True]
    assert [item["created"] for item in again.body["items"]] == [False, False]
    first = outsider(system, trusted, one)
    assert first.id == made.body["items"][0]["user_id"]

    async def scenario() -> None:
        client = await Client(first, system.websocket_url).connect()
        befriended = await asyncio.to_thread(
            call, system.url, "PUT", "/v1/provisioning/friends", pairs, token=key
        )
        assert befriended.body["items"][0]["error"] is None
        event = await client.frame(lambda frame: frame.get("event") == "friend.added")
        assert event["data"] == {"user_id": made.body["items"][1]["user_id"]}

        disabled = await asyncio.to_thread(
            call, system.url, "DELETE", f"/v1/provisioning/users/{one}", token=key
        )
        assert disabled.status == 204
        await client.cut_off()

    asyncio.run(scenario())
    second = outsider(system, trusted, other)
    assert [one["user_id"] for one in second.get("/v1/friends")["items"]] == [first.id]
    assert first.call("GET", "/v1/users/me").status == 401


@pytest.mark.req("APP-1")
def test_a_forgotten_password_is_reset_with_the_token_from_the_log(
    system: System, ann: User
) -> None:
    asked = [
        call(system.url, "POST", "/v1/auth/password-reset", {"username": name})
        for name in (ann.name, f"nobody-{uuid.uuid4().hex[:8]}")
    ]
    assert [(one.status, one.body) for one in asked] == [(202, None)] * 2

    def token() -> str:
        found = re.search(rf"password reset username={ann.name} token=(\S+)", "".join(system.log))
        return found[1] if found else ""

    body = {"token": asyncio.run(eventually(token)), "new_password": "another horse"}
    done, spent = (
        call(system.url, "POST", "/v1/auth/password-reset/confirm", body) for _ in range(2)
    )

    assert (done.status, spent.status) == (204, 400)
    assert ann.call("GET", "/v1/users/me").status == 401
    log_ins = [
        call(system.url, "POST", "/v1/auth/login", {"username": ann.name, "password": password})
        for password in (PASSWORD, "another horse")
    ]
    assert [one.status for one in log_ins] == [401, 200]


@pytest.mark.req("APP-15")
def test_a_server_provisions_groups(system: System, trusted: Signer, key: str) -> None:
    one, other, room = (uuid.uuid4().hex for _ in range(3))

    def put(path: str, body: Any) -> list[Any]:
        answer = call(system.url, "PUT", f"/v1/provisioning/{path}", body, token=key)
        assert answer.status == 200, answer.body
        items: list[Any] = answer.body["items"]
        return items

    made = put("users", {"users": [{"external_id": subject} for subject in (one, other)]})
    group = {"external_id": room, "owner": one, "name": "Tea", "add": [other]}

    (first,), (again,) = (put("groups", {"groups": [group]}) for _ in range(2))
    (bad,) = put("groups", {"groups": [{**group, "external_id": "x", "add": ["nobody"]}]})

    assert (first["created"], again["created"], first["error"]) == (True, False, None)
    assert bad["error"]["code"] == "user_not_found"
    member = outsider(system, trusted, other)
    shown = member.get(f"/v1/groups/{first['group_id']}")
    assert (shown["name"], shown["owner_id"], shown["member_count"]) == (
        "Tea",
        made[0]["user_id"],
        2,
    )
    path = f"/v1/provisioning/groups/{room}"
    assert [call(system.url, "DELETE", path, token=key).status for _ in range(2)] == [204, 204]
    assert member.call("GET", f"/v1/groups/{first['group_id']}").status == 404
    assert member.call("DELETE", path).status == 403
