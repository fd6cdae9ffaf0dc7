"""Tasks and listeners of what stands beside this system: webhooks, bots, mobile devices."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from chalicelib.broker import Broker, Command, PoisonError, Retry
from chalicelib.context import Context
from chalicelib.logic.mobile_push import MobilePushService
from chalicelib.logic.webhook_delivery import WebhookDelivery
from chalicelib.logic.webhook_fanout import ChangedTogether, StoredTogether, WebhookFanout
from chalicelib.models import TargetKind, WebhookPost
from chalicelib.task.events import MessagesChanged, MessagesStored

# About four hours: half of 2 s, 4 s, … up to an hour each, for the jitter is full.
_RETRY = Retry(attempts=18, first_seconds=2.0, max_seconds=3600.0)
_LANES = 16
# A notification that is minutes late is of no use; each wait ends with a minute of the schedule.
_PUSH_RETRY = Retry(attempts=6, first_seconds=2.0, max_seconds=60.0)


def register_webhooks(
    broker: Broker,
    *,
    fanout: Callable[[], WebhookFanout],
    delivery: Callable[[], WebhookDelivery],
) -> None:
    """``webhooks``: who is to be told of messages. ``post_webhook``: one receiver is told."""
    making = Lock()  # lanes must not make it, and what it stands on, each for itself

    @broker.batch_listener(MessagesStored, MessagesChanged, name="webhooks")
    def spread(events: Sequence[Command]) -> None:
        if events[0].name == MessagesChanged.event_name:
            fanout().spread_changes([_changed_together(event) for event in events])
        else:
            fanout().spread([_stored_together(event.trace_id, event.args) for event in events])

    # Receivers at once: one that never answers costs the others at most its own time-out.
    @broker.task("post_webhook", group="webhook_posts", retry=_RETRY, lanes=_LANES)
    def post_webhook(
        ctx: Context,
        target: str,
        target_id: str,
        event: str,
        conversation_id: str,
        conversation_type: str,
        seq: int,
        change: Mapping[str, Any] | None = None,
    ) -> None:
        try:
            kind = TargetKind(target)
        except ValueError as error:
            raise PoisonError(f"target: {error}") from error
        with making:
            service = delivery()
        service.deliver(
            ctx,
            WebhookPost(
                target=kind,
                target_id=target_id,
                event=event,
                conversation_id=conversation_id,
                conversation_type=conversation_type,
                seq=seq,
                change=change or {},
            ),
        )


def register_mobile_push(broker: Broker, mobile_push: Callable[[], MobilePushService]) -> None:
    """``mobile_push``: receivers of messages who are offline are notified on their phones."""

    def look_ahead(events: Sequence[Command]) -> None:
        mobile_push().look_ahead([_stored_together(one.trace_id, one.args) for one in events])

    @broker.listener(MessagesStored, name="mobile_push", retry=_PUSH_RETRY, look_ahead=look_ahead)
    def push(ctx: Context, payload: dict[str, Any]) -> None:
        mobile_push().push(_stored_together(ctx.trace_id, payload))


def _stored_together(trace_id: str, payload: Mapping[str, Any]) -> StoredTogether:
    return StoredTogether(
        trace_id=trace_id,
        conversation_id=str(payload["conversation_id"]),
        conversation_type=str(payload["conversation_type"]),
        senders={int(one["seq"]): str(one["sender_id"]) for one in payload["messages"]},
    )


def _changed_together(event: Command) -> ChangedTogether:
    return ChangedTogether(
        trace_id=event.trace_id,
        conversation_id=str(event.args["conversation_id"]),
        conversation_type=str(event.args["conversation_type"]),
        changes=event.args["changes"],
    )
