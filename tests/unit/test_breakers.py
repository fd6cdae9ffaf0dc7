"""What operators see of circuit breakers: published, kept, reported over REST."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_tasks
from chalicelib.broker import decode
from chalicelib.context import Context
from chalicelib.logic.breakers import BreakerService
from chalicelib.logic.statistics import StatisticsService
from chalicelib.models import BreakerChange
from chalicelib.task import listeners
from chalicelib.task.events import BreakerChanged
from tests.rest import PASSWORD, Rest, assert_problem
from tests.unit.broker_fakes import Fixture


class FakeChanges(list[BreakerChange]):
    def put(self, changes: Sequence[BreakerChange]) -> None:
        self.extend(changes)

    def latest(self, name: str, limit: int) -> Sequence[BreakerChange]:
        return [one for one in reversed(self) if one.name == name][:limit]


@pytest.fixture
def service() -> BreakerService:
    return BreakerService(
        names=("dynamodb", "kafka"),
        state={"dynamodb": "open", "kafka": "closed"}.__getitem__,
        policy=lambda name: {"open_seconds": len(name)},
        changes=FakeChanges(),
    )


@pytest.mark.req("BRK-7")
def test_a_published_change_is_in_the_report(service: BreakerService) -> None:
    on = Fixture()

    def no_statistics() -> StatisticsService:
        raise AssertionError

    listeners.register(on.broker, statistics=no_statistics, breakers=lambda: service)
    event = BreakerChanged(
        name="dynamodb", old_state="closed", new_state="open", process="fanout", at=1.5
    )
    on.broker.publish(Context(), event, key="dynamodb")
    on.broker.run("breakers", decode(on.taken()))

    dynamodb, kafka = service.report()
    assert (dynamodb.name, dynamodb.state, dynamodb.policy) == (
        "dynamodb",
        "open",
        {"open_seconds": 8},
    )
    (change,) = dynamodb.changes
    assert (change.old_state, change.new_state, change.process, change.at) == (
        "closed",
        "open",
        "fanout",
        1.5,
    )
    assert kafka.changes == []


@pytest.mark.req("BRK-7")
def test_only_an_administrator_sees_the_breakers(
    rest: Rest, service: BreakerService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bootstrap_tasks, "breaker_reports", lambda: service)
    service.record(
        [
            BreakerChange(
                name="kafka", old_state="open", new_state="half-open", process="send", at=0.0
            )
        ]
    )
    user = rest.signed_in("ann")
    accounts.auth().ensure_admin(PASSWORD)
    admin = rest.login("admin")

    refused = rest.call("GET", "/v1/admin/breakers", token=user["access_token"])
    allowed = rest.call("GET", "/v1/admin/breakers", token=admin["access_token"])

    assert_problem(refused, 403, "forbidden")
    assert_problem(rest.call("GET", "/v1/admin/breakers"), 401, "unauthorized")
    assert allowed.status == 200, allowed.text
    assert allowed.body["items"][1] == {
        "name": "kafka",
        "state": "closed",
        "policy": {"open_seconds": 5},
        "changes": [
            {
                "old_state": "open",
                "new_state": "half-open",
                "process": "send",
                "at": "1970-01-01T00:00:00.000Z",
            }
        ],
    }
