"""Reading parameters, with the last good copy kept for when Parameter Store is away."""

from __future__ import annotations

import logging
import os
import random
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from chalicelib.aws import AwsError, Guard, parameter_store
from chalicelib.coord.parameter import CoordError, Parameter
from chalicelib.coord.snapshot import ParameterStore, Snapshot, SnapshotStore
from chalicelib.coord.watch import JITTER, Callback, Watch

logger = logging.getLogger(__name__)

MAX_AGE_SECONDS = 30.0
_ATTEMPTS = 4
_FIRST_BACKOFF_SECONDS = 0.1


@dataclass(slots=True)
class _Copy:
    parameter: Parameter | None
    read_at: float
    factor: float  # of each age, so that a thousand environments do not ask in the same second


class ConfigCentre:
    """Cached access to parameters; safe to use from several threads."""

    def __init__(
        self,
        store: ParameterStore,
        *,
        max_age_seconds: float = MAX_AGE_SECONDS,
        clock: Callable[[], float] = time.time,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._store = store
        self._sleep = sleep
        self._max_age = max_age_seconds
        self._clock = clock
        self._copies: dict[str, _Copy] = {}
        self._lock = threading.Lock()
        self._calling = threading.Lock()  # a connection takes one request at a time
        self._watches: list[Watch] = []

    def get(self, path: str, *, max_age_seconds: float | None = None) -> Parameter | None:
        """The parameter at ``path``, or None when there is none.

        A copy younger than ``max_age_seconds`` (wall clock: a Lambda may have been frozen) is
        answered without a call. A SecureString is decrypted.

        Raises:
            CoordError: It was never read, and Parameter Store cannot be read now.
        """
        age = self._max_age if max_age_seconds is None else max_age_seconds
        with self._lock:
            copy = self._copies.get(path)
            if copy and self._clock() < copy.read_at + age * copy.factor:
                return copy.parameter
            return self._read(path, copy)

    def list(self, path: str, *, decrypt: bool = True) -> list[Parameter]:
        """All parameters below ``path``, in every depth; always read anew.

        Args:
            path: The path.
            decrypt: False leaves secrets encrypted, and needs no right to the key.

        Raises:
            CoordError: Parameter Store cannot be read.
        """
        found: list[Parameter] = []
        arguments: dict[str, Any] = {"Path": path, "Recursive": True, "WithDecryption": decrypt}
        try:
            while True:
                page = self._call("GetParametersByPath", arguments)
                found.extend(map(_parameter, page["Parameters"]))
                if not (token := page.get("NextToken")):
                    return found
                arguments["NextToken"] = token
        except AwsError as error:
            raise CoordError(f"cannot list {path}: {error.code}") from error

    def watch(
        self,
        path: str,
        callback: Callback,
        *,
        interval_seconds: float | None = None,
        background: bool | None = None,
    ) -> Watch:
        """Calls back with all parameters below ``path``: soon, and after each change.

        Args:
            path: The path.
            callback: Gets the parameters by their paths, always all of them.
            interval_seconds: How often to look; by default as old as copies may become.
            background: Whether a thread looks. By default it does, but not in a Lambda function:
                there the first look is made here, and `check` is to be called at the start of
                each invocation.
        """
        watch = Watch(
            self.list,
            path,
            callback,
            interval_seconds=self._max_age if interval_seconds is None else interval_seconds,
            clock=self._clock,
        )
        if background is None:
            background = "AWS_LAMBDA_FUNCTION_NAME" not in os.environ
        if background:
            watch.start()
        else:
            self._watches.append(watch)
            watch.check()
        return watch

    def check(self) -> None:
        """Looks for changes where no thread does, if it is time; costs nothing if it is not."""
        for watch in self._watches:
            watch.check()

    def _call(self, operation: str, arguments: dict[str, Any]) -> dict[str, Any]:
        """One call, again after a moment where Parameter Store throttles it."""
        for attempt in range(_ATTEMPTS):
            try:
                with self._calling:
                    return self._store.call(operation, arguments)
            except AwsError as error:
                if not error.code.startswith("Throttling") or attempt == _ATTEMPTS - 1:
                    raise
            self._sleep(random.uniform(0, _FIRST_BACKOFF_SECONDS * 2**attempt))
        raise AssertionError("the last attempt returns or raises")

    def _read(self, path: str, copy: _Copy | None) -> Parameter | None:
        parameter: Parameter | None = None
        try:
            answer = self._call("GetParameter", {"Name": path, "WithDecryption": True})
            parameter = _parameter(answer["Parameter"])
        except AwsError as error:
            if error.code != "ParameterNotFound":
                if copy is None:
                    raise CoordError(f"cannot read {path}: {error.code}") from error
                logger.warning("parameter kept from an earlier read", extra={"path": path})
                parameter = copy.parameter
        factor = 1 + random.uniform(-JITTER, JITTER)
        self._copies[path] = _Copy(parameter, self._clock(), factor)
        return parameter


def _parameter(body: dict[str, Any]) -> Parameter:
    is_secret = body.get("Type") == "SecureString"
    return Parameter(body["Name"], body["Value"], body.get("Version", 0), is_secret)


def parameter_path(*parts: str) -> str:
    """The path of one of our parameters: ``/lambchat/{STAGE}/…``."""
    return "/".join(("/lambchat", os.environ.get("STAGE", "local"), *parts))


def new(
    *,
    max_age_seconds: float = MAX_AGE_SECONDS,
    clock: Callable[[], float] = time.time,
    snapshot: Callable[[], Snapshot | None] | None = None,
    guard: Guard | None = None,
) -> ConfigCentre:
    """A configuration centre on the Parameter Store that the environment names.

    Args:
        max_age_seconds: How old a copy may be.
        clock: Unix seconds.
        snapshot: Reads a snapshot, which then answers as far as it reaches; None if there is none.
        guard: Runs each request to Parameter Store, a circuit breaker for example.
    """
    store: ParameterStore = parameter_store(guard=guard)
    if snapshot is not None:
        store = SnapshotStore(snapshot, store, clock=clock)
    return ConfigCentre(store, max_age_seconds=max_age_seconds, clock=clock)
