from __future__ import annotations

import re

from chalicelib.logic.ids import new_id, new_secret
from chalicelib.models import direct_id, direct_members


def test_ids_are_20_lower_case_letters_and_digits_and_begin_with_a_letter() -> None:
    assert all(re.fullmatch(r"[a-z][a-z0-9]{19}", new_id()) for _ in range(1000))


def test_no_two_ids_or_secrets_are_the_same() -> None:
    assert len({new_id() for _ in range(1000)}) == 1000
    assert len({new_secret() for _ in range(1000)}) == 1000


def test_the_two_users_of_a_direct_conversation_are_found_in_its_id() -> None:
    one, other = sorted((new_id(), new_id()))

    assert direct_members(direct_id(other, one)) == (one, other)


def test_a_secret_has_256_bits_and_no_dot() -> None:
    assert re.fullmatch(r"[A-Za-z0-9_-]{43}", new_secret())
