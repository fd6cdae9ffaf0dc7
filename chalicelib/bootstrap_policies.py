"""The composition root's part for the configuration's snapshot; see `bootstrap` for its rules."""

from __future__ import annotations

import logging
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from chalicelib.logic.configuration import ConfigurationWatcher, Rules, Snapshot
    from chalicelib.repo.snapshots import SnapshotRepository

logger = logging.getLogger(__name__)


def prefix() -> str:
    """The path that all our parameters are below."""
    from chalicelib.coord import parameter_path

    return parameter_path("")


@cache
def snapshots() -> SnapshotRepository:
    """The table; its connection is its own, for a thread of `coord` may read."""
    from chalicelib.aws import dynamodb
    from chalicelib.repo.snapshots import SnapshotRepository

    return SnapshotRepository(dynamodb())


def snapshot() -> Snapshot | None:
    """The snapshot for `coord.new`; None while there is none, or DynamoDB is away."""
    from chalicelib.errors import UnavailableError
    from chalicelib.logic.configuration import Snapshot

    try:
        stored = snapshots().read(consistent=False)
    except UnavailableError as error:
        logger.warning("snapshot of the configuration not read", extra={"error": str(error)})
        return None
    return Snapshot.from_json(stored[1]) if stored else None


@cache
def watcher() -> ConfigurationWatcher:
    """Writes the snapshot."""
    from chalicelib import coord
    from chalicelib.logic.configuration import ConfigurationWatcher

    centre = coord.new()
    return ConfigurationWatcher(
        lambda: centre.list(prefix().rstrip("/"), decrypt=False), snapshots(), rules()
    )


def rules() -> Rules:
    """What is in the snapshot, and who checks it.

    Keys are rotated by publishing first and signing at once: who verifies cannot wait for a
    snapshot, so nothing below ``auth`` is in it.
    """
    from chalicelib.bootstrap_identity import parse_password_reset
    from chalicelib.breaker import Policy
    from chalicelib.logic.acceptance import parse_acceptance
    from chalicelib.logic.admission import parse_http, parse_limits
    from chalicelib.logic.configuration import Rules, check_auth
    from chalicelib.logic.issuers import parse_issuers
    from chalicelib.logic.oidc_providers import parse_oidc
    from chalicelib.logic.outbound import parse_webhooks
    from chalicelib.logic.policies import (
        parse_attachments,
        parse_messages,
        parse_presence,
        parse_retention,
        parse_schedule,
    )
    from chalicelib.logic.push_policy import parse_push
    from chalicelib.mq.config import parse

    return Rules(
        prefix=prefix(),
        apart=("auth",),
        validators={
            "breaker": lambda _path, text: Policy.from_json(text),
            "mq": parse,
            "policy/auth": lambda _path, text: check_auth(text),
            "policy/http": lambda _path, text: parse_http(text),
            "policy/limits": lambda _path, text: parse_limits(text),
            "policy/issuers": lambda _path, text: parse_issuers(text),
            "policy/oidc": lambda _path, text: parse_oidc(text),
            "policy/password-reset": lambda _path, text: parse_password_reset(text),
            "policy/messages": lambda _path, text: parse_messages(text),
            "policy/presence": lambda _path, text: parse_presence(text),
            "policy/retention": lambda _path, text: parse_retention(text),
            "policy/attachments": lambda _path, text: parse_attachments(text),
            "policy/scheduled-messages": lambda _path, text: parse_schedule(text),
            "policy/acceptance": lambda _path, text: parse_acceptance(text),
            "policy/webhooks": lambda _path, text: parse_webhooks(text),
            "policy/push": lambda _path, text: parse_push(text),
        },
    )
