"""The composition root's part for groups; see `bootstrap` for its rules."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_people as people

if TYPE_CHECKING:
    from chalicelib.logic.audiences import Audiences
    from chalicelib.logic.group_access import GroupAccess
    from chalicelib.logic.group_changes import GroupChanges
    from chalicelib.logic.group_endings import GroupEndings
    from chalicelib.logic.group_members import GroupMemberService
    from chalicelib.logic.groups import GroupService
    from chalicelib.logic.invitations import InvitationService
    from chalicelib.logic.large_groups import LargeGroupService
    from chalicelib.logic.provisioned_groups import ProvisionedGroupService
    from chalicelib.repo.groups import GroupRepository
    from chalicelib.repo.invitations import InvitationRepository


@cache
def groups_table() -> GroupRepository:
    """The groups."""
    from chalicelib.repo.groups import GroupRepository

    return GroupRepository(bootstrap.store())


@cache
def invitations_table() -> InvitationRepository:
    """Requests to join, and invite links."""
    from chalicelib.repo.invitations import InvitationRepository

    return InvitationRepository(bootstrap.store())


@cache
def audiences() -> Audiences:
    """Who gets messages."""
    from chalicelib.logic.audiences import Audiences

    return Audiences(groups_table(), bootstrap.members_table())


@cache
def group_access() -> GroupAccess:
    """Who may read and write in groups."""
    from chalicelib.logic.group_access import GroupAccess

    return GroupAccess(groups_table(), bootstrap.members_table(), time.time)


@cache
def group_changes() -> GroupChanges:
    """Changes groups."""
    from chalicelib.logic.group_changes import GroupChanges
    from chalicelib.logic.group_news import GroupNews

    news = GroupNews(
        groups=groups_table(),
        audiences=audiences(),
        pointers=bootstrap.offline_table(),
        submit=bootstrap.outbox().submit,
        tell=bootstrap.notices().tell,
    )
    return GroupChanges(
        groups=groups_table(),
        members=bootstrap.members_table(),
        news=news,
        clock=time.time,
        sleep=time.sleep,
    )


@cache
def groups() -> GroupService:
    """Creates, edits, transfers and dismisses groups."""
    from chalicelib.logic.groups import GroupService

    return GroupService(
        changes=group_changes(),
        members=group_members(),
        groups=groups_table(),
        clear_later=bootstrap.outbox().clear_group_later,
    )


@cache
def group_members() -> GroupMemberService:
    """Adds, removes, mutes and promotes members."""
    from chalicelib.logic.group_members import GroupMemberService

    return GroupMemberService(
        changes=group_changes(),
        heads=bootstrap.heads(),
        relations=people.relations_table(),
    )


@cache
def invitations() -> InvitationService:
    """Lets people in who ask, or have a link."""
    from chalicelib.logic.invitations import InvitationService

    return InvitationService(
        changes=group_changes(),
        members=group_members(),
        invitations=invitations_table(),
        tell=bootstrap.notices().tell,
        clock=time.time,
    )


@cache
def group_endings() -> GroupEndings:
    """Takes deleted users out of groups, clears dismissed ones away."""
    from chalicelib.logic.group_endings import GroupEndings

    return GroupEndings(
        services=(groups(), group_members()),
        groups=groups_table(),
        members=bootstrap.members_table(),
        requests=invitations_table(),
        pointers=bootstrap.offline_table(),
    )


@cache
def large_groups() -> LargeGroupService:
    """Pushes to large groups."""
    from chalicelib.bootstrap_changes import reader
    from chalicelib.bootstrap_tasks import receivers
    from chalicelib.logic.large_groups import LargeGroupService

    return LargeGroupService(
        audiences=audiences(),
        reader=reader(),
        connections=bootstrap.connections_table(),
        push=bootstrap.pusher(),
        bury=receivers().bury,
        push_later=bootstrap.outbox().push_chunk_later,
    )


@cache
def provisioned_groups() -> ProvisionedGroupService:
    """Keeps groups of servers that have the accounts."""
    from chalicelib import bootstrap_identity as identity
    from chalicelib.logic.provisioned_groups import ProvisionedGroupService

    return ProvisionedGroupService(
        keys=identity.provisioning_keys(),
        identities=identity.identities(),
        stored=groups_table(),
        groups=groups,
        members=group_members,
    )
