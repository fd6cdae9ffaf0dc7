from __future__ import annotations

import json
from typing import Any

import pytest

from localstack.emulator.filters import passes


@pytest.mark.parametrize(
    ("pattern", "value", "expected"),
    [
        ({"task": ["deliver"]}, {"task": "deliver"}, True),
        ({"task": ["deliver"]}, {"task": "drain"}, False),
        ({"task": ["deliver"]}, {}, False),
        ({"task": [{"anything-but": ["deliver"]}]}, {"task": "drain"}, True),
        ({"task": [{"anything-but": ["deliver"]}]}, {"task": "deliver"}, False),
        ({"task": [{"anything-but": {"prefix": "de"}}]}, {"task": "deliver"}, False),
        ({"task": [{"prefix": "de"}]}, {"task": "deliver"}, True),
        ({"task": [{"suffix": "er"}]}, {"task": "drain"}, False),
        ({"task": [{"equals-ignore-case": "DRAIN"}]}, {"task": "drain"}, True),
        ({"n": [{"numeric": [">", 1, "<=", 3]}]}, {"n": 3}, True),
        ({"n": [{"numeric": [">", 1, "<=", 3]}]}, {"n": 4}, False),
        ({"n": [{"numeric": ["=", 1]}]}, {"n": True}, False),
        ({"n": [1]}, {"n": True}, False),
        ({"x": [{"exists": False}]}, {}, True),
        ({"x": [{"exists": True}]}, {"x": None}, True),
        ({"x": [None]}, {"x": None}, True),
        ({"a": {"b": [1]}}, {"a": {"b": 1}}, True),
        ({"a": {"b": [1]}}, {"a": 1}, False),
        ({"tags": ["red"]}, {"tags": ["blue", "red"]}, True),
        ({"$or": [{"a": [1]}, {"b": [2]}]}, {"b": 2}, True),
    ],
)
def test_a_record_passes_when_its_value_matches(
    pattern: dict[str, Any], value: dict[str, Any], expected: bool
) -> None:
    assert passes([{"value": pattern}], json.dumps(value).encode(), None) is expected


def test_without_patterns_everything_passes_and_of_several_one_is_enough() -> None:
    patterns = [{"value": {"a": [1]}}, {"value": {"a": [2]}}]

    assert passes([], b"not json", None)
    assert passes(patterns, b'{"a": 2}', None)
    assert not passes(patterns, b'{"a": 3}', None)


@pytest.mark.parametrize("value", [b"not json", None, b"[1]"])
def test_what_is_not_the_expected_json_does_not_pass(value: bytes | None) -> None:
    assert not passes([{"value": {"a": [1]}}], value, None)
