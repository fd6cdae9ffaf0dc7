"""The event listeners: each reads what was published and calls one service."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime

from chalicelib.broker import Broker, Command
from chalicelib.logic.breakers import BreakerService
from chalicelib.logic.statistics import StatisticsService, StoredMessages
from chalicelib.models import BreakerChange
from chalicelib.task.events import BreakerChanged, MessagesStored


def register(
    broker: Broker,
    *,
    statistics: Callable[[], StatisticsService],
    breakers: Callable[[], BreakerService],
) -> None:
    """``statistics`` counts messages; ``breakers`` keeps the changes of circuit breakers."""

    @broker.batch_listener(MessagesStored, name="statistics")
    def count(events: Sequence[Command]) -> None:
        statistics().count([_stored(event) for event in events])

    @broker.batch_listener(BreakerChanged, name="breakers")
    def record(events: Sequence[Command]) -> None:
        breakers().record([_change(event) for event in events])


def _stored(event: Command) -> StoredMessages:
    return StoredMessages(
        day=datetime.fromtimestamp(event.timestamp_ms / 1000, UTC).date().isoformat(),
        source=event.source,
        offset=event.offset,
        type=str(event.args["conversation_type"]),
        count=len(event.args["messages"]),
    )


def _change(event: Command) -> BreakerChange:
    args = event.args
    return BreakerChange(
        name=str(args["name"]),
        old_state=str(args["old_state"]),
        new_state=str(args["new_state"]),
        process=str(args["process"]),
        at=float(args["at"]),
    )
