"""Parameters out of a snapshot: one read for all of them, far from Parameter Store's limits."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chalicelib.aws import AwsError

_SHARED_SECONDS = 1.0  # paths that are due together, after a thaw for example, share one read


class Snapshot(Protocol):
    """What Parameter Store held when the snapshot was written."""

    @property
    def prefix(self) -> str:
        """It knows everything below this path, which ends in a slash."""

    @property
    def elsewhere(self) -> tuple[str, ...]:
        """Except what is at or below these, which end in one too: secrets, for example."""

    @property
    def documents(self) -> Mapping[str, tuple[str, int]]:
        """Value and version by path."""


class ParameterStore(Protocol):
    """The calls of Systems Manager that are used."""

    def call(self, operation: str, arguments: dict[str, Any], /) -> dict[str, Any]:
        """Calls one operation."""


class SnapshotStore:
    """Answers in Parameter Store's place, as far as a snapshot of it reaches.

    Args:
        load: Reads the snapshot; None when there is none to be had: Parameter Store answers then.
        behind: Parameter Store.
        clock: Unix seconds.
    """

    def __init__(
        self,
        load: Callable[[], Snapshot | None],
        behind: ParameterStore,
        *,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._load = load
        self._behind = behind
        self._clock = clock
        self._snapshot: Snapshot | None = None
        self._read_at = float("-inf")

    def call(self, operation: str, arguments: dict[str, Any], /) -> dict[str, Any]:
        """``GetParameter`` or ``GetParametersByPath``.

        Raises:
            AwsError: There is no such parameter, or Parameter Store was asked and refused.
        """
        path = arguments["Name" if operation == "GetParameter" else "Path"]
        snapshot = self._current()
        if "NextToken" in arguments or snapshot is None or not _reaches(snapshot, path):
            return self._behind.call(operation, arguments)
        if operation == "GetParameter":
            if path not in snapshot.documents:
                raise AwsError("ParameterNotFound", "it is not in the snapshot", 400)
            return {"Parameter": _body(snapshot, path)}
        below = path.rstrip("/") + "/"
        return {
            "Parameters": [
                _body(snapshot, one) for one in snapshot.documents if one.startswith(below)
            ]
        }

    def _current(self) -> Snapshot | None:
        if not 0 <= self._clock() - self._read_at < _SHARED_SECONDS:
            self._snapshot = self._load()
            self._read_at = self._clock()
        return self._snapshot


def _reaches(snapshot: Snapshot, path: str) -> bool:
    """Whether the snapshot knows of everything at this path and below it."""
    tree = path.rstrip("/") + "/"
    return tree.startswith(snapshot.prefix) and not any(
        tree.startswith(one) or one.startswith(tree) for one in snapshot.elsewhere
    )


def _body(snapshot: Snapshot, path: str) -> dict[str, Any]:
    value, version = snapshot.documents[path]
    return {"Name": path, "Value": value, "Version": version, "Type": "String"}
