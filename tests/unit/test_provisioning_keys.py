from __future__ import annotations

from itertools import count

import pytest

from chalicelib import bootstrap_identity as identity
from chalicelib import cli
from chalicelib.errors import ConflictError, NotFoundError, UnauthorizedError
from chalicelib.logic.provisioning_keys import (
    MAX_KEYS,
    ProvisioningKeyAdministration,
    ProvisioningKeys,
)
from tests.fakes_accounts import Clock


class FakeParameter:
    """A secret parameter; ``asked`` are the ages that readers were content with."""

    def __init__(self) -> None:
        self.text: str | None = None
        self.asked: list[float] = []

    def read(self) -> str | None:
        return self.text

    def write(self, text: str) -> None:
        self.text = text

    def read_aged(self, max_age_seconds: float) -> str | None:
        self.asked.append(max_age_seconds)
        return self.text


class Desk:
    def __init__(self) -> None:
        self.clock = Clock()
        self.parameter = FakeParameter()
        self.keys = ProvisioningKeys(self.parameter.read_aged, self.clock)
        ids, secrets = count(1), count(1)
        self.administration = ProvisioningKeyAdministration(
            self.parameter,
            now=lambda: "2026-11-21T08:00:00.000Z",
            new_id=lambda: f"k{next(ids)}",
            new_secret=lambda: f"se_cret-{next(secrets)}",
        )


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_the_holder_of_a_key_is_a_provisioner_of_its_issuer(desk: Desk) -> None:
    key = desk.administration.add("crm", "https://id.example")

    who = desk.keys.authenticate(key)

    assert key == "lk_k1_se_cret-1"
    assert (who.user_id, who.roles) == ("key:k1", ("provisioning",))
    assert desk.keys.issuer_of(who.user_id) == "https://id.example"


def test_only_the_hash_of_a_key_is_stored(desk: Desk) -> None:
    desk.administration.add("crm", "https://id.example")

    assert "se_cret-1" not in (desk.parameter.text or "")


@pytest.mark.parametrize("token", ["lk_", "lk_k1", "lk_k1_", "lk_k1_wrong", "lk_k9_se_cret-1"])
def test_a_wrong_key_is_refused(desk: Desk, token: str) -> None:
    desk.administration.add("crm", "https://id.example")

    with pytest.raises(UnauthorizedError):
        desk.keys.authenticate(token)


def test_without_any_key_nobody_is_a_provisioner(desk: Desk) -> None:
    with pytest.raises(UnauthorizedError):
        desk.keys.authenticate("lk_k1_se_cret-1")


def test_a_new_key_is_looked_for_but_not_for_each_forged_one(desk: Desk) -> None:
    for _ in range(3):
        with pytest.raises(UnauthorizedError):
            desk.keys.authenticate("lk_k9_forged")
    assert desk.parameter.asked.count(0.0) == 1

    desk.clock.now += 10
    with pytest.raises(UnauthorizedError):
        desk.keys.authenticate("lk_k9_forged")
    assert desk.parameter.asked.count(0.0) == 2


def test_a_revoked_key_is_refused(desk: Desk) -> None:
    revoked, kept = (desk.administration.add(name, "https://id.example") for name in "ab")

    desk.administration.revoke("k1")

    assert desk.keys.authenticate(kept)
    for attempt in (
        lambda: desk.keys.authenticate(revoked),
        lambda: desk.keys.issuer_of("key:k1"),
    ):
        with pytest.raises(UnauthorizedError):
            attempt()
    with pytest.raises(NotFoundError):
        desk.administration.revoke("k1")


def test_there_are_as_many_keys_as_a_parameter_holds(desk: Desk) -> None:
    for number in range(MAX_KEYS):
        desk.administration.add(f"server {number} " + "x" * 30, "https://id.example/" + "y" * 60)
    assert len(desk.parameter.text or "") < 4096

    with pytest.raises(ConflictError):
        desk.administration.add("one more", "https://id.example")


def test_operators_make_list_and_revoke_keys_from_the_command_line(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(identity, "key_administration", lambda: desk.administration)

    assert cli.main(["provisioning-key", "crm", "--issuer", "https://id.example"]) == 0
    key = capsys.readouterr().out.strip()
    assert desk.keys.authenticate(key)

    assert cli.main(["provisioning-keys"]) == 0
    listed = capsys.readouterr().out
    assert listed == "k1  2026-11-21T08:00:00.000Z  https://id.example  crm\n"

    assert cli.main(["revoke-provisioning-key", "k1"]) == 0
    assert cli.main(["revoke-provisioning-key", "k1"]) == 1
    assert "there is no key k1" in capsys.readouterr().err
