"""Finding ports."""

from __future__ import annotations

import socket

_HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether nobody listens on a port of the loopback interface."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((_HOST, port))
        except OSError:
            return False
    return True


def free_port(preferred: int) -> int:
    """The preferred port, or any free one when it is taken."""
    if is_free(preferred):
        return preferred
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        port: int = probe.getsockname()[1]
        return port
