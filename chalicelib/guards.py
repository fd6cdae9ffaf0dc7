"""Circuit breakers around what this system stands on, and what counts as a failure of it.

A refused condition, a connection that is gone or a throttled call is an answer, and no failure.
docs/operations.md says what users see while a breaker is open.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

from chalicelib.aws import Guard, Response
from chalicelib.breaker import Breaker, BreakerOpenError
from chalicelib.context import Context
from chalicelib.errors import UnavailableError
from chalicelib.mq import MqError

DYNAMODB = "dynamodb"
KAFKA = "kafka"
PUSH = "push"
PARAMETER_STORE = "parameter-store"
SNS = "sns"  # notifications on mobile devices
ACCEPTANCE = "acceptance"  # the operator's hook before messages are accepted
NAMES = (DYNAMODB, KAFKA, PUSH, PARAMETER_STORE, ACCEPTANCE, SNS)


class Breakers(Protocol):
    """Hands out breakers by name."""

    def get_breaker(self, name: str, /) -> Breaker:
        """The breaker of this name."""


class _NoAnswerError(Exception):
    """Some requests were not answered, or with a fault of the service."""

    def __init__(self, answers: list[Response]) -> None:
        super().__init__(f"{len(answers)} requests")
        self.answers = answers


def is_answer(error: Exception) -> bool:
    """Whether an error says nothing of the health of what was called."""
    return not isinstance(error, _NoAnswerError | MqError | UnavailableError)


def around_requests(find: Callable[[], Breaker | None]) -> Guard:
    """Guards signed requests to a service; while its breaker is open, nobody answers them.

    Args:
        find: The breaker, or None as long as there is none.
    """

    def guard(send: Callable[[], list[Response]], count: int) -> list[Response]:
        breaker = find()
        if breaker is None:
            return send()
        try:
            return breaker.do(None, lambda: _whole(send()))
        except _NoAnswerError as error:
            return error.answers
        except BreakerOpenError as error:
            headers = {"retry-after": str(error.retry_after)}
            return [Response(0, headers, str(error).encode())] * count

    return guard


def around_calls(breaker: Breaker) -> Callable[[Callable[[], Any]], Any]:
    """Guards a repository's calls.

    The guard raises UnavailableError while the breaker is open.
    """

    def guard(call: Callable[[], Any]) -> Any:
        try:
            return breaker.do(None, call)
        except BreakerOpenError as error:
            raise UnavailableError(str(error), retry_after=error.retry_after) from error

    return guard


def around_sends(breakers: Callable[[], Breakers]) -> Callable[[Context, Callable[[], Any]], Any]:
    """Guards sends to Kafka; the guard raises UnavailableError while the breaker is open."""

    def guard(ctx: Context, send: Callable[[], Any]) -> Any:
        try:
            return breakers().get_breaker(KAFKA).do(ctx, send)
        except BreakerOpenError as error:
            raise UnavailableError(str(error), retry_after=error.retry_after) from error

    return guard


def _whole(answers: list[Response]) -> list[Response]:
    if any(one.status == 0 or one.status >= 500 for one in answers):
        raise _NoAnswerError(answers)
    return answers
