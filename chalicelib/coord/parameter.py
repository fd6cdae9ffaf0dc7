"""A parameter, and what goes wrong with reading one."""

from __future__ import annotations

from dataclasses import dataclass


class CoordError(Exception):
    """Parameter Store cannot be read, and there is no earlier copy."""


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter. Its value may be a secret: it is left out of ``repr``."""

    path: str
    value: str
    version: int
    is_secret: bool = False

    def __repr__(self) -> str:
        return f"Parameter(path={self.path!r}, value='…', version={self.version})"
