from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.context import Context
from chalicelib.errors import GroupNotFoundError, UnauthorizedError, UnavailableError
from chalicelib.logic.provisioned_groups import ProvisionedGroup, ProvisionedGroupService
from tests.fakes_groups import FakeGroups
from tests.unit.test_group_changes import USERS, Groups

pytestmark = pytest.mark.req("APP-15")
KEY = Context(user="key:k1")


class Elsewhere:
    """A server whose users have the same names here, but for those that begin with ``x``."""

    def issuer_of(self, actor: str) -> str:
        return f"https://{actor}"

    def user_of(self, _issuer: str, subject: str) -> str | None:
        return subject if subject in USERS else None


class Desk:
    def __init__(self) -> None:
        self.parts = Groups()
        self.service = ProvisionedGroupService(
            keys=Elsewhere(),
            identities=Elsewhere(),
            stored=FakeGroups(self.parts.world),
            groups=lambda: self.parts.groups,
            members=lambda: self.parts.members,
        )

    def put(self, ctx: Context = KEY, **changes: object) -> tuple[str, bool]:
        group = replace(TEA, **changes)  # type: ignore[arg-type]
        (outcome,) = self.service.put(ctx, [group])
        assert outcome.error is None, outcome.error
        return outcome.id, outcome.created

    def roles(self, group_id: str) -> dict[str, str]:
        rows = self.parts.world.members.items()
        return {user: row.role.value for (room, user), row in rows if room == group_id}


TEA = ProvisionedGroup(external_id="t", owner="ann", name="Tea", add=("bob",))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_group_is_made_once_however_often_it_is_put(desk: Desk) -> None:
    first, again = desk.put(), desk.put()

    assert (first[1], again) == (True, (first[0], False))
    assert desk.roles(first[0]) == {"ann": "owner", "bob": "member"}
    assert desk.parts.world.groups[first[0]].version == 1


def test_it_is_brought_up_to_date(desk: Desk) -> None:
    group_id, _ = desk.put()

    for _ in range(2):
        desk.put(owner="cat", name="Coffee", avatar="https://a/b", add=("dan",), remove=("bob",))

    group = desk.parts.world.groups[group_id]
    assert (group.name, group.avatar, group.owner_id) == ("Coffee", "https://a/b", "cat")
    assert desk.roles(group_id) == {"ann": "admin", "cat": "owner", "dan": "member"}


def test_what_is_not_said_stays(desk: Desk) -> None:
    group_id, _ = desk.put(avatar="https://a/b")

    desk.put(add=())

    assert desk.parts.world.groups[group_id].avatar == "https://a/b"
    assert desk.roles(group_id).keys() == {"ann", "bob"}


def test_one_entry_s_fault_does_not_stop_the_others(desk: Desk) -> None:
    outcomes = desk.service.put(KEY, [replace(TEA, add=("xavier",)), TEA])

    assert [one.error.code if one.error else "" for one in outcomes] == ["user_not_found", ""]


def test_a_service_that_is_away_stops_them_all(desk: Desk) -> None:
    desk.parts.kafka_is_away = True

    with pytest.raises(UnavailableError):
        desk.service.put(KEY, [TEA])


def test_each_key_has_the_groups_of_its_issuer(desk: Desk) -> None:
    mine = desk.put()
    theirs = desk.put(Context(user="key:k2"))

    assert mine[0] != theirs[0]


def test_a_group_is_dismissed_for_good(desk: Desk) -> None:
    group_id, _ = desk.put()

    for _ in range(2):
        desk.service.dismiss(KEY, "t")

    assert desk.parts.world.groups[group_id].dismissed
    (again,) = desk.service.put(KEY, [TEA])
    assert isinstance(again.error, GroupNotFoundError)
    with pytest.raises(GroupNotFoundError):
        desk.service.dismiss(KEY, "other")


def test_nobody_provisions_without_a_key(desk: Desk) -> None:
    with pytest.raises(UnauthorizedError):
        desk.service.put(Context(), [TEA])
