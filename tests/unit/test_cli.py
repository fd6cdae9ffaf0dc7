from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib import bootstrap_accounts as accounts
from chalicelib import cli
from chalicelib.errors import UnavailableError
from chalicelib.logic.keys import KeyService
from tests.fakes_accounts import FakeKeyStore
from tests.rest import Rest


@pytest.fixture
def store(rest: Rest, monkeypatch: pytest.MonkeyPatch) -> FakeKeyStore:
    made = FakeKeyStore()
    monkeypatch.setattr(accounts, "keys", lambda: KeyService(made))
    monkeypatch.setattr(accounts, "ensure_topics", topics())
    monkeypatch.delenv("ADMIN_PASSWORD", raising=False)
    return made


def topics(*created: str) -> Callable[..., list[str]]:
    def ensure(*, partitions: int, replication: int) -> list[str]:
        return [f"{name}/{partitions}/{replication}" for name in created]

    return ensure


def test_init_makes_what_is_missing(
    store: FakeKeyStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(accounts, "ensure_topics", topics("TASKS"))

    code = cli.main(["init", "--partitions", "3"])

    assert code == 0
    assert store.key is not None
    assert "topics created: TASKS/3/1" in capsys.readouterr().out


def test_init_can_be_repeated(store: FakeKeyStore) -> None:
    cli.main(["init"])
    key = store.key

    assert cli.main(["init"]) == 0
    assert store.key == key


@pytest.mark.parametrize("password", ["", "operator's own"])
def test_the_administrator_is_made_only_with_a_password(
    store: FakeKeyStore,
    rest: Rest,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    password: str,
) -> None:
    monkeypatch.setenv("ADMIN_PASSWORD", password)

    cli.main(["init"])

    admin = rest.users.by_name("admin")
    assert bool(admin) is bool(password)
    assert "operator" not in capsys.readouterr().out


def test_the_signing_key_can_be_rotated(store: FakeKeyStore) -> None:
    cli.main(["init"])
    key = store.key

    assert cli.main(["rotate-signing-key"]) == 0
    assert store.key != key


def test_a_service_that_is_away_is_one_clear_line(
    store: FakeKeyStore, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def away(**_: Any) -> list[str]:
        raise UnavailableError("topic TASKS: no broker answers")

    monkeypatch.setattr(accounts, "ensure_topics", away)

    assert cli.main(["init"]) == 1
    assert capsys.readouterr().err == "lambchat init: topic TASKS: no broker answers\n"


@pytest.mark.parametrize("arguments", [[], ["no-such-command"]])
def test_a_wrong_command_is_explained(arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        cli.main(arguments)

    assert caught.value.code == 2
