"""Receivers who are offline are notified on their phones."""

from __future__ import annotations

import asyncio

import pytest

from tests.e2e.client import User, eventually
from tests.e2e.conftest import connected
from tests.e2e.phone import Phone
from tests.e2e.system import System


@pytest.mark.req("APP-3", "APP-11")
def test_an_absent_receiver_is_notified_until_the_device_logs_out(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        (a,) = await connected(system, ann)
        phone = Phone(system, bob).register()

        room = (await a.say("Tea?", to=bob.id))["conversation_id"]

        assert await eventually(phone.notes) == [(room, "Tea?")]
        await a.close()

    asyncio.run(scenario())
    phone = Phone(system, bob).register()
    assert phone.is_registered()
    assert phone.is_enabled()

    assert bob.call("POST", "/v1/auth/logout").status == 204

    assert not phone.is_registered()
    assert not phone.is_enabled()


@pytest.mark.req("APP-3")
def test_a_phone_that_changes_hands_belongs_to_whom_uses_it_now(
    system: System, ann: User, bob: User
) -> None:
    hers = Phone(system, ann).register()

    his = Phone(system, bob, token=hers.token).register()

    assert his.endpoint == hers.endpoint
    assert (hers.is_registered(), his.is_registered()) == (False, True)
    assert bob.call("DELETE", his.path).status == 204
    assert not his.is_enabled()


@pytest.mark.req("APP-11", "APP-15")
def test_of_a_group_only_the_absent_are_notified_who_have_not_muted_it(
    system: System, ann: User, bob: User
) -> None:
    async def scenario() -> None:
        cat, dan = User.new(ann.url, "cat"), User.new(ann.url, "dan")
        body = {"name": "Crew", "member_ids": [one.id for one in (bob, cat, dan)]}
        group_id = ann.call("POST", "/v1/groups", body).body["id"]
        muted = dan.call("PUT", f"/v1/conversations/{group_id}/settings", {"muted": True})
        assert muted.status == 200
        absent, present, averse = (Phone(system, one).register() for one in (bob, cat, dan))
        a, c = await connected(system, ann, cat)

        await a.say("Where is bob?", conversation_id=group_id)

        assert await eventually(absent.notes) == [(group_id, f"{ann.name}: Where is bob?")]
        assert await eventually(lambda: absent.is_settled(group_id))
        assert [present.notes(), averse.notes(), len(absent.notes())] == [[], [], 1]
        for client in (a, c):
            await client.close()

    asyncio.run(scenario())
