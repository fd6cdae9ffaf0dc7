"""What stands between `sam local invoke` and the local cloud."""

from __future__ import annotations

import json
import socket
import struct
import threading
from pathlib import Path

import pytest

from localstack.emulator.intrinsics import parse
from tests.e2e.system import ROOT
from tests.sam_local import template
from tests.sam_local.docker import DockerError, running
from tests.sam_local.relay import readdressed, relaying

pytestmark = pytest.mark.req("SHAPE-6")


@pytest.mark.parametrize("address", ["10.213.0.1", "172.17.0.1", "host.docker.internal"])
def test_kafka_is_at_another_address_in_its_answers_old_and_new(address: str) -> None:
    old, new = b"\x00\x09127.0.0.1", b"\x0a127.0.0.1"

    answer = readdressed(b"x" + old + b"\x23\x84" + new + b"y", address)

    size, text = len(address), address.encode()
    expected = struct.pack(">h", size) + text + b"\x23\x84" + bytes([size + 1]) + text
    assert answer == b"x" + expected + b"y"


def test_a_relay_passes_on_and_rewrites_frames_of_kafka_alone() -> None:
    inner = b"\x00\x09127.0.0.1"
    frame = struct.pack(">i", len(inner)) + inner
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(100)
                connection.sendall(frame)

        thread = threading.Thread(target=answer)
        thread.start()
        with (
            relaying("127.0.0.2", [], [port]),
            socket.create_connection(("127.0.0.2", port), 5) as client,
        ):
            client.sendall(b"ask")
            received = b"".join(iter(lambda: client.recv(100), b""))
        thread.join()

    assert received == frame.replace(b"127.0.0.1", b"127.0.0.2")


def test_an_address_of_another_machine_cannot_be_relayed_from() -> None:
    with pytest.raises(OSError, match=r"192\.0\.2\.1"), relaying("192.0.2.1", [], [9092]):
        pytest.fail("it was opened")


def test_a_built_template_is_adapted_to_machine_python_and_local_cloud() -> None:
    text = (ROOT / "template.yaml").read_text("utf-8")

    adapted = json.loads(template.adapted(text, version="3.12", variables=["AWS_ENDPOINT_URL"]))

    common = adapted["Globals"]["Function"]
    assert common["Runtime"] == "python3.12"
    assert common["Architectures"] == [template.architecture()]
    assert adapted["Resources"]["WordFilterFunction"]["Properties"]["Timeout"] > 60
    assert common["Environment"]["Variables"]["AWS_ENDPOINT_URL"] == ""
    assert "STAGE" in common["Environment"]["Variables"]
    assert adapted["Resources"].keys() == parse(text)["Resources"].keys()


def test_a_daemon_that_is_not_there_is_said_in_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))

    with pytest.raises(DockerError, match=r"^Docker is not installed: .*$"), running(ROOT):
        pytest.fail("it was started")
