"""Invokes every function in Docker by `sam local invoke`: `python -m tests.sam_local [FUNCTION …]`.

The events are those of tests/events/functions; what the functions call is a local cloud. Where
AWS's base image can be neither found nor pulled, one is made of a Python of this machine.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.events.scene import TEMPLATE
from tests.sam_local.docker import DockerError
from tests.sam_local.stage import staged
from tests.sam_local.template import SamError

FUNCTIONS = sorted({*TEMPLATE.functions, "SetupFunction"})
_AT_ONCE = 3  # on two cores: each waits a second or two


def main() -> int:
    """Invokes the functions that the command line names, or all; the exit code."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # what was started is stopped, too
    first, *others = sys.argv[1:] or FUNCTIONS
    try:
        with tempfile.TemporaryDirectory(prefix="sam-local-") as name, staged(Path(name)) as stage:
            wrong = [stage.invoke(first)]  # alone, for it makes the image with the layer
            with ThreadPoolExecutor(_AT_ONCE) as pool:
                wrong += pool.map(stage.invoke, others)
    except (DockerError, SamError, OSError, subprocess.TimeoutExpired) as error:
        print(f"sam local: {error}", file=sys.stderr)
        return 1
    failed = sum(map(bool, wrong))
    print(f"sam local: {len(wrong)} functions invoked, {failed} of them answered wrong")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
