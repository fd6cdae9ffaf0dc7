"""The composition root's part for users whom others vouch for; see `bootstrap` for its rules."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import cache
from typing import TYPE_CHECKING

from chalicelib import bootstrap
from chalicelib import bootstrap_accounts as accounts
from chalicelib.coord import CoordError, parameter_path
from chalicelib.errors import UnavailableError

if TYPE_CHECKING:
    from chalicelib.logic.bot_tokens import BotTokens
    from chalicelib.logic.identities import IdentityService
    from chalicelib.logic.issuers import OutsideIssuers, StandingSessions
    from chalicelib.logic.oidc import OidcService
    from chalicelib.logic.outside_tokens import OutsideTokens
    from chalicelib.logic.password_reset import PasswordResetService, ResetPolicy, Sender
    from chalicelib.logic.provisioning import ProvisioningService
    from chalicelib.logic.provisioning_keys import ProvisioningKeyAdministration, ProvisioningKeys
    from chalicelib.logic.remote_documents import RemoteDocuments
    from chalicelib.models import User
    from chalicelib.repo.identities import IdentityRepository
    from chalicelib.repo.one_time_tokens import OneTimeTokenRepository

_RARE_SECONDS = 5.0  # how old the copy of a document may be that is seldom asked for
_KEYS = ("auth", "provisioning-keys")


@cache
def identities_table() -> IdentityRepository:
    """Whom the subjects of other issuers are here."""
    from chalicelib.repo.identities import IdentityRepository

    return IdentityRepository(bootstrap.store())


@cache
def one_time_tokens_table() -> OneTimeTokenRepository:
    """What tokens are good for, once."""
    from chalicelib.repo.one_time_tokens import OneTimeTokenRepository

    return OneTimeTokenRepository(bootstrap.store())


@cache
def identities() -> IdentityService:
    """Makes accounts for those whom others vouch for."""
    from chalicelib.logic.identities import IdentityService
    from chalicelib.logic.ids import new_id

    def register(username: str, password: None, *, nickname: str, user_id: str) -> User:
        # Not before it is needed: the WebSocket authorizer seldom is.
        return accounts.auth().register(username, password, nickname=nickname, user_id=user_id)

    return IdentityService(identities=identities_table(), register=register, new_id=new_id)


@cache
def remote_documents() -> RemoteDocuments:
    """Discovery documents and key sets."""
    from chalicelib.fetch import fetch
    from chalicelib.logic.remote_documents import RemoteDocuments

    return RemoteDocuments(fetch, time.time)


@cache
def outside_tokens() -> OutsideTokens:
    """Reads tokens of other issuers."""
    from chalicelib.logic.outside_tokens import OutsideTokens

    return OutsideTokens(remote_documents(), time.time)


@cache
def outside_issuers() -> OutsideIssuers:
    """Takes access tokens of trusted issuers."""
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.issuers import OutsideIssuers, TrustedIssuer, parse_issuers

    nobody: Mapping[str, TrustedIssuer] = {}
    return OutsideIssuers(
        issuers=Followed(lambda: accounts.document("policy", "issuers"), parse_issuers, nobody),
        tokens=outside_tokens(),
        identities=identities(),
        bans=accounts.bans_table(),
        exists=bootstrap.directory().exists,
    )


@cache
def standing() -> StandingSessions:
    """Whether sessions stand, ours and outside ones."""
    from chalicelib.logic.issuers import StandingSessions

    def bots() -> BotTokens:
        from chalicelib.bootstrap_integration import bot_tokens

        return bot_tokens()

    return StandingSessions(bootstrap.sessions_table(), accounts.bans_table(), bots)


@cache
def oidc() -> OidcService:
    """Logs in with OpenID providers."""
    from chalicelib.fetch import fetch
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.ids import new_secret
    from chalicelib.logic.oidc import OidcService
    from chalicelib.logic.oidc_providers import Provider, parse_oidc

    def read() -> str | None:
        return accounts.document("policy", "oidc", max_age_seconds=_RARE_SECONDS)

    nobody: Mapping[str, Provider] = {}
    return OidcService(
        providers=Followed(read, parse_oidc, nobody),
        secret=_secret,
        documents=remote_documents(),
        post=fetch,
        tokens=outside_tokens(),
        states=one_time_tokens_table(),
        identities=identities(),
        clock=time.time,
        new_secret=new_secret,
    )


@cache
def password_resets() -> PasswordResetService:
    """Resets passwords."""
    from chalicelib.logic.admission import Followed
    from chalicelib.logic.ids import new_secret
    from chalicelib.logic.password_reset import PasswordResetService, ResetPolicy

    def hash_password(password: str) -> str:
        from chalicelib.logic.passwords import Passwords

        return Passwords().hash(password)

    return PasswordResetService(
        users=accounts.users_table,
        tokens=one_time_tokens_table(),
        senders=_senders(),
        sessions=accounts.sessions,
        hash_password=hash_password,
        enqueue=lambda ctx, username: bootstrap.outbox().reset_password(ctx, username),
        policy=Followed(
            lambda: accounts.document("policy", "password-reset"),
            parse_password_reset,
            ResetPolicy(),
        ),
        clock=time.time,
        new_secret=new_secret,
    )


def parse_password_reset(text: str) -> ResetPolicy:
    """The policy, as far as this stage may have it."""
    from chalicelib.logic.password_reset import parse_reset

    return parse_reset(text, _stage())


@cache
def provisioning_keys() -> ProvisioningKeys:
    """Knows who holds a provisioning key."""
    from chalicelib.logic.provisioning_keys import ProvisioningKeys

    return ProvisioningKeys(lambda age: accounts.document(*_KEYS, max_age_seconds=age), time.time)


@cache
def key_administration() -> ProvisioningKeyAdministration:
    """Makes and revokes provisioning keys."""
    from chalicelib.aws import parameter_store
    from chalicelib.logic.ids import new_id, new_secret
    from chalicelib.logic.provisioning_keys import ProvisioningKeyAdministration
    from chalicelib.models import rfc3339
    from chalicelib.repo.secret_parameters import SecretParameter

    return ProvisioningKeyAdministration(
        SecretParameter(parameter_store(), parameter_path(*_KEYS)),
        now=lambda: rfc3339(time.time()),
        new_id=new_id,
        new_secret=new_secret,
    )


@cache
def provisioning() -> ProvisioningService:
    """Carries out what servers that have the accounts ask for."""
    from chalicelib import bootstrap_admin as operators
    from chalicelib import bootstrap_people as people
    from chalicelib.logic.provisioning import ProvisioningService

    return ProvisioningService(
        keys=provisioning_keys(),
        identities=identities(),
        profiles=accounts.users,
        bans=accounts.bans_table(),
        banning=operators.bans,
        relations=people.relations_table(),
        tell=bootstrap.notices().tell,
    )


def _senders() -> Mapping[str, Sender]:
    from chalicelib.aws import Endpoint, endpoint_url, region
    from chalicelib.logic.password_reset import LOCAL
    from chalicelib.mail import LogSender, SesSender

    # SES signs with another name than its address has.
    ses = SesSender(Endpoint("ses", endpoint_url("email", region()), region()))
    return {"ses": ses, **({"log": LogSender(LOCAL)} if _stage() == LOCAL else {})}


def _secret(name: str) -> str:
    """The value of a SecureString; one that everybody may read is refused."""
    try:
        found = bootstrap.centre().get(parameter_path(*name.split("/")))
    except CoordError as error:
        raise UnavailableError(str(error)) from error
    if found is None or not found.is_secret:
        raise UnavailableError(f"the parameter {name} is not a SecureString")
    return found.value


def _stage() -> str:
    return os.environ.get("STAGE", "local")
