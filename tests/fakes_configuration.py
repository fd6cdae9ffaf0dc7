"""Fakes at the ports of the configuration's snapshot."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.coord import Parameter

PREFIX = "/lambchat/local/"


class FakeSnapshots:
    """The table; ``before_write`` may let somebody else be faster."""

    def __init__(self) -> None:
        self.item: tuple[int, str] | None = None
        self.reads = 0
        self.before_write: Callable[[], object] = lambda: None

    def read(self, *, consistent: bool) -> tuple[int, str] | None:
        self.reads += 1
        return self.item

    def write(self, version: int, body: str) -> bool:
        self.before_write()
        if self.item and self.item[0] != version - 1:
            return False
        self.item = (version, body)
        return True


class FakeParameters:
    """Parameter Store's documents below our prefix."""

    def __init__(self, **documents: str) -> None:
        self.rows: dict[str, Parameter] = {}
        self.reads = 0
        for name, value in documents.items():
            self.put(name, value)

    def put(self, name: str, value: str, *, is_secret: bool = False) -> None:
        path = PREFIX + name.replace("__", "/")
        version = self.rows[path].version + 1 if path in self.rows else 1
        self.rows[path] = Parameter(path, value, version, is_secret)

    def remove(self, name: str) -> None:
        del self.rows[PREFIX + name]

    def list(self) -> list[Parameter]:
        self.reads += 1
        return [*self.rows.values()]
