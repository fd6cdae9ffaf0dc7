"""What the pynamodb tables share: models on this stage's tables, and errors in our terms."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TypeVar, cast

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

from chalicelib.aws import region
from chalicelib.errors import UnavailableError
from chalicelib.repo.dynamodb import table

_M = TypeVar("_M", bound=Model)
_CONNECT_SECONDS = 2
_READ_SECONDS = 5
_CONDITION = "ConditionalCheckFailed"


def on_table(model: type[_M], name: str) -> type[_M]:
    """The model with its table; not at import, for the stage is in the environment."""
    meta = {
        "table_name": table(name),
        "region": region(),
        "connect_timeout_seconds": _CONNECT_SECONDS,
        "read_timeout_seconds": _READ_SECONDS,
    }
    namespace = {"Meta": type("Meta", (), meta), "__module__": model.__module__}
    return cast("type[_M]", type(model.__name__, (model,), namespace))


def connection() -> Connection:
    """A connection for transactions."""
    return Connection(
        region=region(),
        connect_timeout_seconds=_CONNECT_SECONDS,
        read_timeout_seconds=_READ_SECONDS,
    )


def is_condition(error: PynamoDBException) -> bool:
    """Whether a condition failed, in a write or in a transaction of several."""
    if _CONDITION in (error.cause_response_code or ""):
        return True
    reasons = getattr(error, "cancellation_reasons", ())
    return any(reason and _CONDITION in reason.code for reason in reasons)


@contextmanager
def translated() -> Iterator[None]:
    """Turns what pynamodb raises into our errors.

    Raises:
        UnavailableError: The store refused, or is away.
    """
    try:
        yield
    except PynamoDBException as error:
        raise UnavailableError(
            f"the store answered {error.cause_response_code or type(error).__name__}"
        ) from error
