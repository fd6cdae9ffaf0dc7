"""Keys of servers that provision users; only their hashes are stored."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Protocol

from chalicelib.errors import ConflictError, NotFoundError, UnauthorizedError
from chalicelib.logic.tokens import Identity

PREFIX = "lk_"
ROLE = "provisioning"
ACTOR = "key:"  # how a key stands where a user's id would: no user id has a colon
MAX_KEYS = 10  # Parameter Store holds 4 KB in a standard parameter
_MAX_AGE_SECONDS = 30.0
_REREAD_SECONDS = 10.0  # forged keys must not make one call to Parameter Store each


@dataclass(frozen=True, slots=True, kw_only=True)
class ProvisioningKey:
    """A server-to-server key.

    Attributes:
        id: What it is called in logs; stands in the key itself.
        name: For operators.
        issuer: Whose users it provisions: their ids are those of this issuer.
        digest: SHA-256 of its secret.
        created_at: RFC 3339.
    """

    id: str
    name: str
    issuer: str
    digest: str
    created_at: str


class Parameter(Protocol):
    """The secret parameter that all keys are in, never cached."""

    def read(self) -> str | None: ...
    def write(self, text: str) -> None: ...


class ProvisioningKeys:
    """Knows who holds a key.

    Args:
        read: The document, at most so many seconds old.
        clock: Unix seconds.
    """

    def __init__(self, read: Callable[[float], str | None], clock: Callable[[], float]) -> None:
        self._read = read
        self._clock = clock
        self._reread_at = float("-inf")

    def authenticate(self, token: str) -> Identity:
        """The holder of a key, in the role of a provisioner.

        Raises:
            UnauthorizedError: There is no such key.
        """
        key_id, _, secret = token.removeprefix(PREFIX).partition("_")
        key = self._find(key_id, _MAX_AGE_SECONDS)
        if key is None and self._clock() - self._reread_at >= _REREAD_SECONDS:
            self._reread_at = self._clock()
            key = self._find(key_id, 0.0)
        is_right = hmac.compare_digest(digest_of(secret), key.digest if key else "-")
        if key is None or not is_right:
            raise UnauthorizedError("the provisioning key is not valid")
        return Identity(user_id=f"{ACTOR}{key.id}", device_id="", session_id="", roles=(ROLE,))

    def issuer_of(self, actor: str) -> str:
        """Whose users the holder of a key provisions.

        Raises:
            UnauthorizedError: The key was revoked meanwhile.
        """
        key = self._find(actor.removeprefix(ACTOR), _MAX_AGE_SECONDS)
        if key is None:
            raise UnauthorizedError("the provisioning key is not valid")
        return key.issuer

    def _find(self, key_id: str, max_age_seconds: float) -> ProvisioningKey | None:
        keys = read_keys(self._read(max_age_seconds))
        return next((one for one in keys if one.id == key_id), None)


class ProvisioningKeyAdministration:
    """Makes and revokes keys, for the command line."""

    def __init__(
        self,
        parameter: Parameter,
        *,
        now: Callable[[], str],
        new_id: Callable[[], str],
        new_secret: Callable[[], str],
    ) -> None:
        self._parameter = parameter
        self._now = now
        self._new_id = new_id
        self._new_secret = new_secret

    def add(self, name: str, issuer: str) -> str:
        """Makes a key and shows it, this once.

        Raises:
            ConflictError: There are enough.
        """
        keys = self.all()
        if len(keys) >= MAX_KEYS:
            raise ConflictError(f"there are {MAX_KEYS} keys: revoke one first")
        secret = self._new_secret()
        key = ProvisioningKey(
            id=self._new_id(),
            name=name,
            issuer=issuer,
            digest=digest_of(secret),
            created_at=self._now(),
        )
        self._write([*keys, key])
        return f"{PREFIX}{key.id}_{secret}"

    def all(self) -> list[ProvisioningKey]:
        """Every key."""
        return read_keys(self._parameter.read())

    def revoke(self, key_id: str) -> None:
        """Ends a key.

        Raises:
            NotFoundError: There is no such key.
        """
        keys = self.all()
        left = [one for one in keys if one.id != key_id]
        if len(left) == len(keys):
            raise NotFoundError(f"there is no key {key_id}")
        self._write(left)

    def _write(self, keys: list[ProvisioningKey]) -> None:
        self._parameter.write(json.dumps({"keys": [asdict(one) for one in keys]}))


def digest_of(secret: str) -> str:
    """256 random bits need no slow hash."""
    return hashlib.sha256(secret.encode()).hexdigest()


def read_keys(text: str | None) -> list[ProvisioningKey]:
    """The keys in the document; none where there is no document."""
    return [ProvisioningKey(**one) for one in json.loads(text)["keys"]] if text else []
