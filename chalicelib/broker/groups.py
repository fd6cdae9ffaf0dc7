"""Consumer groups, and which of them takes a record."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from chalicelib.broker.attempts import origin
from chalicelib.broker.events import BaseEvent, major
from chalicelib.broker.records import EVENTS, TASKS, Command

logger = logging.getLogger("chalicelib.broker")

BatchHandler = Callable[[Sequence[Command]], None]


@dataclass(frozen=True, slots=True)
class _Group:
    topic: str
    handlers: dict[str, BatchHandler] = field(default_factory=dict)  # by task or event
    versions: tuple[str, ...] = ()  # of the events


class Groups:
    """Who carries out what: tasks are shared among groups, a listener is a group of its own."""

    def __init__(self) -> None:
        self._groups: dict[str, _Group] = {}

    def topics(self) -> Mapping[str, str]:
        """The topic of each group."""
        return {name: group.topic for name, group in self._groups.items()}

    def add_task(self, name: str, group: str, handler: BatchHandler) -> None:
        """A task is carried out by a group.

        Raises:
            ValueError: There is one of this name, or a listener of the group's.
        """
        if self.has_task(name):
            raise ValueError(f"task {name!r}: expected a name of its own")
        found = self._groups.setdefault(group, _Group(TASKS))
        if found.topic != TASKS:
            raise ValueError(f"group {group!r}: expected another name than a listener's")
        found.handlers[name] = handler

    def add_listener(
        self,
        name: str,
        events: Sequence[str | type[BaseEvent]],
        versions: Sequence[str],
        handler: BatchHandler,
    ) -> None:
        """A listener takes events of some major versions.

        Raises:
            ValueError: There is a listener or group of this name.
        """
        if name in self._groups:
            raise ValueError(f"listener {name!r}: expected a name of its own")
        names = (one if isinstance(one, str) else one.event_name for one in events)
        self._groups[name] = _Group(EVENTS, dict.fromkeys(names, handler), tuple(versions))

    def takes(self, group: str, command: Command) -> bool:
        """Whether a record is for a group; a version that it does not know is said and skipped."""
        found = self._groups[group]
        if command.name not in found.handlers:
            return False
        if found.topic == TASKS:
            return True
        if command.listener not in ("", group):
            return False  # another listener tries it again
        if major(command.version) not in found.versions:
            fields = {**origin(command), "listener": group, "event_version": command.version}
            logger.warning("event of an unsupported version skipped", extra=fields)
            return False
        return True

    def handler(self, group: str, name: str) -> BatchHandler:
        """What a group does with the records of this name that it takes."""
        return self._groups[group].handlers[name]

    def has_task(self, name: str) -> bool:
        """Whether a group carries out this task."""
        return any(name in one.handlers for one in self._groups.values() if one.topic == TASKS)
