from __future__ import annotations

from chalicelib.logic.health import HealthService
from tests.fakes_accounts import Clock


class Probe:
    def __init__(self) -> None:
        self.asked = 0
        self.error: Exception | None = None

    def __call__(self) -> None:
        self.asked += 1
        if self.error:
            raise self.error


def test_each_dependency_has_its_own_state() -> None:
    good, bad = Probe(), Probe()
    bad.error = OSError("refused")

    states = HealthService({"store": good, "kafka": bad}, Clock()).states()

    assert states == {"store": "ok", "kafka": "unavailable"}


def test_a_state_is_remembered_for_a_second() -> None:
    clock, probe = Clock(), Probe()
    service = HealthService({"store": probe}, clock)
    service.states()
    probe.error = OSError("refused")

    assert service.states() == {"store": "ok"}
    assert probe.asked == 1
    clock.now += 1
    assert service.states() == {"store": "unavailable"}
