"""A SecureString in Parameter Store, read and replaced whole; never cached, for administration."""

from __future__ import annotations

from typing import Any, Protocol

from chalicelib.aws import AwsError
from chalicelib.errors import UnavailableError


class ParameterStore(Protocol):
    """The calls of Systems Manager that are used."""

    def call(self, operation: str, arguments: dict[str, Any], /) -> dict[str, Any]: ...


class SecretParameter:
    """One parameter, by its path."""

    def __init__(self, store: ParameterStore, path: str) -> None:
        self._store = store
        self._path = path

    def read(self) -> str | None:
        """The value; None when there is no such parameter."""
        try:
            answer = self._store.call("GetParameter", {"Name": self._path, "WithDecryption": True})
        except AwsError as error:
            if error.code == "ParameterNotFound":
                return None
            raise UnavailableError(f"Parameter Store answered {error.code}") from error
        return str(answer["Parameter"]["Value"])

    def write(self, text: str) -> None:
        """Replaces the value."""
        arguments = {"Name": self._path, "Value": text, "Type": "SecureString", "Overwrite": True}
        try:
            self._store.call("PutParameter", arguments)
        except AwsError as error:
            raise UnavailableError(f"Parameter Store answered {error.code}") from error
