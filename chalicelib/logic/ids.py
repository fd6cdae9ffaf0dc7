"""New identifiers."""

from __future__ import annotations

import secrets
import string

_LETTERS = string.ascii_lowercase
_ALPHABET = string.ascii_lowercase + string.digits
_LENGTH = 20  # 102 bits


def new_id() -> str:
    """A random id: 20 lower-case letters and digits, beginning with a letter.

    It has no ``-``, which separates the two users in the id of a direct conversation.
    """
    rest = secrets.randbits(128)
    tail = []
    for _ in range(_LENGTH - 1):
        rest, at = divmod(rest, len(_ALPHABET))
        tail.append(_ALPHABET[at])
    return secrets.choice(_LETTERS) + "".join(tail)


def new_secret() -> str:
    """A random secret of 256 bits, in URL-safe characters."""
    return secrets.token_urlsafe(32)
