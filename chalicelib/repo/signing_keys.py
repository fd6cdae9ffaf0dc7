"""The parameters `auth/signing-key` (secret) and `auth/jwks` (public)."""

from __future__ import annotations

from typing import Any, Protocol

from chalicelib.aws import AwsError
from chalicelib.errors import UnavailableError


class ParameterStore(Protocol):
    """The calls of Systems Manager that are used."""

    def call(self, operation: str, arguments: dict[str, Any], /) -> dict[str, Any]: ...


class SigningKeyRepository:
    """Reads and writes the keys; never cached, for administration only.

    Args:
        store: Systems Manager.
        key_path: Where the signing key is.
        jwks_path: Where the public keys are.
    """

    def __init__(self, store: ParameterStore, *, key_path: str, jwks_path: str) -> None:
        self._store = store
        self._key_path = key_path
        self._jwks_path = jwks_path

    def signing_key(self) -> str | None:
        """The signing key document."""
        return self._get(self._key_path)

    def add_signing_key(self, document: str) -> bool:
        """Stores the first signing key; False when there is one."""
        try:
            self._put(self._key_path, document, kind="SecureString", overwrite=False)
        except AwsError as error:
            if error.code == "ParameterAlreadyExists":
                return False
            raise _unavailable(error) from error
        return True

    def replace_signing_key(self, document: str) -> None:
        """Stores another signing key."""
        try:
            self._put(self._key_path, document, kind="SecureString", overwrite=True)
        except AwsError as error:
            raise _unavailable(error) from error

    def jwks(self) -> str | None:
        """The public key set."""
        return self._get(self._jwks_path)

    def put_jwks(self, document: str) -> None:
        """Stores the public key set."""
        try:
            self._put(self._jwks_path, document, kind="String", overwrite=True)
        except AwsError as error:
            raise _unavailable(error) from error

    def _get(self, path: str) -> str | None:
        try:
            answer = self._store.call("GetParameter", {"Name": path, "WithDecryption": True})
        except AwsError as error:
            if error.code == "ParameterNotFound":
                return None
            raise _unavailable(error) from error
        return str(answer["Parameter"]["Value"])

    def _put(self, path: str, document: str, *, kind: str, overwrite: bool) -> None:
        arguments = {"Name": path, "Value": document, "Type": kind, "Overwrite": overwrite}
        self._store.call("PutParameter", arguments)


def _unavailable(error: AwsError) -> UnavailableError:
    return UnavailableError(f"Parameter Store answered {error.code}")
