"""The composition root's part for presence, typing and settings; see `bootstrap` for its rules."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_groups as groups
from chalicelib import bootstrap_people as people

if TYPE_CHECKING:
    from chalicelib.logic.places import PlaceService
    from chalicelib.logic.presence_news import PresenceNewsService
    from chalicelib.logic.presence_views import PresenceViews
    from chalicelib.logic.settings import SettingsService
    from chalicelib.logic.typing import TypingService
    from chalicelib.logic.vanished import VanishedService


@cache
def presence_views() -> PresenceViews:
    """Shows who is there."""
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.policies import PresencePolicy, parse_presence
    from chalicelib.logic.presence_views import PresenceViews

    return PresenceViews(
        states=bootstrap.presence_table(),
        relations=people.relations_table(),
        memberships=bootstrap.members_table(),
        policy=Followed(
            lambda: accounts.document("policy", "presence"), parse_presence, PresencePolicy()
        ),
    )


@cache
def presence_news() -> PresenceNewsService:
    """Tells friends who came and went."""
    from chalicelib.logic.presence_news import PresenceNewsService

    return PresenceNewsService(
        states=bootstrap.presence_table(),
        relations=people.relations_table(),
        connections=bootstrap.connections_table(),
        push=bootstrap.pusher(),
        enqueue=bootstrap.outbox().presence_news,
        later=bootstrap.outbox().presence_later,
    )


@cache
def vanished() -> VanishedService:
    """Finds connections that ended without a word."""
    from chalicelib.logic.vanished import VanishedService

    return VanishedService(
        connections=bootstrap.connections_table(),
        push=bootstrap.pusher(),
        presence=bootstrap.outbox().presence,
        clock=time.time,
    )


@cache
def typing() -> TypingService:
    """Tells others that somebody writes."""
    from chalicelib.logic.typing import TypingService

    return TypingService(
        access=bootstrap.access(),
        relations=people.relations_table(),
        audiences=groups.audiences(),
        connections=bootstrap.connections_table(),
        push=bootstrap.pusher(),
        clock=time.time,
    )


@cache
def settings() -> SettingsService:
    """Mutes, pins and hides conversations, keeps drafts."""
    from chalicelib.logic.settings import SettingsService

    return SettingsService(
        access=bootstrap.access(),
        heads=bootstrap.heads(),
        settings=bootstrap.settings_table(),
        tell=bootstrap.notices().tell,
        clock=time.time,
    )


@cache
def places() -> PlaceService:
    """Says how far each member has come."""
    from chalicelib.logic.places import PlaceService

    return PlaceService(
        access=bootstrap.access(),
        groups=groups.groups_table(),
        members=bootstrap.members_table(),
    )
