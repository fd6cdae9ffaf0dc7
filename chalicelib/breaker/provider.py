"""All breakers of a process, and the policies that they follow."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from chalicelib import coord
from chalicelib.breaker.breaker import Breaker
from chalicelib.breaker.circuit import Circuit
from chalicelib.breaker.options import (
    Config,
    Dependencies,
    Option,
    PolicyCentre,
    Watch,
    collect,
)
from chalicelib.breaker.policy import Policy, PolicyError

_DEFAULT = "default"
_BUILT_IN = Policy()


class Provider:
    """Hands out breakers, one a name; safe to use from several threads. ``new`` makes one."""

    def __init__(self, config: Config, dependencies: Dependencies) -> None:
        self._prefix = config.policies_path.rstrip("/") + "/"
        self._ignore = config.ignore
        self._dependencies = dependencies
        self._logger = dependencies.logger
        self._policies: Mapping[str, Policy] = {}
        self._is_loaded = False
        self._breakers: dict[str, Breaker] = {}
        self._circuits: dict[str, Circuit] = {}
        self._lock = threading.Lock()
        self._watch: Watch | None = None

    def get_breaker(self, name: str) -> Breaker:
        """The breaker of this name, the same one every time."""
        if breaker := self._breakers.get(name):
            return breaker
        with self._lock:
            if breaker := self._breakers.get(name):  # another thread was first
                return breaker
            return self._make(name)

    def close(self) -> None:
        """Stops following changes of the policies; the breakers go on working."""
        with self._lock:
            watch, self._watch = self._watch, None
        if watch:
            watch.close()

    def _make(self, name: str) -> Breaker:
        circuit = Circuit(
            name,
            self._policy(name),
            clock=self._dependencies.clock,
            logger=self._logger,
            on_change=self._dependencies.on_change,
        )
        self._circuits[name] = circuit
        # Seen without the lock as soon as it is stored: it is stored when it is complete.
        self._breakers[name] = breaker = Breaker(circuit, self._ignore, self._logger)
        return breaker

    def _policy(self, name: str) -> Policy:
        return self._policies.get(name) or self._policies.get(_DEFAULT) or _BUILT_IN

    def _follow(self, centre: PolicyCentre) -> None:
        """Watches, then reads: what changes in between is not missed."""
        path = self._prefix.rstrip("/")
        self._watch = centre.watch(path, self._adopt)
        if self._is_loaded:
            return
        try:
            parameters = {parameter.path: parameter for parameter in centre.list(path)}
        except coord.CoordError as error:
            # Breakers are there for outages: this one must not keep a function from starting.
            fields = {"path": path, "error": str(error)}
            self._logger.error("breaker policies cannot be read", extra=fields)
            return
        self._adopt(parameters, is_first=True)

    def _adopt(self, parameters: Mapping[str, coord.Parameter], *, is_first: bool = False) -> None:
        with self._lock:
            if is_first and self._is_loaded:
                return  # the watch has told us something newer
            before, is_change = self._policies, self._is_loaded
            self._is_loaded = True
            self._policies = self._read(parameters)
            circuits = tuple(self._circuits.values())
            for circuit in circuits:
                circuit.adopt(self._policy(circuit.name))
        for circuit in circuits:
            circuit.announce(None)
        if is_change:
            after = self._policies
            names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
            if names:
                self._logger.info("breaker policies changed", extra={"breakers": sorted(names)})

    def _read(self, parameters: Mapping[str, coord.Parameter]) -> dict[str, Policy]:
        policies: dict[str, Policy] = {}
        for path, parameter in parameters.items():
            name = path.removeprefix(self._prefix)
            try:
                policies[name] = Policy.from_json(parameter.value)
            except PolicyError as error:
                fields = {"path": path, "error": str(error)}
                self._logger.error("breaker policy refused", extra=fields)
                if name in self._policies:
                    policies[name] = self._policies[name]
        return policies


def new(config: Config, *options: Option) -> Provider:
    """A Provider with all policies loaded, which follows their changes until it is closed.

    While Parameter Store is away its breakers have the built-in policy.
    """
    dependencies = collect(options)
    provider = Provider(config, dependencies)
    provider._follow(dependencies.centre or coord.new())
    return provider
