"""Noticing changes below a path.

In a long-lived process a thread looks from time to time. A Lambda is frozen between invocations
and has no such thread: there `ConfigCentre.check` looks at the start of an invocation, when the
last look is too long ago.
"""

from __future__ import annotations

import logging
import random
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from chalicelib.coord.parameter import CoordError, Parameter

logger = logging.getLogger(__name__)

JITTER = 0.2  # of the interval: a thousand environments must not ask in the same second
_MAX_BACKOFF = 8  # intervals

Callback = Callable[[Mapping[str, Parameter]], None]


class Reader(Protocol):
    """What reads all parameters below a path, whole or not at all."""

    def __call__(self, path: str, /) -> Sequence[Parameter]: ...


class Watch:
    """One path that is watched.

    Args:
        read: Reads all of it.
        path: The path.
        callback: Gets every parameter below the path, by its own path: at the first look, and
            whenever one was added, changed (by its version) or removed.
        interval_seconds: How often to look.
        clock: Unix seconds; a Lambda's monotonic clock stands still while it is frozen.
    """

    def __init__(
        self,
        read: Reader,
        path: str,
        callback: Callback,
        *,
        interval_seconds: float,
        clock: Callable[[], float],
    ) -> None:
        self._read = read
        self._path = path
        self._callback = callback
        self._interval = interval_seconds
        self._clock = clock
        self._known: dict[str, tuple[int, int]] | None = None
        self._failures = 0
        self._due_at = 0.0
        self._looking = threading.Lock()
        self._closed = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Looks from a thread of its own from now on."""
        self._thread = threading.Thread(target=self._run, name="coord-watch", daemon=True)
        self._thread.start()

    def check(self) -> None:
        """Looks, if it is time; an outage is logged, and what is known stays."""
        if self._clock() < self._due_at or self._closed.is_set():
            return
        with self._looking:
            if self._clock() >= self._due_at:
                self._look()

    def close(self) -> None:
        """Ends it; the callback is not called any more when this returns."""
        self._closed.set()
        if self._thread is not None and self._thread is not threading.current_thread():
            self._thread.join()

    def _run(self) -> None:
        while not self._closed.is_set():
            self.check()
            self._closed.wait(max(0.01, min(self._due_at - self._clock(), 1.0)))

    def _look(self) -> None:
        try:
            found = {one.path: one for one in self._read(self._path)}
        except CoordError as error:
            self._failures += 1
            # Full jitter: https://aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter/
            most = self._interval * min(_MAX_BACKOFF, 2**self._failures)
            self._due_at = self._clock() + random.uniform(self._interval / 2, most)
            if self._failures == 1:
                fields = {"path": self._path, "error": str(error)}
                logger.warning("configuration kept from an earlier read", extra=fields)
            return
        if self._failures:
            logger.info("configuration is read again", extra={"path": self._path})
        self._failures = 0
        self._due_at = self._clock() + self._interval * random.uniform(1 - JITTER, 1 + JITTER)
        # One that was deleted and made again has the version 1 once more.
        versions = {path: (one.version, hash(one.value)) for path, one in found.items()}
        if versions == self._known:
            return
        try:
            self._callback(found)
        except Exception:
            logger.exception("change of configuration not taken", extra={"path": self._path})
        self._known = versions
