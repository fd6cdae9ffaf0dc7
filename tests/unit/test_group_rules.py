from __future__ import annotations

import itertools

import pytest

from chalicelib.logic.group_rules import Action, is_muted, may
from chalicelib.models import JoinPolicy, Role

pytestmark = pytest.mark.req("APP-15")
OWNER, ADMIN, MEMBER = Role.OWNER, Role.ADMIN, Role.MEMBER
BOTH = {OWNER, ADMIN}
BELOW = {(OWNER, ADMIN), (OWNER, MEMBER), (ADMIN, MEMBER)}

# Every action: whose role allows it, and to which pairs of actor and target where it has a target.
ALONE = {
    Action.EDIT: BOTH,
    Action.ADD: BOTH,
    Action.ADMIT: BOTH,
    Action.LINK: BOTH,
    Action.MUTE: BOTH,
    Action.REMOVE: BOTH,
    Action.RECALL: BOTH,
    Action.SET_ROLE: {OWNER},
    Action.TRANSFER: {OWNER},
    Action.DISMISS: {OWNER},
}
OWNERS = {(OWNER, ADMIN), (OWNER, MEMBER)}
TO_SOMEBODY = {
    Action.MUTE: BELOW,
    Action.REMOVE: BELOW,
    Action.RECALL: BELOW,
    Action.SET_ROLE: OWNERS,
    Action.TRANSFER: OWNERS,
}


@pytest.mark.parametrize("policy", [JoinPolicy.APPROVAL, JoinPolicy.INVITE])
@pytest.mark.parametrize("action", Action)
def test_what_each_role_may_do(action: Action, policy: JoinPolicy) -> None:
    assert {role for role in Role if may(action, role, policy=policy)} == ALONE[action]


@pytest.mark.parametrize("action", TO_SOMEBODY)
def test_to_whom_each_role_may_do_it(action: Action) -> None:
    allowed = {
        (actor, target)
        for actor, target in itertools.product(Role, Role)
        if may(action, actor, target=target, policy=JoinPolicy.OPEN)
    }

    assert allowed == TO_SOMEBODY[action]


@pytest.mark.parametrize("action", Action)
def test_in_an_open_group_every_member_adds_others_and_nothing_else(action: Action) -> None:
    allowed = {role for role in Role if may(action, role, policy=JoinPolicy.OPEN)}

    assert allowed == (set(Role) if action is Action.ADD else ALONE[action])


@pytest.mark.parametrize("role", Role)
def test_who_is_muted(role: Role) -> None:
    own = [is_muted(role, muted_until=until, all_muted_until=0, now=10) for until in (0, 10, 11)]
    everybody = is_muted(role, muted_until=0, all_muted_until=11, now=10)

    assert own == [False, False, True]
    assert everybody is (role is MEMBER)
