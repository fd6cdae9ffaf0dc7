"""The composition root's part for notifications on mobile devices; see `bootstrap` for its rules.

`push` is something else: posts to connections.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts

if TYPE_CHECKING:
    from chalicelib.logic.mobile_push import MobilePushService
    from chalicelib.logic.push_policy import PushPolicy
    from chalicelib.logic.push_tokens import PushTokenService
    from chalicelib.repo.push_tokens import PushTokenRepository
    from chalicelib.sns import PlatformEndpoints

_TIMEOUT_SECONDS = 5.0
_RARE_SECONDS = 30.0  # how old the copy of the policy may be


@cache
def push_tokens_table() -> PushTokenRepository:
    """The devices that are notified."""
    from chalicelib.repo.push_tokens import PushTokenRepository

    return PushTokenRepository(bootstrap.store())


@cache
def platform_endpoints() -> PlatformEndpoints:
    """SNS."""
    from chalicelib.aws import Endpoint, endpoint_url, region
    from chalicelib.bootstrap_downstream import guard
    from chalicelib.guards import SNS
    from chalicelib.sns import PlatformEndpoints

    url = endpoint_url("sns", region())
    return PlatformEndpoints(
        Endpoint("sns", url, region(), timeout=_TIMEOUT_SECONDS, guard=guard(SNS))
    )


@cache
def push_policy() -> Callable[[], PushPolicy]:
    """Whether and how receivers are notified."""
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.push_policy import PushPolicy, parse_push

    def read() -> str | None:
        return accounts.document("policy", "push", max_age_seconds=_RARE_SECONDS)

    return Followed(read, parse_push, PushPolicy())


@cache
def push_tokens() -> PushTokenService:
    """Registers and forgets devices."""
    from chalicelib.logic.push_tokens import PushTokenService

    return PushTokenService(
        devices=push_tokens_table(),
        endpoints=platform_endpoints(),
        policy=push_policy(),
        clock=time.time,
    )


@cache
def mobile_push() -> MobilePushService:
    """Notifies receivers who are offline."""
    from chalicelib.bootstrap_changes import reader
    from chalicelib.bootstrap_groups import audiences, groups_table
    from chalicelib.bootstrap_identity import standing
    from chalicelib.bootstrap_people import relations_table
    from chalicelib.logic.mobile_push import MobilePushService
    from chalicelib.logic.push_receivers import PushReceivers

    receivers = PushReceivers(
        audiences=audiences(),
        devices=push_tokens_table(),
        reader=reader(),
        connections=bootstrap.connections_table(),
        settings=bootstrap.settings_table(),
        relations=relations_table(),
        clock=time.time,
    )
    return MobilePushService(
        receivers=receivers,
        claims=push_tokens_table(),
        forget=push_tokens().drop,
        endpoints=platform_endpoints(),
        sessions=standing(),
        conversations=bootstrap.conversations().all,
        users=lambda ids: accounts.users_table().get_many(ids),
        groups=groups_table(),
        policy=push_policy(),
        clock=time.time,
    )
