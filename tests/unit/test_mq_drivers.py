"""What kafka-python raises does not leave the library as it is."""

from __future__ import annotations

import json
import threading

import pytest

from chalicelib import coord, mq
from chalicelib.mq.options import Option
from localstack.emulator.ports import free_port


class Centre(coord.ConfigCentre):
    def __init__(self, **settings: object) -> None:
        self._document = settings

    def get(self, path: str, *, max_age_seconds: float | None = None) -> coord.Parameter | None:
        return coord.Parameter(path, json.dumps(self._document), 1)


@pytest.fixture
def closed_port() -> int:
    return free_port()


def on(port: int, **settings: object) -> Option:
    return mq.with_config_centre(
        Centre(brokers=[f"127.0.0.1:{port}"], request_timeout_ms=200, **settings)
    )


@pytest.mark.req("MQ-2")
def test_an_absent_broker_is_an_error_of_ours_within_the_time_of_a_request(
    closed_port: int,
) -> None:
    with pytest.raises(mq.MqError, match="no broker answers"):
        mq.new_producer("orders", on(closed_port))
    with pytest.raises(mq.MqError, match="no broker answers"):
        mq.new_consumer("orders", ["t"], "g", on(closed_port, session_timeout_ms=6000))

    assert not [one for one in threading.enumerate() if "kafka" in one.name]


def test_a_codec_that_the_driver_lacks_is_an_error_of_the_configuration(closed_port: int) -> None:
    with pytest.raises(mq.MqConfigError, match="lz4"):
        mq.new_producer("orders", on(closed_port, compression="lz4"))


def test_a_configuration_centre_that_is_away_is_an_error_of_ours() -> None:
    class Away(coord.ConfigCentre):
        def __init__(self) -> None:
            """Nothing was ever read."""

        def get(self, path: str, *, max_age_seconds: float | None = None) -> coord.Parameter | None:
            raise coord.CoordError(f"cannot read {path}")

    with pytest.raises(mq.MqConfigError, match="cannot read"):
        mq.new_producer("orders", mq.with_config_centre(Away()))
