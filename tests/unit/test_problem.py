from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib import errors
from chalicelib.errors import (
    FieldError,
    IMError,
    InternalError,
    InvalidFieldError,
    NotFoundError,
    RateLimitedError,
    UnauthorizedError,
    UnavailableError,
)
from chalicelib.http.problem import SCHEMA, problem
from chalicelib.http.schema import check

TABLE = Path(__file__).parents[2] / "docs" / "errors.md"
ROW = re.compile(r"^\| `(\w+)` \| `(\w+)` \| (\d+) \| (yes|no) \| (.+) \|$", re.MULTILINE)


def document(error: IMError) -> Any:
    return json.loads(problem(error, "trace").body)


def everything(kind: type[IMError] = IMError) -> set[type[IMError]]:
    return {kind}.union(*map(everything, kind.__subclasses__()))


@pytest.mark.req("APP-17")
def test_a_problem_has_the_members_of_rfc_9457_and_a_code() -> None:
    assert document(NotFoundError("there is no such thing")) == {
        "type": "urn:lambchat:error:not_found",
        "title": "Not found",
        "status": 404,
        "detail": "there is no such thing",
        "code": "not_found",
        "trace_id": "trace",
    }


@pytest.mark.parametrize("kind", sorted(everything(), key=str))
def test_every_error_makes_a_problem_as_the_document_describes_it(kind: type[IMError]) -> None:
    assert list(check(SCHEMA, document(kind()))) == []


def test_wrong_fields_are_listed() -> None:
    error = InvalidFieldError(errors=[FieldError(field="a.b", message="missing")])

    assert document(error)["errors"] == [{"field": "a.b", "message": "missing"}]


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (RateLimitedError(retry_after=1.2), "2"),
        (UnavailableError(), "1"),
        (InternalError(), "1"),
        (NotFoundError(), None),
    ],
)
def test_what_may_succeed_later_says_when(error: IMError, expected: str | None) -> None:
    assert problem(error, "trace").headers.get("Retry-After") == expected


def test_who_is_not_known_is_told_how_to_authenticate() -> None:
    assert problem(UnauthorizedError(), "trace").headers["WWW-Authenticate"] == "Bearer"
    assert "WWW-Authenticate" not in problem(NotFoundError(), "trace").headers


def test_a_problem_is_never_cached_and_keeps_unicode() -> None:
    answer = problem(NotFoundError("Zoë 👩‍🚀"), "trace")

    assert answer.headers["Cache-Control"] == "no-store"
    assert "Zoë 👩‍🚀" in answer.body


def test_the_table_of_errors_says_what_the_code_says() -> None:
    in_code = {
        (kind.code, kind.__name__, str(kind.http_status), "yes" if kind.retryable else "no")
        for kind in everything() - {IMError}
    }

    in_table = {row[:4] for row in ROW.findall(TABLE.read_text())}

    assert in_table == in_code


def test_every_code_belongs_to_one_error() -> None:
    codes = [kind.code for kind in everything() - {IMError}]

    assert len(codes) == len(set(codes))


def test_the_tree_in_the_docstring_names_every_error() -> None:
    tree = errors.__doc__ or ""

    assert {kind.__name__ for kind in everything()} <= set(re.findall(r"\w+Error", tree))
