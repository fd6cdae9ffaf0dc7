"""Password hashes."""

from __future__ import annotations

import unicodedata

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

# The first choice of OWASP for argon2id, and about 20 ms of CPU:
# https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html#argon2id
MEMORY_KIB = 19 * 1024
TIME_COST = 2
PARALLELISM = 1

_NO_SALT = "A" * 22  # 16 bytes
_NO_HASH = "A" * 43  # 32 bytes; no password is known that has this hash


class Passwords:
    """Hashes and verifies passwords with argon2id."""

    def __init__(
        self,
        *,
        memory_kib: int = MEMORY_KIB,
        time_cost: int = TIME_COST,
        parallelism: int = PARALLELISM,
    ) -> None:
        self._hasher = PasswordHasher(
            time_cost=time_cost, memory_cost=memory_kib, parallelism=parallelism
        )
        self._nobody = (
            f"$argon2id$v=19$m={memory_kib},t={time_cost},p={parallelism}${_NO_SALT}${_NO_HASH}"
        )

    def hash(self, password: str) -> str:
        """The hash to store, with its parameters and salt in it."""
        return self._hasher.hash(_normal(password))

    def verify(self, stored: str | None, password: str) -> bool:
        """Whether the password is the one that was hashed.

        Without a stored hash the answer is False and takes as long, so that the time does not tell
        whether there is such a user.
        """
        try:
            self._hasher.verify(stored or self._nobody, _normal(password))
        except (VerifyMismatchError, InvalidHashError):
            return False
        return stored is not None

    def is_outdated(self, stored: str) -> bool:
        """Whether the hash was made with other parameters than today's."""
        return self._hasher.check_needs_rehash(stored)


def _normal(password: str) -> str:
    """The same password typed on different keyboards: NIST SP 800-63B, 5.1.1.2."""
    return unicodedata.normalize("NFKC", password)
