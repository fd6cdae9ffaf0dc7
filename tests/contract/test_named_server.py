"""Which server the tests of this folder use."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.contract.conftest import named_server
from tests.contract.exceptions import NOT_ON_LOCALSTACK

pytestmark = pytest.mark.req("SHAPE-7", "SHAPE-9")

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize(
    ("variables", "url"),
    [
        ({"LOCALSTACK_HOST": "cloud.example:4000"}, "http://cloud.example:4000"),
        ({"LOCALSTACK_HOST": "cloud.example"}, "http://cloud.example:4566"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:4566"}, "http://127.0.0.1:4566"),
        ({}, None),
    ],
)
def test_localstack_client_says_where_aws_is(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], url: str | None
) -> None:
    for name in ("LOCALSTACK_HOST", "AWS_ENDPOINT_URL"):
        monkeypatch.delenv(name, raising=False)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)

    assert named_server() == url


def test_the_documents_list_every_exception() -> None:
    page = (ROOT / "docs" / "local_cloud.md").read_text().partition("## Against LocalStack")[2]

    rows = re.findall(r"^\| `(test_[^`]+)` \|", page, re.MULTILINE)

    assert rows == list(NOT_ON_LOCALSTACK)
