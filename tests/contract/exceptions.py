"""What LocalStack does otherwise: tests that must fail there, each with its reason."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Sequence

import pytest

# docs/local_cloud.md lists them, too.
NOT_ON_LOCALSTACK = {
    "test_mail.py::test_ses_takes_the_e_mail": "SES v2 is not in its community edition",
    "test_totals_repo.py::test_dead_letters_are_counted_to_10_mb": "its pages are larger than 1 MB",
}


def expect_failures(items: Sequence[pytest.Item], server: str) -> None:
    """Marks these tests when the server is LocalStack; one that passes there is an error, too."""
    with urllib.request.urlopen(f"{server}/_localstack/health", timeout=30) as answer:
        if json.load(answer).get("edition") == "light":  # MiniStack answers this, too
            return
    for item in items:
        for name, reason in NOT_ON_LOCALSTACK.items():
            if name in item.nodeid:
                item.add_marker(pytest.mark.xfail(reason=reason, strict=True))
