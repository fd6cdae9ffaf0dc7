"""Tasks and listeners of what stands beside this system: webhooks and bots."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from threading import Lock

from chalicelib.broker import Broker, Command, PoisonError, Retry
from chalicelib.context import Context
from chalicelib.logic.webhook_delivery import WebhookDelivery
from chalicelib.logic.webhook_fanout import StoredTogether, WebhookFanout
from chalicelib.models import TargetKind, WebhookPost
from chalicelib.task.events import MessagesStored

# About four hours: half of 2 s, 4 s, … up to an hour each, for the jitter is full.
_RETRY = Retry(attempts=18, first_seconds=2.0, max_seconds=3600.0)
_LANES = 16


def register_webhooks(
    broker: Broker,
    *,
    fanout: Callable[[], WebhookFanout],
    delivery: Callable[[], WebhookDelivery],
) -> None:
    """``webhooks``: who is to be told of messages. ``post_webhook``: one receiver is told."""
    making = Lock()  # lanes must not make it, and what it stands on, each for itself

    @broker.batch_listener(MessagesStored, name="webhooks")
    def spread(events: Sequence[Command]) -> None:
        fanout().spread([_stored_together(event) for event in events])

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
            ),
        )


def _stored_together(event: Command) -> StoredTogether:
    return StoredTogether(
        trace_id=event.trace_id,
        conversation_id=str(event.args["conversation_id"]),
        conversation_type=str(event.args["conversation_type"]),
        senders={int(one["seq"]): str(one["sender_id"]) for one in event.args["messages"]},
    )
