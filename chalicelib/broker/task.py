"""Commands, and how they are enqueued."""

from __future__ import annotations

import inspect
import time
from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import replace
from typing import Any, Concatenate, Generic, ParamSpec

from chalicelib.broker.connection import KafkaConnection
from chalicelib.broker.policy import DelayStore, DoneStore
from chalicelib.broker.records import TASKS, encode_command, pack, traced
from chalicelib.context import Context
from chalicelib.mq import Message

P = ParamSpec("P")


class Task(Generic[P]):
    """A command. Called, it runs here; with `kiq`, it is carried out by who has its trigger.

    Args:
        name: As it stands in Kafka.
        connection: Where it is sent.
        handler: Its function, which arguments are checked against before they are sent.
        delays: Keeps delayed commands.
        done: Remembers those with an idempotency key.
        clock: Unix seconds.
    """

    def __init__(
        self,
        name: str,
        connection: KafkaConnection,
        handler: Callable[Concatenate[Context, P], object] | None = None,
        *,
        delays: DelayStore | None = None,
        done: DoneStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.name = name
        self._connection = connection
        self._handler = handler
        self._delays = delays
        self._done = done
        self._clock = clock
        self._delay = 0.0
        self._idempotency_key = ""

    def __call__(self, ctx: Context, *args: P.args, **kwargs: P.kwargs) -> None:
        """Runs it here and now."""
        if self._handler is None:
            raise TypeError(f"task {self.name!r} has no function in this process")
        self._handler(ctx, *args, **kwargs)

    def message(self, key: str, args: Mapping[str, Any]) -> Message:
        """The record that asks for this task; records with the same key stay in order."""
        value = encode_command(self.name, args, idempotency_key=self._idempotency_key)
        return Message(TASKS, key.encode(), value)

    def with_options(self, *, delay_seconds: float = 0.0, idempotency_key: str = "") -> Task[P]:
        """The same task, to be enqueued otherwise.

        Args:
            delay_seconds: Not to be carried out before so long; then it is by the next release of
                due commands, which a schedule makes.
            idempotency_key: Commands with the same one are carried out once.

        Raises:
            ValueError: The broker has not the store that this needs.
        """
        if delay_seconds and self._delays is None:
            raise ValueError("delay_seconds: expected a broker with a delay store")
        if idempotency_key and self._done is None:
            raise ValueError("idempotency_key: expected a broker with a done store")
        other = copy(self)
        other._delay = delay_seconds
        other._idempotency_key = idempotency_key
        return other

    def kiq(self, ctx: Context, key: str, /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Enqueues the task and waits until Kafka, or the delay store, has it.

        Args:
            ctx: Its trace goes with the command.
            key: Commands with the same key are carried out in order.
            args: For the task's function; each must fit into JSON.
            kwargs: The same, by name.

        Raises:
            DeliveryError: Kafka did not confirm it in time.
            TypeError: The task's function takes other arguments.
        """
        message = self.message(key, self._by_name(ctx, args, kwargs))
        if self._delay and self._delays is not None:
            message = replace(message, headers=traced(ctx.trace_id))
            self._delays.put(pack(message), self._clock() + self._delay)
        else:
            self._connection.send(ctx, message)

    def _by_name(
        self, ctx: Context, args: tuple[object, ...], kwargs: Mapping[str, object]
    ) -> Mapping[str, Any]:
        if self._handler is None:
            return kwargs
        bound = inspect.signature(self._handler).bind(ctx, *args, **kwargs).arguments
        return dict(list(bound.items())[1:])
