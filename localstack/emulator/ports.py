"""Finding ports."""

from __future__ import annotations

import fcntl
import os
import socket
import tempfile
from pathlib import Path

_HOST = "127.0.0.1"
_ATTEMPTS = 100


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def claim_port(preferred: int) -> int:
    """The preferred port, or any free one when it is taken; this process keeps the claim.

    Who listens on it starts seconds later: until then a file lock keeps other local clouds off,
    that look for ports at the same time.

    Raises:
        OSError: No port is free.
    """
    for _ in range(_ATTEMPTS):
        if is_free(preferred) and _lock(preferred):
            return preferred
        preferred = _any_port()
    raise OSError("no port is free")


def _any_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port


def _lock(port: int) -> bool:
    """Whether no other process has claimed the port; a claim ends with its process."""
    folder = Path(tempfile.gettempdir()) / f"local-cloud-ports-{os.getuid()}"
    folder.mkdir(exist_ok=True)
    file = os.open(folder / str(port), os.O_CREAT | os.O_WRONLY)
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(file)
        return False
    return True  # the file stays open
