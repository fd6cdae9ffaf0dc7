"""Carrying out commands one by one: time-out, idempotency, another attempt, dead letter."""

from __future__ import annotations

import inspect
import logging
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from typing import Any

from chalicelib.broker.policy import DeadLetterSink, DelayStore, DoneStore, Retry, TaskTimeoutError
from chalicelib.broker.records import Command, PoisonError, again, pack
from chalicelib.context import Context

logger = logging.getLogger("chalicelib.broker")

Function = Callable[..., object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Stores:
    """What the attempts of a broker need from outside."""

    dead_letter: DeadLetterSink
    delays: DelayStore | None = None
    done: DoneStore | None = None
    clock: Callable[[], float] = time.time


@dataclass(frozen=True, slots=True, kw_only=True)
class OneByOne:
    """A batch handler that calls a function for each command.

    Attributes:
        call: Gets a context and the command.
        stores: Of the broker.
        retry: None leaves a failure to the trigger, which brings the batch again.
        timeout: Seconds for one call, or None.
        listener: The listener's name; empty for a task.
        lanes: So many keys are worked on at once; commands with the same key stay in order.
        look_ahead: Gets each batch before its first command is carried out.
    """

    call: Callable[[Context, Command], object]
    stores: Stores
    retry: Retry | None
    timeout: float | None
    listener: str = ""
    lanes: int = 1
    look_ahead: Callable[[Sequence[Command]], object] | None = None

    def __call__(self, commands: Sequence[Command]) -> None:
        self._prepare(commands)
        by_key: dict[str, list[Command]] = {}
        for command in commands:
            by_key.setdefault(command.key if self.lanes > 1 else "", []).append(command)
        if len(by_key) == 1:
            self._in_order(commands)
            return
        with ThreadPoolExecutor(self.lanes, "broker-lane") as pool:
            for lane in [pool.submit(self._in_order, one) for one in by_key.values()]:
                lane.result()

    def _prepare(self, commands: Sequence[Command]) -> None:
        if self.look_ahead is None:
            return
        try:
            self.look_ahead(commands)
        except Exception as error:  # each command meets it by itself, and has its own retry
            logger.warning("looking ahead failed", exc_info=error)

    def _in_order(self, commands: Sequence[Command]) -> None:
        for command in commands:
            self._carry_out(command)

    def _carry_out(self, command: Command) -> None:
        done = self.stores.done if command.idempotency_key else None
        key = f"{command.name}#{command.idempotency_key}"
        if done is not None and done.is_done(key):
            logger.info("command was carried out before", extra=origin(command))
            return
        try:
            self._call(command)
        except PoisonError as error:
            self._park(command, error)  # and it is not done: a replay is to be carried out
            return
        except Exception as error:
            if self.retry is None:
                raise
            self._failed(command, error, self.retry)
            return
        if done is not None:
            done.done(key)

    def _call(self, command: Command) -> None:
        ctx = Context(cancelled=command.cancelled or threading.Event())
        if command.trace_id:
            ctx = replace(ctx, trace_id=command.trace_id)
        if self.timeout is None:
            self.call(ctx, command)
        else:
            _call_within(self.timeout, ctx, lambda ctx: self.call(ctx, command))

    def _failed(self, command: Command, error: Exception, retry: Retry) -> None:
        extra = {**origin(command), "attempt": command.attempt + 1, "error": repr(error)}
        if command.attempt + 1 >= retry.attempts or self.stores.delays is None:
            logger.error("attempts used up", exc_info=error, extra=extra)
            self._park(command, error)
            return
        wait = retry.wait(command.attempt)
        logger.warning("attempt failed", exc_info=error, extra={**extra, "next_in_s": wait})
        message = again(command, listener=self.listener)
        self.stores.delays.put(pack(message), self.stores.clock() + wait)

    def _park(self, command: Command, error: Exception) -> None:
        # Who replays it must not bring it to the listeners that have taken it.
        park(self.stores, replace(command, listener=self.listener), error)


def park(stores: Stores, command: Command, error: Exception) -> None:
    """Makes a dead letter of a record."""
    logger.error("record parked as a dead letter", extra={**origin(command), "error": str(error)})
    stores.dead_letter(command, error)


def origin(command: Command) -> dict[str, Any]:
    """Where a command comes from, for a log line."""
    return {
        "command": command.name,
        "source": command.source,
        "offset": command.offset,
        "trace_id": command.trace_id,
    }


def with_arguments(function: Function) -> Callable[[Context, Command], object]:
    """Calls a task's function; arguments that it does not take can never succeed."""
    signature = inspect.signature(function)

    def call(ctx: Context, command: Command) -> object:
        try:
            bound = signature.bind(ctx, **command.args)
        except TypeError as error:
            raise PoisonError(f"task {command.name!r}: {error}") from error
        return function(*bound.args, **bound.kwargs)

    return call


def _call_within(seconds: float, ctx: Context, call: Callable[[Context], object]) -> None:
    """Runs a call in a thread, which is told and left to itself when it takes longer."""
    cancelled = threading.Event()
    ctx = replace(ctx, deadline=time.time() + seconds, cancelled=cancelled)
    failed: list[BaseException] = []

    def run() -> None:
        try:
            call(ctx)
        except BaseException as error:  # it is raised where the call was made
            failed.append(error)

    thread = threading.Thread(target=run, name="broker-task", daemon=True)
    thread.start()
    thread.join(seconds)
    if thread.is_alive():
        cancelled.set()
        raise TaskTimeoutError(f"not ended after {seconds:g} s")
    if failed:
        raise failed[0]
