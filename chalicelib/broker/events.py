"""What happened, as a dataclass for each kind."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True, kw_only=True)
class BaseEvent:
    """Something that happened. A subclass names it and adds its fields.

    Attributes:
        event_name: What happened, for example ``user.registered``; the same for every instance.
        event_version: ``major.minor``. A new minor version adds fields, which listeners ignore
            that do not know them; a new major version is skipped by listeners of the old one.
    """

    event_name: ClassVar[str] = ""
    event_version: str = "1.0"

    def payload(self) -> dict[str, Any]:
        """The fields, as listeners get them; each must fit into JSON."""
        names = (one.name for one in fields(self))
        return {name: getattr(self, name) for name in names if name != "event_version"}


def major(version: str) -> str:
    """The part of a version that listeners compare."""
    return version.partition(".")[0]
