"""Accounts over the wire."""

from __future__ import annotations

import asyncio

import pytest
import websockets

from tests.e2e.client import PASSWORD, Client, User, call
from tests.e2e.conftest import connected
from tests.e2e.system import System


@pytest.mark.req("APP-1")
def test_wrong_credentials_never_tell_which_part_was_wrong(system: System, ann: User) -> None:
    wrong = {"username": ann.name, "password": "not the password"}
    nobody = {"username": "nobody-at-all", "password": PASSWORD}

    answers = [call(system.url, "POST", "/v1/auth/login", body) for body in (wrong, nobody)]

    assert [answer.status for answer in answers] == [401, 401]
    for answer in answers:
        del answer.body["trace_id"]
    assert answers[0].body == answers[1].body
    assert answers[0].body["code"] == "invalid_credentials"


@pytest.mark.req("APP-1")
def test_a_user_name_is_taken_whatever_its_case(system: System, ann: User) -> None:
    again = {"username": ann.name.upper(), "password": PASSWORD}

    answer = call(system.url, "POST", "/v1/auth/register", again)

    assert (answer.status, answer.body["code"]) == (409, "username_taken")


@pytest.mark.req("APP-3")
def test_a_refresh_token_works_once_and_its_reuse_ends_the_session(
    system: System, ann: User
) -> None:
    spent = {"refresh_token": ann.refresh_token}
    fresh = call(system.url, "POST", "/v1/auth/refresh", spent).body

    again = call(system.url, "POST", "/v1/auth/refresh", spent)

    assert (again.status, again.body["code"]) == (401, "token_reused")
    after = call(system.url, "GET", "/v1/users/me", token=fresh["access_token"])
    assert after.status == 401


@pytest.mark.req("APP-8")
def test_a_log_out_closes_that_devices_connections_within_a_second_and_no_others(
    system: System, ann: User
) -> None:
    async def scenario() -> None:
        other = User(ann.url, ann.name).log_in()
        here, there = await connected(system, ann, other)

        ann.call("POST", "/v1/auth/logout")

        await here.cut_off()
        assert (await there.ask("ping"))["type"] == "pong"
        await there.close()

    asyncio.run(scenario())


@pytest.mark.req("APP-8")
def test_a_revoked_session_cannot_connect_or_ask(system: System, ann: User) -> None:
    ann.call("POST", "/v1/auth/logout")

    assert ann.call("GET", "/v1/users/me").status == 401
    with pytest.raises(websockets.InvalidStatus) as refused:
        asyncio.run(Client(ann, system.websocket_url).connect())
    assert refused.value.response.status_code == 401


@pytest.mark.req("APP-8")
@pytest.mark.parametrize("token", ["", "rubbish", "a.b.c", "eyJhbGciOiJub25lIn0.e30."])
def test_a_forged_token_is_refused_before_the_upgrade(system: System, token: str) -> None:
    stranger = User(system.url, "stranger", token=token)

    with pytest.raises(websockets.InvalidStatus) as refused:
        asyncio.run(Client(stranger, system.websocket_url).connect())

    assert refused.value.response.status_code in (401, 403)


@pytest.mark.req("APP-8")
def test_a_token_in_the_header_is_as_good_as_one_in_the_query(system: System, ann: User) -> None:
    async def scenario() -> str:
        headers = {"Authorization": f"Bearer {ann.token}"}
        async with websockets.connect(system.websocket_url, additional_headers=headers) as socket:
            await socket.send('{"type":"ping"}')
            return str(await asyncio.wait_for(socket.recv(), 10))

    assert '"pong"' in asyncio.run(scenario())


@pytest.mark.req("APP-3")
def test_sessions_are_listed_and_ended_one_by_one(ann: User) -> None:
    other = User(ann.url, ann.name).log_in()
    listed = [one["device_id"] for one in ann.get("/v1/auth/sessions")["items"]]

    ann.call("DELETE", f"/v1/auth/sessions/{other.device_id}")

    assert sorted(listed) == sorted([ann.device_id, other.device_id])
    assert other.call("GET", "/v1/users/me").status == 401
    assert ann.call("GET", "/v1/users/me").status == 200


@pytest.mark.req("APP-8")
def test_presence_follows_the_connection(system: System, ann: User, bob: User) -> None:
    def status() -> str:
        found: str = bob.get(f"/v1/users/{ann.id}/presence")["status"]
        return found

    async def scenario() -> list[str]:
        before = status()
        (client,) = await connected(system, ann)
        during = status()
        await client.close()
        return [before, during]

    assert asyncio.run(scenario()) == ["offline", "online"]


def test_the_administrator_exists(system: System) -> None:
    if system.process is None:
        pytest.fail("only with a system of our own: its password is known")
    credentials = {"username": "admin", "password": "admin of the tests"}

    answer = call(system.url, "POST", "/v1/auth/login", credentials)

    assert answer.body["user"]["roles"] == ["admin"]
