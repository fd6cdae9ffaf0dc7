"""What the pynamodb tables share: models on this stage's tables, and errors in our terms."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, cast

from pynamodb.connection import Connection
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

from chalicelib.aws import region
from chalicelib.errors import UnavailableError
from chalicelib.repo.dynamodb import table

Guard = Callable[[Callable[[], Any]], Any]
P = ParamSpec("P")
T = TypeVar("T")
_G = TypeVar("_G", bound="Guarded")
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


def code_of(error: PynamoDBException) -> str:
    """What the store called an error; where it did not answer, the exception's name.

    pynamodb's own way to ask fails when a connection was closed before there was an answer.
    """
    answer = getattr(error.cause, "response", None) or {}
    return str(answer.get("Error", {}).get("Code") or type(error).__name__)


def is_condition(error: PynamoDBException) -> bool:
    """Whether a condition failed, in a write or in a transaction of several."""
    if _CONDITION in code_of(error):
        return True
    reasons = getattr(error, "cancellation_reasons", ())
    return any(reason and _CONDITION in reason.code for reason in reasons)


class Guarded(Protocol):
    """A repository whose calls go through a guard, a circuit breaker for example."""

    guard: Guard


def guarded(method: Callable[Concatenate[_G, P], T]) -> Callable[Concatenate[_G, P], T]:
    """A method of a repository that calls the store once.

    What pynamodb raises becomes an UnavailableError, which the guard sees.
    """

    def translated(repository: _G, /, *args: P.args, **kwargs: P.kwargs) -> T:
        try:
            return method(repository, *args, **kwargs)
        except PynamoDBException as error:
            raise UnavailableError(f"the store answered {code_of(error)}") from error

    @wraps(method)
    def call(repository: _G, /, *args: P.args, **kwargs: P.kwargs) -> T:
        return cast("T", repository.guard(lambda: translated(repository, *args, **kwargs)))

    return call


def unguarded(call: Callable[[], Any]) -> Any:
    """The guard of a repository that has none."""
    return call()
