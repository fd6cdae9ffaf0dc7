"""The OpenID providers that users may log in with; parameter ``policy/oidc``."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.logic.outside_tokens import ALGORITHMS
from chalicelib.logic.remote_documents import is_trustworthy

_NAME = re.compile(r"[a-z0-9-]{1,32}")
_SECRET = re.compile(r"[A-Za-z0-9_.-]+(/[A-Za-z0-9_.-]+)*")
_SCOPE = re.compile(r"[\x21\x23-\x5b\x5d-\x7e]+")  # RFC 6749, section 3.3


@dataclass(frozen=True, slots=True, kw_only=True)
class Provider:
    """An OpenID provider.

    Attributes:
        issuer: Its address, as it stands in its tokens.
        client_id: Who we are there.
        redirect_uris: Where it may send users back to; the first is the default.
        client_secret_parameter: The SecureString below ``/lambchat/{STAGE}/`` with our secret
            there; none for a public client.
        scopes: What is asked for.
        create_users: Whether the first log-in makes an account.
        algorithms: Which its tokens may be signed with.
    """

    issuer: str
    client_id: str
    redirect_uris: tuple[str, ...]
    client_secret_parameter: str = ""
    scopes: tuple[str, ...] = ("openid", "profile")
    create_users: bool = True
    algorithms: frozenset[str] = ALGORITHMS


_MEMBERS = frozenset(Provider.__dataclass_fields__)


def parse_oidc(text: str) -> Mapping[str, Provider]:
    """The providers by their names.

    Raises:
        ValueError: Something in the document is wrong.
    """
    document = json.loads(text)
    entries = document.get("providers", {}) if isinstance(document, dict) else None
    if not isinstance(entries, dict) or document.keys() - {"providers"}:
        raise ValueError('expected {"providers": {"<name>": {...}}}')
    for name in entries:
        if not _NAME.fullmatch(name):
            raise ValueError(f"{name}: expected a name of a-z, 0-9 and -")
    return {name: _provider(entry, name) for name, entry in entries.items()}


def _provider(entry: Any, where: str) -> Provider:
    if not isinstance(entry, dict) or entry.keys() - _MEMBERS:
        raise ValueError(f"{where}: expected an object of {', '.join(sorted(_MEMBERS))}")
    if not is_trustworthy(entry.get("issuer")) or "?" in entry["issuer"]:
        raise ValueError(f"{where}.issuer: expected an https address")
    if not isinstance(entry.get("client_id"), str) or not entry["client_id"]:
        raise ValueError(f"{where}.client_id: expected a text")
    redirect_uris = _texts(entry, "redirect_uris", where, ())
    if not redirect_uris:
        raise ValueError(f"{where}.redirect_uris: expected at least one")
    create = entry.get("create_users", True)
    if not isinstance(create, bool):
        raise ValueError(f"{where}.create_users: expected true or false")  # noqa: TRY004
    return Provider(
        issuer=entry["issuer"],
        client_id=entry["client_id"],
        redirect_uris=redirect_uris,
        client_secret_parameter=_secret(entry, where),
        scopes=_scopes(entry, where),
        create_users=create,
        algorithms=_algorithms(entry, where),
    )


def _secret(entry: Mapping[str, Any], where: str) -> str:
    secret = entry.get("client_secret_parameter", "")
    if secret != "" and not (isinstance(secret, str) and _SECRET.fullmatch(secret)):
        raise ValueError(f"{where}.client_secret_parameter: expected the name of a parameter")
    return str(secret)


def _scopes(entry: Mapping[str, Any], where: str) -> tuple[str, ...]:
    scopes = _texts(entry, "scopes", where, ("openid", "profile"))
    if "openid" not in scopes or not all(map(_SCOPE.fullmatch, scopes)):
        raise ValueError(f"{where}.scopes: expected scopes, openid among them")
    return scopes


def _algorithms(entry: Mapping[str, Any], where: str) -> frozenset[str]:
    algorithms = frozenset(_texts(entry, "algorithms", where, tuple(ALGORITHMS)))
    if not algorithms or algorithms - ALGORITHMS:
        raise ValueError(f"{where}.algorithms: expected some of {', '.join(sorted(ALGORITHMS))}")
    return algorithms


def _texts(
    entry: Mapping[str, Any], name: str, where: str, default: tuple[str, ...]
) -> tuple[str, ...]:
    found = entry.get(name, list(default))
    if not isinstance(found, list) or not all(isinstance(one, str) and one for one in found):
        raise ValueError(f"{where}.{name}: expected a list of texts")
    return tuple(found)
