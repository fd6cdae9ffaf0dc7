"""When a breaker opens, for how long, and what closes it again."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from typing import Any, Self

_SHOWN_CHARACTERS = 100  # of a wrong value: the error goes into a log line
_MIN_SECONDS, _MAX_SECONDS = 0.001, 86_400.0


class PolicyError(ValueError):
    """A policy is wrong.

    Attributes:
        wrong: A sentence for every wrong field: its name, what was expected, what was found.
    """

    def __init__(self, wrong: tuple[str, ...]) -> None:
        super().__init__(wrong)
        self.wrong = wrong

    def __str__(self) -> str:
        return "; ".join(self.wrong)


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """A breaker's policy; the defaults open after about ten calls of which half fail.

    A call fails when it raises an error that counts (see ``Config.ignore``).

    Attributes:
        failure_threshold: So many failures in the window open; matters to busy processes.
        failure_rate: So large a part of the calls in the window failing opens.
        minimum_calls: Below so many calls in the window neither rate is looked at.
        window_seconds: How long an outcome is remembered; it is forgotten in tenths of this.
        slow_call_seconds: A call that takes so long is slow, whether it fails or not.
        slow_call_rate: So large a part of the calls in the window being slow opens.
        open_seconds: How long calls are refused before trials are let through.
        half_open_calls: So many trials must all succeed, and none be slow, to close.

    Raises:
        PolicyError: A value is of the wrong type or out of range.
    """

    failure_threshold: int = 50
    failure_rate: float = 0.5
    minimum_calls: int = 10
    window_seconds: float = 60.0
    slow_call_seconds: float = 5.0
    slow_call_rate: float = 0.8
    open_seconds: float = 10.0
    half_open_calls: int = 2

    def __post_init__(self) -> None:
        if wrong := _wrong({field.name: getattr(self, field.name) for field in fields(self)}):
            raise PolicyError(wrong)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """The policy in a JSON document; a field that is left out has its default.

        Raises:
            PolicyError: The document is wrong; the error names everything that is.
        """
        try:
            document: Any = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise PolicyError((f"expected a JSON document, found {_shown(text)}",)) from error
        if not isinstance(document, dict):
            raise PolicyError((f"expected a JSON object, found {_shown(document)}",))
        if wrong := _wrong(document):
            raise PolicyError(wrong)
        return cls(**document)


def _is_count(value: Any) -> bool:
    return type(value) is int and value >= 1


def _is_rate(value: Any) -> bool:
    return type(value) in (int, float) and 0 < value <= 1


def _is_seconds(value: Any) -> bool:
    return type(value) in (int, float) and _MIN_SECONDS <= value <= _MAX_SECONDS


_COUNT = ("a whole number from 1", _is_count)
_RATE = ("a number above 0 and at most 1", _is_rate)
_SECONDS = (f"seconds from {_MIN_SECONDS:g} to {_MAX_SECONDS:g}", _is_seconds)
_RULES: Mapping[str, tuple[str, Callable[[Any], bool]]] = {
    "failure_threshold": _COUNT,
    "failure_rate": _RATE,
    "minimum_calls": _COUNT,
    "window_seconds": _SECONDS,
    "slow_call_seconds": _SECONDS,
    "slow_call_rate": _RATE,
    "open_seconds": _SECONDS,
    "half_open_calls": _COUNT,
}
_UNKNOWN = (f"one of the fields {', '.join(_RULES)}", lambda _: False)


def _wrong(values: Mapping[str, Any]) -> tuple[str, ...]:
    rules = {name: _RULES.get(name, _UNKNOWN) for name in values}
    return tuple(
        f"{name}: expected {rules[name][0]}, found {_shown(value)}"
        for name, value in values.items()
        if not rules[name][1](value)
    )


def _shown(value: Any) -> str:
    shown = repr(value)
    return shown if len(shown) <= _SHOWN_CHARACTERS else shown[:_SHOWN_CHARACTERS] + "…"
