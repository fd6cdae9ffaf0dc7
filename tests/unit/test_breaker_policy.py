from __future__ import annotations

import json
import pickle
from dataclasses import FrozenInstanceError, asdict
from typing import Any

import pytest

from chalicelib.breaker import Policy, PolicyError

WRONG: tuple[Any, ...] = (0, -1, True, None, "1", [1], {})
FIELDS = {
    "failure_threshold": 3,
    "failure_rate": 0.25,
    "minimum_calls": 4,
    "window_seconds": 5,
    "slow_call_seconds": 0.5,
    "slow_call_rate": 1,
    "open_seconds": 2.5,
    "half_open_calls": 6,
}


@pytest.mark.req("BRK-3")
def test_every_field_is_read_from_the_document() -> None:
    assert asdict(Policy.from_json(json.dumps(FIELDS))) == FIELDS


@pytest.mark.req("BRK-3")
def test_a_field_that_is_left_out_has_its_default() -> None:
    assert Policy.from_json('{"open_seconds": 3}') == Policy(open_seconds=3)
    assert Policy.from_json("{}") == Policy()


@pytest.mark.req("BRK-1")
def test_it_has_the_fields_that_programs_outside_rely_on_and_cannot_be_changed() -> None:
    assert list(asdict(Policy())) == list(FIELDS)
    with pytest.raises(FrozenInstanceError):
        Policy().open_seconds = 3  # type: ignore[misc]


@pytest.mark.req("BRK-4")
def test_one_error_names_every_wrong_field_with_value_and_expectation() -> None:
    document = {"failure_rate": 1.5, "half_open_calls": "two", "opens": 3, "open_seconds": 4}

    with pytest.raises(PolicyError) as refused:
        Policy.from_json(json.dumps(document))

    rate, calls, unknown = refused.value.wrong
    assert rate == "failure_rate: expected a number above 0 and at most 1, found 1.5"
    assert calls == "half_open_calls: expected a whole number from 1, found 'two'"
    assert unknown.startswith("opens: expected one of the fields failure_threshold, failure_rate,")
    assert str(refused.value) == "; ".join((rate, calls, unknown))


@pytest.mark.req("BRK-4")
@pytest.mark.parametrize(
    ("field", "value"),
    [
        *((field, value) for field in FIELDS for value in WRONG),
        *((field, 1.5) for field in ("failure_threshold", "minimum_calls", "half_open_calls")),
        *((field, 1.01) for field in ("failure_rate", "slow_call_rate")),
        *((field, 86_401) for field in ("window_seconds", "slow_call_seconds", "open_seconds")),
        *((field, float(value)) for field in FIELDS for value in ("nan", "inf", "-inf")),
        ("window_seconds", 1e-300),
        ("open_seconds", 10**400),
    ],
)
def test_a_value_of_the_wrong_type_or_out_of_range_is_refused(field: str, value: Any) -> None:
    with pytest.raises(PolicyError, match=f"^{field}: expected "):
        Policy.from_json(json.dumps({field: value}))
    with pytest.raises(PolicyError, match=f"^{field}: expected "):
        Policy(**{field: value})


@pytest.mark.req("BRK-4")
@pytest.mark.parametrize(
    "text", ["", "{", "[" * 4000, "null", "[]", "3", '"text"', "9" * 5000, "\x00"]
)
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="expected a JSON"):
        Policy.from_json(text)


def test_a_long_value_is_cut_in_the_error() -> None:
    with pytest.raises(PolicyError) as refused:
        Policy.from_json(json.dumps({"failure_rate": "x" * 4000}))

    assert len(str(refused.value)) < 200


def test_the_error_survives_pickling() -> None:
    assert pickle.loads(pickle.dumps(PolicyError(("a", "b")))).wrong == ("a", "b")
