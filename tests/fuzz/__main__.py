"""Schemathesis against a running system of its own: `python -m tests.fuzz [option of it …]`.

All checks, in the name of an administrator that nobody else is. It is installed apart, see
requirements/schemathesis.in; hooks.py says what it may not do.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.client import User
from tests.e2e.operators import aws, promote
from tests.e2e.phone import APPLICATION
from tests.e2e.system import System, start

HERE = Path(__file__).parent
TOOL = Path(sys.prefix) / "schemathesis" / "bin" / "schemathesis"
MOST_SECONDS = 240.0  # on two slow cores it takes two thirds of that
EXAMPLES = 40
SEED = 20_261_121


def run(system: System, options: list[str], folder: str) -> int:
    """Runs it to its end, in a folder for what it writes; its exit code."""
    admin = promote(system, User.new(system.url, "fuzz"))
    with contextlib.closing(aws(system, "sns")) as sns:
        for platform in ("GCM", "APNS_SANDBOX"):  # those of `policy/push` in the stage `local`
            sns.create_platform_application(Name=APPLICATION, Platform=platform, Attributes={})
    command = [
        TOOL.absolute(),
        *("--config-file", HERE / "schemathesis.toml"),
        *("run", f"{system.url}/v1/openapi.json"),
        *("--seed", SEED, "--max-examples", EXAMPLES),
        *options,
    ]
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(HERE),
        "SCHEMATHESIS_HOOKS": "hooks",
        "LAMBCHAT_URL": system.url,
        "LAMBCHAT_TOKEN": admin.token,
    }
    done = subprocess.run(
        list(map(str, command)), env=environment, cwd=folder, check=False, timeout=MOST_SECONDS
    )
    return done.returncode


def main() -> int:
    """Starts the system, runs the tool, stops the system."""
    with tempfile.TemporaryDirectory() as folder:
        system = start(Path(folder), "embedded")
        try:
            return run(system, sys.argv[1:], folder)
        finally:
            system.stop()


if __name__ == "__main__":
    sys.exit(main())
