"""The composition root: every object is made once a process, when it is first asked for.

Imports stand inside the functions because each Lambda function needs only some of this, and what
it does not need would be its cold start: pynamodb alone takes 250 ms (docs/decisions/0002).
"""

from __future__ import annotations

import os
import time
from functools import cache
from typing import TYPE_CHECKING

from chalicelib.bootstrap_downstream import breakers as breakers
from chalicelib.bootstrap_downstream import centre as centre
from chalicelib.bootstrap_downstream import kafka as kafka
from chalicelib.bootstrap_downstream import kafka_counts as kafka_counts
from chalicelib.bootstrap_downstream import policy as policy
from chalicelib.bootstrap_downstream import pusher as pusher
from chalicelib.bootstrap_downstream import refresh as refresh
from chalicelib.bootstrap_downstream import store as store

if TYPE_CHECKING:
    from chalicelib.broker import Broker, Command
    from chalicelib.logic.access import Access
    from chalicelib.logic.acks import AckService
    from chalicelib.logic.breakers import BreakerService
    from chalicelib.logic.conversations import ConversationService
    from chalicelib.logic.delivery import DeliveryService
    from chalicelib.logic.directory import Directory
    from chalicelib.logic.heads import CurrentHeads
    from chalicelib.logic.messages import MessageService
    from chalicelib.logic.notices import NoticeService
    from chalicelib.logic.presence import PresenceService
    from chalicelib.logic.receipts import ReceiptService
    from chalicelib.logic.receivers import Receivers
    from chalicelib.logic.statistics import StatisticsService
    from chalicelib.logic.sync import SyncService
    from chalicelib.models import ConversationMember
    from chalicelib.repo.connections import ConnectionRepository
    from chalicelib.repo.conversations import ConversationRepository
    from chalicelib.repo.members import MemberRepository
    from chalicelib.repo.messages import MessageRepository
    from chalicelib.repo.offline import OfflineRepository
    from chalicelib.repo.presence import PresenceRepository
    from chalicelib.repo.sessions import SessionRepository
    from chalicelib.repo.settings import SettingsRepository
    from chalicelib.task.outbox import Outbox


@cache
def outbox() -> Outbox:
    """What services hand to Kafka."""
    from chalicelib.repo.delayed import DelayedRepository
    from chalicelib.task.outbox import Outbox

    return Outbox(kafka(), DelayedRepository(store()))


@cache
def messages_table() -> MessageRepository:
    """The logs."""
    from chalicelib.repo.messages import MessageRepository

    return MessageRepository(store())


@cache
def conversations_table() -> ConversationRepository:
    """The heads."""
    from chalicelib.repo.conversations import ConversationRepository

    return ConversationRepository(store())


@cache
def members_table() -> MemberRepository:
    """The members' places."""
    from chalicelib.repo.members import MemberRepository

    return MemberRepository(store())


@cache
def offline_table() -> OfflineRepository:
    """The pointers to missed messages."""
    from chalicelib.repo.offline import OfflineRepository

    return OfflineRepository(store())


@cache
def connections_table() -> ConnectionRepository:
    """The live connections."""
    from chalicelib.repo.connections import ConnectionRepository

    return ConnectionRepository(store())


@cache
def presence_table() -> PresenceRepository:
    """Who is there, and may be seen."""
    from chalicelib.repo.presence import PresenceRepository

    return PresenceRepository(store())


@cache
def settings_table() -> SettingsRepository:
    """The settings of conversations."""
    from chalicelib.repo.settings import SettingsRepository

    return SettingsRepository(store())


@cache
def sessions_table() -> SessionRepository:
    """The sessions."""
    from chalicelib.repo.sessions import SessionRepository

    return SessionRepository(store())


@cache
def heads() -> CurrentHeads:
    """Where conversations end now."""
    from chalicelib.logic.heads import CurrentHeads

    return CurrentHeads(conversations_table(), messages_table())


@cache
def directory() -> Directory:
    """Who exists."""
    from chalicelib.logic.directory import Directory

    return Directory(connections_table(), time.time)


@cache
def access() -> Access:
    """Who may write where."""
    from chalicelib.bootstrap_groups import group_access
    from chalicelib.bootstrap_people import correspondence
    from chalicelib.logic.access import Access

    return Access(directory(), correspondence(), group_access())


def new_place(conversation_id: str, user_id: str) -> ConversationMember:
    """A member's row before their first ack; in a group nobody is a member without one."""
    from chalicelib.errors import NotMemberError
    from chalicelib.logic.own_messages import world_member
    from chalicelib.models import WORLD, ConversationMember, is_group

    if is_group(conversation_id):
        raise NotMemberError
    if conversation_id != WORLD:
        return ConversationMember(conversation_id=conversation_id, user_id=user_id)
    return world_member(user_id, connections_table().users((user_id,)).get(user_id, {}))


@cache
def messages() -> MessageService:
    """Accepts messages, reads history."""
    from chalicelib.bootstrap_changes import options, reader
    from chalicelib.bootstrap_integration import acceptance
    from chalicelib.logic.messages import MessageService

    return MessageService(
        access=access(),
        submit=outbox().submit,
        options=options(),
        reader=reader(),
        clock=time.time,
        acceptance=acceptance(),
    )


@cache
def acks() -> AckService:
    """Takes acknowledgements."""
    from chalicelib.logic.acks import AckService

    return AckService(
        access=access(),
        heads=heads(),
        places=members_table(),
        pointers=offline_table(),
        history=messages_table(),
        new_place=new_place,
        receipt=outbox().receipt,
    )


@cache
def conversations() -> ConversationService:
    """Lists conversations, opens direct ones."""
    from chalicelib.bootstrap_changes import reader
    from chalicelib.bootstrap_groups import groups_table
    from chalicelib.logic.conversations import ConversationService

    return ConversationService(
        access=access(),
        directory=directory(),
        heads=heads(),
        opened=conversations_table(),
        memberships=members_table(),
        groups=groups_table(),
        reader=reader(),
        new_place=new_place,
        settings=settings_table(),
        clock=time.time,
    )


@cache
def presence() -> PresenceService:
    """Registers connections."""
    from chalicelib.bootstrap_identity import standing
    from chalicelib.logic.presence import PresenceService

    return PresenceService(
        connections=connections_table(),
        states=presence_table(),
        heads=heads(),
        sessions=standing(),
        push=pusher(),
        outbox=outbox(),
        clock=time.time,
    )


@cache
def sync() -> SyncService:
    """Sends what was missed."""
    from chalicelib.bootstrap_changes import reader
    from chalicelib.bootstrap_groups import group_access
    from chalicelib.bootstrap_identity import standing
    from chalicelib.logic.sync import SyncService

    return SyncService(
        access=access(),
        reader=reader(),
        heads=heads(),
        pointers=offline_table(),
        places=members_table(),
        connections=connections_table(),
        sessions=standing(),
        push=pusher(),
        large_groups=group_access().large_groups,
        new_place=new_place,
        clock=time.time,
    )


@cache
def receivers() -> Receivers:
    """Delivers what is stored."""
    from chalicelib.bootstrap_groups import audiences
    from chalicelib.logic.receivers import Receivers

    return Receivers(
        audiences=audiences(),
        members=members_table(),
        offline=offline_table(),
        connections=connections_table(),
        push=pusher(),
        drain=outbox().drain,
        drain_later=outbox().drain_later,
        push_chunks=outbox().push_chunks,
        ended=outbox().presence_later,
        clock=time.time,
    )


@cache
def delivery() -> DeliveryService:
    """The writer of the logs."""
    from chalicelib.logic.delivery import DeliveryService
    from chalicelib.logic.own_messages import OwnMessages

    return DeliveryService(
        log=messages_table(),
        heads=conversations_table(),
        count=OwnMessages(members_table(), connections_table()).count,
        effects=receivers(),
    )


@cache
def receipts() -> ReceiptService:
    """Pushes receipts."""
    from chalicelib.bootstrap_groups import audiences
    from chalicelib.logic.receipts import ReceiptService

    return ReceiptService(
        audiences=audiences(),
        connections=connections_table(),
        log=messages_table(),
        push=pusher(),
    )


@cache
def notices() -> NoticeService:
    """Tells people what changed."""
    from chalicelib.logic.notices import NoticeService

    return NoticeService(connections=connections_table(), push=pusher())


@cache
def statistics() -> StatisticsService:
    """Counts messages."""
    from chalicelib.logic.statistics import StatisticsService
    from chalicelib.repo.statistics import StatisticsRepository

    return StatisticsService(StatisticsRepository(store()))


@cache
def breaker_reports() -> BreakerService:
    """Reports on circuit breakers."""
    from chalicelib.guards import NAMES
    from chalicelib.logic.breakers import BreakerService
    from chalicelib.repo.breaker_changes import BreakerChangeRepository

    return BreakerService(
        names=NAMES,
        state=lambda name: breakers().get_breaker(name).state,
        policy=policy,
        changes=BreakerChangeRepository(store()),
    )


@cache
def broker() -> Broker:
    """Carries out commands, and listens."""
    from chalicelib import bootstrap_changes
    from chalicelib.bootstrap_admin import broadcasts
    from chalicelib.bootstrap_data import erasure, exports
    from chalicelib.bootstrap_groups import group_endings, large_groups
    from chalicelib.bootstrap_identity import password_resets
    from chalicelib.bootstrap_integration import webhook_delivery, webhook_fanout
    from chalicelib.bootstrap_messaging import scheduled_messages
    from chalicelib.bootstrap_presence import presence_news
    from chalicelib.broker import Broker
    from chalicelib.repo.delayed import DelayedRepository
    from chalicelib.repo.done_commands import DoneCommandRepository
    from chalicelib.task import commands, commands_account, commands_groups, integration, listeners

    broker = Broker(
        kafka(),
        dead_letter=_park,
        delays=DelayedRepository(store()),
        done=DoneCommandRepository(store()),
    )
    commands.register_deliver(
        broker, delivery, stored=lambda placed: bootstrap_changes.expiry().stored(placed)
    )
    commands.register_changes(broker, bootstrap_changes.writer)
    commands.register_others(broker, sync=sync, receipts=receipts, outbox=outbox())
    commands.register_broadcasts(broker, broadcasts)
    commands.register_presence(broker, news=presence_news, presence=presence, outbox=outbox())
    commands_groups.register_groups(broker, large_groups=large_groups, endings=group_endings)
    commands_account.register_erasure(broker, erasure, group_endings)
    commands_account.register_exports(broker, exports)
    commands.register_password_resets(broker, password_resets)
    commands.register_scheduled(broker, scheduled_messages)
    integration.register_webhooks(broker, fanout=webhook_fanout, delivery=webhook_delivery)
    listeners.register(broker, statistics=statistics, breakers=breaker_reports)
    return broker


def group_prefix() -> str:
    """What the names of our consumer groups begin with, here and in template.yaml."""
    return f"lambchat-{os.environ.get('STAGE', 'local')}"


def _park(command: Command, error: Exception) -> None:
    from chalicelib import metrics
    from chalicelib.repo.dead_letters import DeadLetterRepository

    metrics.emit({"DeadLetters": 1})
    DeadLetterRepository(store()).park(
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
