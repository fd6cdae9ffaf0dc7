from __future__ import annotations

import time

import pytest

from chalicelib.logic.passwords import MEMORY_KIB, TIME_COST, Passwords

QUICK = Passwords(memory_kib=64, time_cost=1)


@pytest.mark.req("APP-1")
def test_the_hash_is_argon2id_with_at_least_what_owasp_asks_for() -> None:
    stored = Passwords().hash("correct horse")

    assert stored.startswith(f"$argon2id$v=19$m={MEMORY_KIB},t={TIME_COST},p=1$")
    assert MEMORY_KIB >= 19 * 1024
    assert TIME_COST >= 2


def test_a_password_is_verified_against_its_hash() -> None:
    stored = QUICK.hash("correct horse")

    assert QUICK.verify(stored, "correct horse")
    assert not QUICK.verify(stored, "Correct horse")


def test_each_hash_has_a_salt_of_its_own() -> None:
    assert QUICK.hash("correct horse") != QUICK.hash("correct horse")


def test_the_same_password_typed_on_another_keyboard_is_the_same() -> None:
    composed, decomposed = "Zoë’s pass", "Zoe\u0308’s pass"

    assert QUICK.verify(QUICK.hash(composed), decomposed)


def test_without_a_stored_hash_no_password_fits() -> None:
    assert not QUICK.verify(None, "correct horse")


def test_a_damaged_hash_fits_no_password() -> None:
    assert not QUICK.verify("not a hash", "correct horse")


@pytest.mark.req("APP-1")
def test_refusing_nobody_costs_as_much_as_refusing_somebody() -> None:
    """CPU time of this process, best of five: what else the machine does has no part in it."""
    passwords = Passwords(memory_kib=1024, time_cost=4)
    stored = passwords.hash("correct horse")

    def cost(known: str | None) -> float:
        runs = []
        for _ in range(5):
            started = time.process_time()
            passwords.verify(known, "wrong horse")
            runs.append(time.process_time() - started)
        return min(runs)

    assert cost(None) > cost(stored) / 2


def test_a_hash_made_with_other_parameters_is_outdated() -> None:
    stored = QUICK.hash("correct horse")

    assert Passwords().is_outdated(stored)
    assert not QUICK.is_outdated(stored)
