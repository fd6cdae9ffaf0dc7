"""The composition root's part for what triggers and workers carry out; see `bootstrap`."""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap

if TYPE_CHECKING:
    from chalicelib.broker import Broker, Command
    from chalicelib.logic.breakers import BreakerService
    from chalicelib.logic.delivery import DeliveryService
    from chalicelib.logic.receipts import ReceiptService
    from chalicelib.logic.receivers import Receivers
    from chalicelib.logic.statistics import StatisticsService
    from chalicelib.models import Placed


@cache
def receivers() -> Receivers:
    """Delivers what is stored."""
    from chalicelib.bootstrap_groups import audiences
    from chalicelib.logic.receivers import Receivers

    return Receivers(
        audiences=audiences(),
        members=bootstrap.members_table(),
        offline=bootstrap.offline_table(),
        connections=bootstrap.connections_table(),
        push=bootstrap.pusher(),
        drain=bootstrap.outbox().drain,
        drain_later=bootstrap.outbox().drain_later,
        push_chunks=bootstrap.outbox().push_chunks,
        ended=bootstrap.outbox().presence_later,
        clock=time.time,
    )


@cache
def delivery() -> DeliveryService:
    """The writer of the logs."""
    from chalicelib.bootstrap_mentions import mentions
    from chalicelib.logic.delivery import DeliveryService
    from chalicelib.logic.own_messages import OwnMessages

    own = OwnMessages(bootstrap.members_table(), bootstrap.connections_table())

    def count(placed: Sequence[Placed]) -> None:
        own.count(placed)
        mentions().note(placed)

    return DeliveryService(
        log=bootstrap.messages_table(),
        heads=bootstrap.conversations_table(),
        count=count,
        effects=receivers(),
    )


@cache
def receipts() -> ReceiptService:
    """Pushes receipts."""
    from chalicelib.bootstrap_groups import audiences
    from chalicelib.logic.receipts import ReceiptService

    return ReceiptService(
        audiences=audiences(),
        connections=bootstrap.connections_table(),
        log=bootstrap.messages_table(),
        push=bootstrap.pusher(),
    )


@cache
def statistics() -> StatisticsService:
    """Counts messages."""
    from chalicelib.logic.statistics import StatisticsService
    from chalicelib.repo.statistics import StatisticsRepository

    return StatisticsService(StatisticsRepository(bootstrap.store()))


@cache
def breaker_reports() -> BreakerService:
    """Reports on circuit breakers."""
    from chalicelib.guards import NAMES
    from chalicelib.logic.breakers import BreakerService
    from chalicelib.repo.breaker_changes import BreakerChangeRepository

    return BreakerService(
        names=NAMES,
        state=lambda name: bootstrap.breakers().get_breaker(name).state,
        policy=bootstrap.policy,
        changes=BreakerChangeRepository(bootstrap.store()),
    )


@cache
def broker() -> Broker:
    """Carries out commands, and listens."""
    from chalicelib import bootstrap_changes
    from chalicelib.bootstrap import kafka, outbox, presence, store, sync
    from chalicelib.bootstrap_admin import broadcasts
    from chalicelib.bootstrap_data import erasure, exports
    from chalicelib.bootstrap_groups import group_endings, large_groups
    from chalicelib.bootstrap_identity import password_resets
    from chalicelib.bootstrap_integration import webhook_delivery, webhook_fanout
    from chalicelib.bootstrap_messaging import attachment_references, scheduled_messages
    from chalicelib.bootstrap_presence import presence_news
    from chalicelib.bootstrap_push import mobile_push
    from chalicelib.broker import Broker
    from chalicelib.repo.delayed import DelayedRepository
    from chalicelib.repo.done_commands import DoneCommandRepository
    from chalicelib.task import (
        commands,
        commands_account,
        commands_changes,
        commands_groups,
        integration,
        listeners,
    )

    broker = Broker(
        kafka(),
        dead_letter=_park,
        delays=DelayedRepository(store()),
        done=DoneCommandRepository(store()),
    )
    commands.register_deliver(
        broker, delivery, stored=lambda placed: bootstrap_changes.expiry().stored(placed)
    )
    commands_changes.register_changes(broker, bootstrap_changes.writer)
    commands.register_others(broker, sync=sync, receipts=receipts, outbox=outbox())
    commands.register_broadcasts(broker, broadcasts)
    commands.register_presence(broker, news=presence_news, presence=presence, outbox=outbox())
    commands_groups.register_groups(broker, large_groups=large_groups, endings=group_endings)
    commands_account.register_erasure(broker, erasure, group_endings, attachment_references)
    commands_account.register_attachments(broker, attachment_references)
    commands_account.register_exports(broker, exports)
    commands.register_password_resets(broker, password_resets)
    commands.register_scheduled(broker, scheduled_messages)
    integration.register_webhooks(broker, fanout=webhook_fanout, delivery=webhook_delivery)
    integration.register_mobile_push(broker, mobile_push)
    listeners.register(broker, statistics=statistics, breakers=breaker_reports)
    return broker


def group_prefix() -> str:
    """What the names of our consumer groups begin with, here and in template.yaml."""
    return f"lambchat-{os.environ.get('STAGE', 'local')}"


def _park(command: Command, error: Exception) -> None:
    from chalicelib import metrics
    from chalicelib.repo.dead_letters import DeadLetterRepository

    metrics.emit({"DeadLetters": 1})
    DeadLetterRepository(bootstrap.store()).park(
        source=command.source,
        offset=command.offset,
        raw=command.raw,
        error=str(error),
        details={
            "key": command.key,
            "name": command.name,
            "args": dict(command.args),
            "trace_id": command.trace_id,
            "version": command.version,
            "listener": command.listener,
            "idempotency_key": command.idempotency_key,
        },
    )
