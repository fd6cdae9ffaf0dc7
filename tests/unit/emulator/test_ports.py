from __future__ import annotations

import socket
import subprocess
import sys

from localstack.emulator.ports import claim_port, free_port, is_free


def test_a_port_that_is_taken_gives_way_to_a_free_one() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        other = claim_port(port)

        assert not is_free(port)
        assert other != port
        assert is_free(other)

    assert claim_port(port) == port


def test_a_claimed_port_gives_way_before_anybody_listens_on_it() -> None:
    port = claim_port(free_port())

    assert is_free(port)
    assert claim_port(port) != port
    assert _claimed_elsewhere(port) != port


def test_a_free_port_is_none_that_an_outgoing_connection_may_get_before_anybody_listens() -> None:
    ports = {free_port() for _ in range(50)}

    assert max(ports) < 32_768, "where Linux begins to give them to connections"
    assert len(ports) > 1, "two at a time get two"
    assert all(map(is_free, ports))


def test_a_claim_ends_with_its_process() -> None:
    port = free_port()

    assert _claimed_elsewhere(port) == port
    assert claim_port(port) == port


def _claimed_elsewhere(port: int) -> int:
    code = f"from localstack.emulator.ports import claim_port; print(claim_port({port}))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, check=True)
    return int(result.stdout)
