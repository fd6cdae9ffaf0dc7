"""The table `idempotency`: what a request with an ``Idempotency-Key`` was answered.

An item is taken with a lease before the work begins, so that of two equal requests one works; when
its process dies, a repetition takes the item over after the lease, with the same operation id:
what the first one may have created is found again under it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar, cast

from pynamodb.attributes import NumberAttribute, UnicodeAttribute
from pynamodb.exceptions import PynamoDBException
from pynamodb.models import Model

from chalicelib.aws import region as aws_region
from chalicelib.errors import IdempotencyConflictError, UnavailableError
from chalicelib.repo.dynamodb import table

LEASE_SECONDS = 60.0  # longer than a function may run
KEPT_SECONDS = 24 * 3600
_CONDITION = "ConditionalCheckFailedException"
Guard = Callable[[Callable[[], Any]], Any]
T = TypeVar("T")


class _Item(Model):
    key = UnicodeAttribute(hash_key=True)
    fingerprint = UnicodeAttribute()
    operation_id = UnicodeAttribute()
    lease_until = NumberAttribute()
    status = NumberAttribute(default=0)
    answer = UnicodeAttribute(default="")
    ttl = NumberAttribute()


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """A request that may go ahead, or the answer that it had before.

    Attributes:
        operation_id: The same in every attempt at the same request.
        status: Of the earlier answer, 0 when there is none yet.
        answer: Its body.
    """

    key: str
    operation_id: str
    lease_until: float
    status: int = 0
    answer: str = ""


class IdempotencyRepository:
    """Every change is one conditional write.

    Args:
        clock: Seconds since 1970.
        new_id: Operation ids.
        guard: What calls of the store go through, a circuit breaker for example.
    """

    def __init__(
        self,
        *,
        clock: Callable[[], float],
        new_id: Callable[[], str],
        guard: Guard = lambda call: call(),
    ) -> None:
        self._guard = guard
        self._items = _on_this_stage()
        self._clock = clock
        self._new_id = new_id

    def begin(self, key: str, fingerprint: str) -> Attempt:
        """Takes the key for this request, or finds what the request was answered.

        Raises:
            IdempotencyConflictError: Another request has the key, or this one is still running.
        """
        now = self._clock()
        fresh = self._items(
            key,
            fingerprint=fingerprint,
            operation_id=self._new_id(),
            lease_until=now + LEASE_SECONDS,
            ttl=int(now) + KEPT_SECONDS,
        )
        # DynamoDB removes expired items late: one that is still there counts as gone.
        free = self._items.key.does_not_exist() | (self._items.ttl <= int(now))
        if self._write(lambda: fresh.save(condition=free)):
            return _attempt(fresh)
        return self._resume(key, fingerprint)

    def finish(self, attempt: Attempt, status: int, answer: str) -> None:
        """Keeps the answer, unless somebody else has taken the request over."""
        self._release(attempt, {"status": status, "answer": answer})

    def abandon(self, attempt: Attempt) -> None:
        """Lets the next repetition try at once: this one failed."""
        self._release(attempt, {"lease_until": 0.0})

    def _resume(self, key: str, fingerprint: str) -> Attempt:
        item = self._read(key)
        if item is None:
            raise _still_running(1.0)
        if item.fingerprint != fingerprint:
            raise IdempotencyConflictError
        if item.status:
            return _attempt(item)
        now = self._clock()
        if item.lease_until > now:
            raise _still_running(item.lease_until - now)
        held = item.lease_until
        item.lease_until = now + LEASE_SECONDS
        ours = (self._items.lease_until == held) & (self._items.status == 0)
        if not self._write(lambda: item.save(condition=ours)):
            raise _still_running(1.0)
        return _attempt(item)

    def _release(self, attempt: Attempt, changes: Mapping[str, float | str]) -> None:
        actions = [getattr(self._items, name).set(value) for name, value in changes.items()]
        ours = self._items.lease_until == attempt.lease_until
        item = self._items(attempt.key)
        self._write(lambda: item.update(actions=actions, condition=ours))

    def _read(self, key: str) -> _Item | None:
        def read() -> _Item | None:
            try:
                return self._items.get(key, consistent_read=True)
            except self._items.DoesNotExist:
                return None

        return self._call(read)

    def _write(self, write: Callable[[], object]) -> bool:
        """A conditional write; False when its condition failed."""

        def written() -> bool:
            try:
                write()
            except PynamoDBException as error:
                if _code(error) == _CONDITION:
                    return False
                raise
            return True

        return self._call(written)

    def _call(self, work: Callable[[], T]) -> T:
        """One call of the store; what pynamodb raises becomes what the guard knows."""

        def translated() -> T:
            try:
                return work()
            except PynamoDBException as error:
                raise UnavailableError(f"the store answered {_code(error)}") from error

        return cast("T", self._guard(translated))


def _on_this_stage() -> type[_Item]:
    """The model with its table; not at import, for the stage is in the environment."""

    class Staged(_Item):
        class Meta:
            table_name = table("idempotency")
            region = aws_region()
            connect_timeout_seconds = 2
            read_timeout_seconds = 5

    return Staged


def _code(error: PynamoDBException) -> str:
    """What the store called an error; where it did not answer, the exception's name.

    pynamodb's own way to ask fails when a connection was closed before there was an answer.
    """
    answer = getattr(error.cause, "response", None) or {}
    return str(answer.get("Error", {}).get("Code") or type(error).__name__)


def _attempt(item: _Item) -> Attempt:
    return Attempt(
        key=item.key,
        operation_id=item.operation_id,
        lease_until=float(item.lease_until),
        status=int(item.status),
        answer=item.answer,
    )


def _still_running(seconds: float) -> IdempotencyConflictError:
    return IdempotencyConflictError(
        "the request with this Idempotency-Key is still running", retry_after=seconds
    )
