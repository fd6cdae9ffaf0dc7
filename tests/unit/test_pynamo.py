"""Errors of pynamodb in our terms."""

from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError
from pynamodb.exceptions import GetError, PutError

from chalicelib.errors import UnavailableError
from chalicelib.repo.pynamo import Guard, code_of, guarded, is_condition, unguarded


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code}}, "PutItem")


def test_an_error_has_the_stores_name() -> None:
    error = PutError("failed", refused("ConditionalCheckFailedException"))

    assert code_of(error) == "ConditionalCheckFailedException"
    assert is_condition(error)


def test_a_store_that_hangs_up_is_unavailable() -> None:
    error = GetError("failed", ConnectionClosedError(endpoint_url="http://127.0.0.1:1"))

    class Table:
        guard: Guard = staticmethod(unguarded)

        @guarded
        def get(self) -> None:
            raise error

    assert (code_of(error), is_condition(error)) == ("GetError", False)
    with pytest.raises(UnavailableError, match="the store answered GetError"):
        Table().get()
