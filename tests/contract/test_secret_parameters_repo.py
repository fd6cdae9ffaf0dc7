from __future__ import annotations

from uuid import uuid4

import pytest

from chalicelib.aws import AwsError
from chalicelib.coord import ConfigCentre
from chalicelib.errors import UnavailableError
from chalicelib.repo.secret_parameters import SecretParameter
from tests.contract.conftest import Connect


def test_a_secret_is_read_and_replaced_and_known_as_one(connect: Connect) -> None:
    path = f"/lambchat/{uuid4().hex}/auth/provisioning-keys"
    parameter = SecretParameter(connect("ssm"), path)
    assert parameter.read() is None

    for text in ("first", "second"):
        parameter.write(text)
        assert parameter.read() == text

    found = ConfigCentre(connect("ssm")).get(path)
    assert found is not None
    assert (found.value, found.is_secret) == ("second", True)


def test_a_store_that_refuses_is_unavailable() -> None:
    class Away:
        def call(self, operation: str, arguments: object) -> dict[str, object]:
            raise AwsError("InternalServerError", operation, 500)

    parameter = SecretParameter(Away(), "/a")
    with pytest.raises(UnavailableError):
        parameter.read()
    with pytest.raises(UnavailableError):
        parameter.write("x")
