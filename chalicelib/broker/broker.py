"""Tasks and listeners, and what runs them."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any, Concatenate, ParamSpec, TypeVar

from chalicelib.broker.attempts import OneByOne, Stores, park, with_arguments
from chalicelib.broker.connection import KafkaConnection
from chalicelib.broker.events import BaseEvent
from chalicelib.broker.groups import BatchHandler, Groups
from chalicelib.broker.policy import DeadLetterSink, DelayStore, DoneStore, Retry
from chalicelib.broker.records import FORMAT, Command, PoisonError, unpack
from chalicelib.broker.task import Task
from chalicelib.context import Context

logger = logging.getLogger(__name__)

P = ParamSpec("P")
Listener = Callable[[Context, dict[str, Any]], None]
Hook = Callable[[], object]
_Hook = TypeVar("_Hook", bound=Hook)

DEFAULT_GROUP = "tasks"


class Broker:
    """The one place where messages are sent, and where it is said who carries them out.

    Args:
        connection: Kafka.
        dead_letter: Takes records that can never succeed, or whose attempts are used up.
        delays: Keeps delayed commands, and those that wait for their next attempt.
        done: Remembers commands that have an idempotency key.
        clock: Unix seconds.
    """

    def __init__(
        self,
        connection: KafkaConnection,
        *,
        dead_letter: DeadLetterSink,
        delays: DelayStore | None = None,
        done: DoneStore | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self.connection = connection
        self._stores = Stores(dead_letter=dead_letter, delays=delays, done=done, clock=clock)
        self._groups = Groups()
        self._startup: list[Hook] = []
        self._shutdown: list[Hook] = []

    @property
    def groups(self) -> Mapping[str, str]:
        """The consumer groups, and the topic of each."""
        return self._groups.topics()

    def task(
        self,
        name: str,
        *,
        group: str = DEFAULT_GROUP,
        retry: Retry | None = None,
        timeout: float | None = None,
        lanes: int = 1,
    ) -> Callable[[Callable[Concatenate[Context, P], object]], Task[P]]:
        """Declares a command; its function gets a context and the arguments by name.

        Args:
            name: As it stands in Kafka.
            group: Who carries it out: groups share the tasks among them.
            retry: How a failed command is tried later; without, its partition waits.
            timeout: Seconds, after which the attempt has failed. The context has it as deadline,
                for nothing can stop a function from outside.
            lanes: So many keys of a batch are worked on at once, each in order: for functions
                that wait for others. A worker brings one command at a time.
        """

        def register(function: Callable[Concatenate[Context, P], object]) -> Task[P]:
            self._groups.add_task(
                name,
                group,
                self._one_by_one(with_arguments(function), retry, timeout, lanes=lanes),
            )
            stores = self._stores
            return Task(
                name,
                self.connection,
                function,
                delays=stores.delays,
                done=stores.done,
                clock=stores.clock,
            )

        return register

    def batch_task(
        self, name: str, *, group: str = DEFAULT_GROUP
    ) -> Callable[[BatchHandler], Task[...]]:
        """Declares a command whose function gets all commands of a batch, in order.

        For hot paths; a failure brings all of them again.
        """

        def register(handler: BatchHandler) -> Task[...]:
            self._groups.add_task(name, group, handler)
            return Task(name, self.connection)

        return register

    def listener(
        self,
        event: str | type[BaseEvent],
        *,
        name: str = "",
        versions: Sequence[str] = ("1",),
        retry: Retry | None = None,
        timeout: float | None = None,
        look_ahead: Callable[[Sequence[Command]], object] | None = None,
    ) -> Callable[[Listener], Listener]:
        """Declares a listener: its function gets a context and the payload, a dict.

        Args:
            event: Which one.
            name: The listener's, and its group's; by default the function's.
            versions: The major versions that it understands; others are skipped with a warning.
            retry: As for a task; other listeners do not notice.
            timeout: As for a task.
            look_ahead: Gets the events of a batch before the function gets the first of them, to
                read at once what each needs. Where it fails, each goes on without.
        """

        def register(function: Listener) -> Listener:
            group = name or function.__name__
            handler = self._one_by_one(
                lambda ctx, command: function(ctx, dict(command.args)),
                retry,
                timeout,
                listener=group,
                look_ahead=look_ahead,
            )
            self._groups.add_listener(group, (event,), versions, handler)
            return function

        return register

    def batch_listener(
        self, *events: str | type[BaseEvent], name: str = "", versions: Sequence[str] = ("1",)
    ) -> Callable[[BatchHandler], BatchHandler]:
        """Declares a listener that gets all events of a batch; a failure brings them again.

        Of several kinds of events it gets neighbours of one kind at a time, in order.
        """

        def register(handler: BatchHandler) -> BatchHandler:
            self._groups.add_listener(name or handler.__name__, events, versions, handler)
            return handler

        return register

    def publish(self, ctx: Context, event: BaseEvent, *, key: str = "") -> None:
        """Publishes an event, as the connection does."""
        self.connection.publish(ctx, event, key=key)

    def run(self, group: str, commands: Iterable[Command]) -> None:
        """Carries out a batch for a group; an exception means that all of it is to come again.

        What is another group's, or another listener's, is left to them.
        """
        # Different tasks with one key keep their order too: only neighbours are a batch.
        taken = self._taken(group, commands)
        for name, batch in groupby(taken, lambda command: command.name):
            self._groups.handler(group, name)(list(batch))

    def release(self, ctx: Context) -> int:
        """Sends the delayed commands that are due; how many. A crash may send one twice.

        Raises:
            DeliveryError: Kafka did not confirm them; they are kept.
        """
        released = 0
        while (delays := self._stores.delays) and (due := delays.due(self._stores.clock())):
            self.connection.send(ctx, *(unpack(record) for _, record in due))
            delays.remove([one for one, _ in due])
            released += len(due)
        return released

    def park(self, command: Command, error: Exception) -> None:
        """Makes a dead letter of a record that can never succeed."""
        park(self._stores, command, error)

    def on_startup(self, hook: _Hook) -> _Hook:
        """Has a function called when a worker starts, after the topics were ensured."""
        self._startup.append(hook)
        return hook

    def on_shutdown(self, hook: _Hook) -> _Hook:
        """Has a function called when a worker ends, the last one added first."""
        self._shutdown.insert(0, hook)
        return hook

    def startup(self, ctx: Context, *, partitions: int, replication: int) -> None:
        """Ensures both topics, then calls the hooks; nothing is processed before.

        Raises:
            MqError: Kafka refused or is away.
        """
        created = self.connection.ensure_topics(ctx, partitions=partitions, replication=replication)
        logger.info("topics are there", extra={"topics_created": created})
        for hook in self._startup:
            hook()

    def close(self) -> None:
        """Calls the hooks, flushes and disconnects."""
        try:
            for hook in self._shutdown:
                hook()
        finally:
            self.connection.close()

    def _taken(self, group: str, commands: Iterable[Command]) -> Iterator[Command]:
        """Those for a group; the default one parks what is nobody's."""
        for command in commands:
            if self._groups.takes(group, command):
                yield command
            elif group == DEFAULT_GROUP and not self._groups.has_task(command.name):
                self.park(command, PoisonError(f"no task {command.name!r} in format {FORMAT}"))

    def _one_by_one(
        self,
        call: Callable[[Context, Command], object],
        retry: Retry | None,
        timeout: float | None,
        **more: Any,
    ) -> OneByOne:
        if retry and retry.attempts > 1 and self._stores.delays is None:
            raise ValueError("retry: expected a broker with a delay store")
        return OneByOne(call=call, stores=self._stores, retry=retry, timeout=timeout, **more)
