from __future__ import annotations

import socket

import pytest

from chalicelib.aws import AwsError, JsonService
from chalicelib.repo import probes
from localstack.emulator.ports import free_port
from tests.contract.conftest import Connect


def test_only_a_store_with_our_tables_is_ready(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch
) -> None:
    probes.dynamodb(tables)
    monkeypatch.setenv("STAGE", "no-such-stage")

    with pytest.raises(AwsError):
        probes.dynamodb(tables)


def test_a_parameter_that_is_not_there_is_noticed(connect: Connect) -> None:
    ssm = connect("ssm")
    ssm.call("PutParameter", {"Name": "/probe", "Value": "x", "Type": "String", "Overwrite": True})

    probes.parameter(ssm, "/probe")
    with pytest.raises(AwsError):
        probes.parameter(ssm, "/no-such-parameter")


def test_one_broker_of_several_is_enough() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        addresses = (f"127.0.0.1:{free_port()}", f"127.0.0.1:{server.getsockname()[1]}")

        probes.any_broker(addresses)

        server.settimeout(2)
        peer, address = server.accept()
        peer.close()
    assert address[0] == "127.0.0.1"


@pytest.mark.parametrize("count", [0, 2])
def test_no_broker_at_all_is_noticed(count: int) -> None:
    addresses = [f"127.0.0.1:{free_port()}" for _ in range(count)]

    with pytest.raises(OSError, match=r"broker|refused"):
        probes.any_broker(addresses)
