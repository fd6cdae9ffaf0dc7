"""The example of the JavaScript client's README, run as a reader would."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

SDK = Path(__file__).resolve().parents[2] / "web" / "sdk"


def test_the_example_of_the_javascript_client_runs(system: Any, tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        if os.environ.get("REQUIRE_BROWSER") == "1":
            pytest.fail("no Node.js found, and REQUIRE_BROWSER=1")
        pytest.skip("no Node.js found: the example of web/sdk did not run")
    shutil.copytree(SDK, tmp_path / "sdk")
    shutil.copy(SDK.parent / "package.json", tmp_path)
    readme = (SDK / "README.md").read_text(encoding="utf-8")
    example = tmp_path / "sdk" / "example.mjs"
    example.write_text("".join(re.findall(r"```js\n(.*?)```", readme, re.DOTALL)), encoding="utf-8")

    run = subprocess.run(
        [node, "--no-warnings", "--experimental-websocket", example],
        env={**os.environ, "LAMBCHAT_URL": system.url},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert "Bob got Hello Bob!" in run.stdout
