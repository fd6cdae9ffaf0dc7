"""Small questions that show whether a service answers; each raises when it does not."""

from __future__ import annotations

import socket
from collections.abc import Sequence

from chalicelib.aws import JsonService
from chalicelib.repo.dynamodb import encode_item, table

TIMEOUT_SECONDS = 2.0


def dynamodb(store: JsonService) -> None:
    """Asks for an item that nobody has."""
    store.call("GetItem", {"TableName": table("users"), "Key": encode_item({"pk": "health"})})


def parameter(store: JsonService, path: str) -> None:
    """Asks for a parameter that must be there."""
    store.call("GetParameter", {"Name": path})


def any_broker(addresses: Sequence[str]) -> None:
    """Opens a connection to one of the brokers.

    Raises:
        OSError: None of them takes one.
    """
    failed: OSError = ConnectionError("there is no broker address")
    for address in addresses:
        host, _, port = address.rpartition(":")
        try:
            socket.create_connection((host.strip("[]"), int(port)), TIMEOUT_SECONDS).close()
        except OSError as error:
            failed = error
        else:
            return
    raise failed
