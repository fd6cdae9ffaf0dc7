"""Filter criteria of event source mappings: EventBridge patterns on a record's value and key.

Source: https://docs.aws.amazon.com/lambda/latest/dg/kafka-filtering.html and
https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-create-pattern-operators.html
"""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

_ABSENT = object()
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "=": operator.eq,
    "<": operator.lt,
    "<=": operator.le,
    ">": operator.gt,
    ">=": operator.ge,
}


def passes(patterns: Sequence[Mapping[str, Any]], value: bytes | None, key: bytes | None) -> bool:
    """Whether a record passes one of the patterns; without patterns every record does."""
    if not patterns:
        return True
    parts = {"value": _parsed(value), "key": _parsed(key)}
    return any(_matches(pattern, parts) for pattern in patterns)


def _parsed(data: bytes | None) -> Any:
    if data is None:
        return None
    try:
        return json.loads(data)
    except ValueError:
        return data.decode(errors="replace")


def _matches(pattern: Mapping[str, Any], value: Any) -> bool:
    for name, expected in pattern.items():
        if name == "$or":
            if not any(_matches(one, value) for one in expected):
                return False
            continue
        actual = value.get(name, _ABSENT) if isinstance(value, dict) else _ABSENT
        if isinstance(expected, dict):
            if not _matches(expected, actual):
                return False
        elif not any(_is(rule, actual) for rule in expected):
            return False
    return True


def _is(rule: Any, actual: Any) -> bool:
    if isinstance(actual, list):
        return any(_is(rule, one) for one in actual)
    if not isinstance(rule, dict):
        same_kind = isinstance(rule, bool) == isinstance(actual, bool)
        return bool(actual is not _ABSENT and same_kind and rule == actual)
    ((name, argument),) = rule.items()
    if name == "exists":
        return bool((actual is not _ABSENT) == argument)
    return actual is not _ABSENT and bool(_operators[name](argument, actual))


def _anything_but(argument: Any, actual: Any) -> bool:
    rules = argument if isinstance(argument, list) else [argument]
    return not any(_is(rule, actual) for rule in rules)


def _numeric(argument: Sequence[Any], actual: Any) -> bool:
    if isinstance(actual, bool) or not isinstance(actual, (int, float)):
        return False
    pairs = zip(argument[::2], argument[1::2], strict=True)
    return all(_COMPARISONS[sign](actual, bound) for sign, bound in pairs)


_operators: Mapping[str, Callable[[Any, Any], bool]] = {
    "prefix": lambda argument, actual: isinstance(actual, str) and actual.startswith(argument),
    "suffix": lambda argument, actual: isinstance(actual, str) and actual.endswith(argument),
    "equals-ignore-case": lambda argument, actual: (
        isinstance(actual, str) and actual.casefold() == argument.casefold()
    ),
    "anything-but": _anything_but,
    "numeric": _numeric,
}
