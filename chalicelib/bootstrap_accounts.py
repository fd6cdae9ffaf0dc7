"""The composition root's part for accounts and the REST API; see `bootstrap` for its rules."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap

if TYPE_CHECKING:
    from chalicelib.aws import JsonService
    from chalicelib.logic.auth import AuthService
    from chalicelib.logic.health import HealthService
    from chalicelib.logic.keys import KeyService
    from chalicelib.logic.policies import AuthPolicy
    from chalicelib.logic.sessions import SessionService
    from chalicelib.logic.tokens import Authenticator, Identity
    from chalicelib.logic.users import UserService
    from chalicelib.repo.bans import BanRepository
    from chalicelib.repo.idempotency import IdempotencyRepository
    from chalicelib.repo.users import UserRepository

_SIGNING_KEY = ("auth", "signing-key")
_JWKS = ("auth", "jwks")


@cache
def users_table() -> UserRepository:
    """The accounts."""
    from chalicelib.repo.users import UserRepository

    return UserRepository(bootstrap.store())


@cache
def bans_table() -> BanRepository:
    """The bans."""
    from chalicelib.repo.bans import BanRepository

    return BanRepository(bootstrap.store())


@cache
def idempotency_table() -> IdempotencyRepository:
    """What repeated requests were answered."""
    from chalicelib.guards import DYNAMODB, around_calls
    from chalicelib.logic.ids import new_id
    from chalicelib.repo.idempotency import IdempotencyRepository

    guard = around_calls(bootstrap.breakers().get_breaker(DYNAMODB))
    return IdempotencyRepository(clock=time.time, new_id=new_id, guard=guard)


@cache
def authenticator() -> Authenticator:
    """Establishes who is asking; all that the WebSocket authorizer needs."""
    from chalicelib.bootstrap_identity import outside_issuers
    from chalicelib.logic.tokens import Authenticator, TokenVerifier

    verifier = TokenVerifier(jwks=jwks, issuer=_issuer(), clock=time.time)
    return Authenticator(verifier, bootstrap.sessions_table(), outside_issuers(), _Bots())


class _Bots:
    """What reads bots' tokens, made when the first one comes."""

    def authenticate(self, token: str) -> Identity:
        from chalicelib.bootstrap_integration import bot_tokens

        return bot_tokens().authenticate(token)


@cache
def sessions() -> SessionService:
    """Opens, prolongs and ends sessions."""
    from chalicelib.logic.ids import new_id, new_secret
    from chalicelib.logic.sessions import SessionService

    return SessionService(
        sessions=bootstrap.sessions_table(),
        bans=bans_table(),
        presence=bootstrap.presence(),
        policy=auth_policy,
        clock=time.time,
        new_id=new_id,
        new_secret=new_secret,
        forget=_forget_push_tokens,
    )


def _forget_push_tokens(user_id: str, device_id: str | None) -> None:
    from chalicelib.bootstrap_push import push_tokens

    push_tokens().forget(user_id, device_id)


@cache
def auth() -> AuthService:
    """Registers and logs in."""
    from chalicelib.logic.auth import AuthService
    from chalicelib.logic.ids import new_id
    from chalicelib.logic.passwords import Passwords
    from chalicelib.logic.tokens import KEYS_MAX_AGE_SECONDS, TokenSigner

    signer = TokenSigner(
        key=lambda: document(*_SIGNING_KEY, max_age_seconds=KEYS_MAX_AGE_SECONDS),
        issuer=_issuer(),
        clock=time.time,
    )
    return AuthService(
        users=users_table(),
        passwords=Passwords(),
        sessions=sessions(),
        signer=signer,
        authenticator=authenticator(),
        registry=bootstrap.presence(),
        policy=auth_policy,
        clock=time.time,
        new_id=new_id,
    )


@cache
def users() -> UserService:
    """Reads and changes profiles."""
    from chalicelib.logic.users import UserService

    return UserService(users_table(), time.time)


@cache
def keys() -> KeyService:
    """Makes and rotates signing keys."""
    from chalicelib.aws import parameter_store
    from chalicelib.coord import parameter_path
    from chalicelib.logic.keys import KeyService
    from chalicelib.repo.signing_keys import SigningKeyRepository

    return KeyService(
        SigningKeyRepository(
            parameter_store(),
            key_path=parameter_path(*_SIGNING_KEY),
            jwks_path=parameter_path(*_JWKS),
        )
    )


@cache
def health() -> HealthService:
    """Asks the services behind this one whether they answer."""
    from chalicelib.coord import parameter_path
    from chalicelib.logic.health import HealthService
    from chalicelib.mq import config
    from chalicelib.repo import probes

    def dynamodb() -> None:
        with _impatient("dynamodb", target="DynamoDB_20120810", version="1.0") as store:
            probes.dynamodb(store)

    def parameter_store() -> None:
        with _impatient("ssm", target="AmazonSSM", version="1.1") as store:
            probes.parameter(store, parameter_path(*_JWKS))

    def kafka() -> None:
        probes.any_broker(config.load(bootstrap.centre(), "lambchat").brokers)

    probe_of = {"dynamodb": dynamodb, "parameter_store": parameter_store, "kafka": kafka}
    return HealthService(probe_of, time.time)


def jwks(max_age_seconds: float) -> str | None:
    """The public keys of access tokens, a JSON Web Key Set."""
    return document(*_JWKS, max_age_seconds=max_age_seconds)


def ensure_topics(*, partitions: int, replication: int) -> list[str]:
    """Creates the two topics where they are missing.

    Returns:
        Those that were created.

    Raises:
        UnavailableError: Kafka refused, is away, or is not configured.
    """
    from chalicelib.context import Context
    from chalicelib.errors import UnavailableError
    from chalicelib.mq import MqError

    try:
        return bootstrap.kafka().ensure_topics(
            Context(), partitions=partitions, replication=replication
        )
    except MqError as error:
        raise UnavailableError(str(error)) from error


def auth_policy() -> AuthPolicy:
    """How long tokens are good for, and how often a log-in may fail."""
    from chalicelib.logic.policies import parse_auth

    return parse_auth(document("policy", "auth"))


def document(*parts: str, max_age_seconds: float | None = None) -> str | None:
    """The text of one of our parameters.

    Raises:
        UnavailableError: It was never read, and cannot be read now.
    """
    from chalicelib.coord import CoordError, parameter_path
    from chalicelib.errors import UnavailableError

    try:
        found = bootstrap.centre().get(parameter_path(*parts), max_age_seconds=max_age_seconds)
    except CoordError as error:
        raise UnavailableError(str(error)) from error
    return found.value if found else None


@contextmanager
def _impatient(service: str, *, target: str, version: str) -> Iterator[JsonService]:
    """A client for one question: a new connection shows more than a kept one."""
    from chalicelib.aws import Endpoint, JsonService, endpoint_url, region
    from chalicelib.repo.probes import TIMEOUT_SECONDS

    url = endpoint_url(service, region())
    endpoint = Endpoint(service, url, region(), timeout=TIMEOUT_SECONDS)
    try:
        yield JsonService(endpoint, target=target, version=version)
    finally:
        endpoint.close()


def _issuer() -> str:
    return f"lambchat-{os.environ.get('STAGE', 'local')}"
