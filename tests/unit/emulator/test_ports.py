from __future__ import annotations

import socket

from localstack.emulator.ports import free_port, is_free


def test_a_port_that_is_taken_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        other = free_port(port)

        assert not is_free(port)
        assert other != port
        assert is_free(other)

    assert free_port(port) == port
