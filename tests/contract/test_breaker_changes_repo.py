from __future__ import annotations

from chalicelib.aws import JsonService
from chalicelib.models import BreakerChange
from chalicelib.repo.breaker_changes import BreakerChangeRepository


def change(at: float, state: str, name: str = "dynamodb") -> BreakerChange:
    return BreakerChange(name=name, old_state="closed", new_state=state, process="send", at=at)


def test_the_latest_changes_come_first_and_the_same_one_counts_once(tables: JsonService) -> None:
    changes = BreakerChangeRepository(tables)
    stored = [change(1_700_000_000.5 + n, "open") for n in range(5)]

    changes.put([*stored, change(1_700_000_000.0, "open", name="push")])
    changes.put(stored[2:])

    assert changes.latest("dynamodb", 3) == [stored[4], stored[3], stored[2]]
    assert len(changes.latest("dynamodb", 10)) == 5
    assert changes.latest("kafka", 10) == []
