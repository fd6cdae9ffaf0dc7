"""Runs the tests of the JavaScript client and of the page's model, which Node.js understands."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

WEB = Path(__file__).resolve().parents[2] / "web"


def test_the_javascript_tests_pass() -> None:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("no Node.js found, and REQUIRE_BROWSER=1")
        pytest.skip("no Node.js found: the tests of web/ did not run")

    run = subprocess.run([node, "--test", WEB], capture_output=True, text=True, check=False)

    assert run.returncode == 0, run.stdout
    assert "\n# fail 0\n" in run.stdout.replace("ℹ", "#")
