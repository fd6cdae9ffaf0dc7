from __future__ import annotations

from typing import Any

import pytest

from chalicelib.http.schema import (
    Schema,
    any_of,
    array,
    boolean,
    check,
    integer,
    nullable,
    obj,
    optional,
    some_of,
    string,
)


def wrong(schema: Schema, value: Any) -> list[str]:
    return [f"{one.field}: {one.message}" for one in check(schema, value, "f")]


@pytest.mark.parametrize(
    ("schema", "value"),
    [
        (string(), "שלום e\u0301 👩‍🚀 \u202e <b>'; --"),
        (string(min_length=1, max_length=2), "👩🚀"),
        (string(choices=("", "a")), ""),
        (string(pattern="a|ab"), "ab"),
        (integer(minimum=0, maximum=3), 3),
        (boolean(), False),
        (array(integer(), min_items=1, max_items=2), [1, 2]),
        (nullable(string()), None),
        (nullable(string()), "x"),
        (obj(a=string(), b=optional(integer())), {"a": ""}),
        (
            obj(type=string(), title=string(), items=string()),
            {"type": "", "title": "", "items": ""},
        ),
        ({"type": "object"}, {"a": 1}),
        (some_of("", a=boolean(True), b=string()), {"a": True}),
        (any_of(obj(a=string()), obj(b=string())), {"b": ""}),
    ],
)
def test_what_fits_is_accepted(schema: Schema, value: Any) -> None:
    assert wrong(schema, value) == []


@pytest.mark.parametrize(
    ("schema", "value", "expected"),
    [
        (string(), 5, "f: expected a string"),
        (string(), None, "f: expected a string"),
        (string(), "a\x00", "f: expected text without NUL and unpaired surrogates"),
        (string(), "\udc00", "f: expected text without NUL and unpaired surrogates"),
        (string(min_length=2), "a", "f: expected at least 2 characters"),
        (string(max_length=2), "abc", "f: expected 0 to 2 characters"),
        (string(choices=("a", "b")), "c", "f: expected one of 'a', 'b'"),
        (string(pattern="a+"), "aab", "f: expected the pattern ^(?:a+)$"),
        (string(pattern="a+"), "a\n", "f: expected the pattern ^(?:a+)$"),
        (string(pattern="a", description="an a"), "b", "f: expected an a"),
        (integer(), "5", "f: expected an integer"),
        (integer(), 5.0, "f: expected an integer"),
        (integer(), True, "f: expected an integer"),
        (integer(minimum=1), 0, "f: expected at least 1"),
        (integer(maximum=1), 2, "f: expected at most 1"),
        (boolean(), 1, "f: expected a boolean"),
        (array(integer()), {}, "f: expected an array"),
        (array(integer(), max_items=1), [1, 2], "f: expected 0 to 1 items"),
        (array(integer(), min_items=1), [], "f: expected at least 1 items"),
        (array(integer()), [1, "x"], "f.1: expected an integer"),
        (nullable(string(max_length=1)), "ab", "f: expected 0 to 1 characters"),
        (obj(a=string()), [], "f: expected an object"),
        (obj(a=string()), {}, "f.a: missing"),
        (obj(), {"b": 1}, "f.b: unknown or read-only"),
        (obj(a=obj(b=integer())), {"a": {"b": "x"}}, "f.a.b: expected an integer"),
        ({"type": "null"}, 0, "f: expected null"),
        (boolean(True), False, "f: expected true"),
        (some_of("", a=string(), b=string()), {}, "f: expected some of a, b"),
        (any_of(obj(a=string()), obj(b=string(), c=string())), {"b": ""}, "f.c: missing"),
        (any_of(obj(a=string()), obj(b=array(string()))), {"b": 5}, "f.b: expected an array"),
    ],
)
def test_what_does_not_fit_is_named(schema: Schema, value: Any, expected: str) -> None:
    assert wrong(schema, value) == [expected]


def test_every_wrong_member_is_named() -> None:
    schema = obj(a=string(), b=integer(), c=boolean())

    assert [line.partition(":")[0] for line in wrong(schema, {"b": "x", "d": 1})] == [
        "f.a",
        "f.c",
        "f.b",
        "f.d",
    ]
