"""Who somebody is to other issuers, and the accounts that are made for them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator, Mapping
from typing import Any, Protocol

from chalicelib.errors import ConflictError, UnauthorizedError, UsernameTakenError
from chalicelib.models import LinkedIdentity, User

MAX_SUBJECT_CHARACTERS = 255  # OpenID Connect Core, section 2: the longest `sub`
_SHORTEST, _LONGEST = 3, 32  # of a user name
_SUFFIXES = (4, 8, 12)
# What a name may be made from, the best first; an address gives what is before its @.
_NAME_CLAIMS = ("preferred_username", "nickname", "given_name", "name", "email")


class Identities(Protocol):
    """The stored identities, read strongly."""

    def get(self, issuer: str, subject: str) -> LinkedIdentity | None: ...
    def claim(self, identity: LinkedIdentity) -> LinkedIdentity: ...
    def settle(self, identity: LinkedIdentity) -> None: ...


class Register(Protocol):
    """Creates an account without a password, or finds the one with this id again."""

    def __call__(
        self, username: str, password: None, /, *, nickname: str, user_id: str
    ) -> User: ...


class IdentityService:
    """Maps an issuer's subjects to accounts.

    An account is found by issuer and subject only, never by a name or an e-mail address: who can
    choose those at some issuer would get other people's accounts.
    """

    def __init__(
        self, *, identities: Identities, register: Register, new_id: Callable[[], str]
    ) -> None:
        self._identities = identities
        self._register = register
        self._new_id = new_id

    def user_of(self, issuer: str, subject: str) -> str | None:
        """The id of the account that belongs to a subject."""
        found = self._identities.get(issuer, subject)
        return found.user_id if found and not found.pending else None

    def enrol(
        self, issuer: str, subject: str, *, username: str, nickname: str = "", exactly: bool = False
    ) -> str:
        """Makes the account of a subject, unless it has one.

        The identity is claimed first, so that of two calls at once both get one account; what a
        crash left half done is finished by the next call.

        Args:
            issuer: Who vouches for them.
            subject: Who they are there.
            username: The name wanted; where somebody has it, one that begins like it is taken.
            nickname: The same as in a profile.
            exactly: No other name will do.

        Returns:
            The account's id.

        Raises:
            UsernameTakenError: Somebody has this name, and those like it.
        """
        identity = self._identities.get(issuer, subject) or self._identities.claim(
            LinkedIdentity(issuer=issuer, subject=subject, user_id=self._new_id(), pending=True)
        )
        if not identity.pending:
            return identity.user_id
        names = [username] if exactly else list(_candidates(username, identity.user_id))
        for name in names:
            try:
                self._register(name, None, nickname=nickname, user_id=identity.user_id)
            except UsernameTakenError:
                continue
            self._identities.settle(identity)
            return identity.user_id
        raise UsernameTakenError(f"{username} is taken")

    def link(self, user_id: str, issuer: str, subject: str) -> None:
        """Lets a subject into an account that exists; again is no fault.

        Raises:
            ConflictError: The subject belongs to another account.
        """
        wanted = LinkedIdentity(issuer=issuer, subject=subject, user_id=user_id)
        if self._identities.claim(wanted).user_id != user_id:
            raise ConflictError("this identity belongs to another account")


def subject_of(claims: Mapping[str, Any], claim: str = "sub") -> str:
    """Whom a verified token speaks for.

    Raises:
        UnauthorizedError: It does not say.
    """
    subject = claims.get(claim)
    if not isinstance(subject, str) or not 0 < len(subject) <= MAX_SUBJECT_CHARACTERS:
        raise UnauthorizedError(f"the issuer's token has no {claim}")
    return subject


def name_from(claims: Mapping[str, Any]) -> str:
    """A user name made from what an issuer says of somebody."""
    for claim in _NAME_CLAIMS:
        value = claims.get(claim)
        name = _username(value.partition("@")[0]) if isinstance(value, str) else ""
        if name:
            return name
    return "user"


def nickname_from(claims: Mapping[str, Any]) -> str:
    """What an issuer calls somebody; nothing where it does not say."""
    value = claims.get("name")
    printable = value.isprintable() if isinstance(value, str) else False
    return str(value)[:64] if printable else ""


def _username(text: str) -> str:
    """The text in the characters of user names; nothing where too few are left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    name = re.sub(r"[^A-Za-z0-9_.-]+", "-", plain).strip("-._")[:_LONGEST]
    return name if len(name) >= _SHORTEST else ""


def _candidates(name: str, user_id: str) -> Iterator[str]:
    """The name, then it with ever more of the account's id; the same in every attempt."""
    yield name
    for length in _SUFFIXES:
        yield f"{name[: _LONGEST - length - 1]}-{user_id[:length]}"
