from __future__ import annotations

import pytest

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_integration as integration
from chalicelib import cli
from chalicelib.context import Context
from chalicelib.errors import InvalidFieldError, UserNotFoundError
from chalicelib.logic.roles import RoleService
from tests.fakes_admin import FakeEntries, new_audit
from tests.rest import Rest, assert_problem

CTX = Context(user="boss")


@pytest.fixture
def entries() -> FakeEntries:
    return FakeEntries()


@pytest.fixture
def service(rest: Rest, entries: FakeEntries, monkeypatch: pytest.MonkeyPatch) -> RoleService:
    made = RoleService(rest.users, accounts.sessions(), new_audit(entries, rest.clock))
    monkeypatch.setattr(integration, "roles", lambda: made)
    return made


def test_a_role_is_in_force_with_the_next_log_in_and_its_loss_at_once(
    rest: Rest, service: RoleService, entries: FakeEntries
) -> None:
    user = rest.signed_in("mia")["user"]

    service.set(CTX, user["id"], ["moderator"])
    token = rest.login("mia")["access_token"]
    assert rest.call("GET", "/v1/users/me", token=token).body["roles"] == ["moderator"]

    service.set(CTX, user["id"], [])
    assert_problem(rest.call("GET", "/v1/users/me", token=token), 401, "unauthorized")
    assert [one.details["roles"] for one in entries.rows.values()] == ["moderator", "none"]


def test_there_are_two_roles_to_give_and_only_to_users(service: RoleService, rest: Rest) -> None:
    user = rest.signed_in("mia")["user"]

    with pytest.raises(InvalidFieldError, match="queen"):
        service.set(CTX, user["id"], ["moderator", "queen"])
    with pytest.raises(UserNotFoundError):
        service.set(CTX, "nobody", ["moderator"])

    assert rest.users.rows[user["id"]].roles == ()


@pytest.mark.usefixtures("service")
def test_the_command_line_gives_roles_by_name(rest: Rest) -> None:
    user = rest.signed_in("mia")["user"]

    assert cli.main(["roles", "@mia", "moderator"]) == 0

    assert rest.users.rows[user["id"]].roles == ("moderator",)
