"""Finding ports."""

from __future__ import annotations

import fcntl
import os
import random
import socket
import tempfile
from pathlib import Path

_HOST = "127.0.0.1"
_ATTEMPTS = 100
# Below those that systems give to outgoing connections (Linux from 32768, RFC 6335 from 49152): one
# of these may be taken by a connection before who was told of it listens, seconds later. Above
# 10080, which browsers refuse (https://fetch.spec.whatwg.org/#port-blocking).
_PORTS = range(11_000, 32_000)


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
        preferred = free_port()
    raise OSError("no port is free")


def free_port() -> int:
    """Any port that nobody listens on, and that no outgoing connection is given.

    Raises:
        OSError: No port is free.
    """
    for _ in range(_ATTEMPTS):
        if is_free(port := random.SystemRandom().choice(_PORTS)):
            return port
    raise OSError("no port is free")


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
