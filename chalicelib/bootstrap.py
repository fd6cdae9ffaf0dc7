"""The composition root: every object is made once a process, when it is first asked for.

Imports stand inside the functions because each Lambda function needs only some of this, and what
it does not need would be its cold start: pynamodb alone takes 250 ms (docs/decisions/0002).
"""

from __future__ import annotations

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
    from chalicelib.logic.access import Access
    from chalicelib.logic.acks import AckService
    from chalicelib.logic.conversations import ConversationService
    from chalicelib.logic.directory import Directory
    from chalicelib.logic.heads import CurrentHeads
    from chalicelib.logic.messages import MessageService
    from chalicelib.logic.notices import NoticeService
    from chalicelib.logic.presence import PresenceService
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
    from chalicelib.bootstrap_messaging import refer
    from chalicelib.logic.messages import MessageService

    return MessageService(
        access=access(),
        submit=outbox().submit,
        options=options(),
        reader=reader(),
        clock=time.time,
        acceptance=acceptance(),
        refer=refer,
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
def notices() -> NoticeService:
    """Tells people what changed."""
    from chalicelib.logic.notices import NoticeService

    return NoticeService(connections=connections_table(), push=pusher())
