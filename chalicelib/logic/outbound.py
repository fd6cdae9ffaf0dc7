"""Which addresses this system may be made to call by those who enter a URL.

Nobody else's network is to be reached through it: a name is looked up, and the connection goes to
the very address that was checked, so that a name which changes in between leads nowhere else.
"""

from __future__ import annotations

import ipaddress
import json
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from chalicelib.errors import InvalidFieldError
from chalicelib.logic.remote_documents import is_trustworthy

LOCAL = "local"
MAX_URL_CHARACTERS = 2000
# A name or address, perhaps a port; visible ASCII without a fragment; http in the stage local only.
URL_PATTERN = (
    r"https?://([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?([/?][\x21\x22\x24-\x7e]*)?"
)
_LOOPBACK = ("127.0.0.0/8", "::1/128")
# Addresses that stand for one of IPv4: https://www.rfc-editor.org/rfc/rfc6052 and 8215.
_TRANSLATED = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


@dataclass(frozen=True, slots=True, kw_only=True)
class WebhookPolicy:
    """Where webhooks may lead beside the public internet; parameter ``policy/webhooks``."""

    allowed_networks: tuple[Network, ...] = ()


def parse_webhooks(text: str) -> WebhookPolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.keys() - {"allowed_networks"}:
        raise ValueError('expected {"allowed_networks": [...]}')
    networks = document.get("allowed_networks", [])
    if not isinstance(networks, list) or not all(isinstance(one, str) for one in networks):
        raise ValueError("allowed_networks: expected a list such as 10.1.0.0/16")
    return WebhookPolicy(allowed_networks=tuple(map(ipaddress.ip_network, networks)))


class Outbound:
    """Decides on URLs and addresses.

    Args:
        policy: What is allowed now.
        stage: In the stage ``local`` this machine may be called, over plain HTTP too.
    """

    def __init__(self, policy: Callable[[], WebhookPolicy], stage: str) -> None:
        self._policy = policy
        self._own = tuple(map(ipaddress.ip_network, _LOOPBACK)) if stage == LOCAL else ()
        self._is_local = stage == LOCAL

    def require(self, url: str) -> None:
        """Refuses a URL that can never be called; what its name leads to is checked each time.

        Raises:
            InvalidFieldError: It is none, is not https, or names a private address.
        """
        parts = urlsplit(url) if is_trustworthy(url) and len(url) <= MAX_URL_CHARACTERS else None
        if parts is None or not (parts.scheme == "https" or self._is_local):
            raise InvalidFieldError.at("url", "expected an https address")
        try:
            address = ipaddress.ip_address(parts.hostname or "")
        except ValueError:
            return
        if not self.allows(str(address)):
            raise InvalidFieldError.at("url", "expected a public address")

    def allows(self, address: str) -> bool:
        """Whether a connection to an IP address may be opened."""
        found = ipaddress.ip_address(address.partition("%")[0])
        if isinstance(found, ipaddress.IPv6Address) and found.ipv4_mapped:
            found = found.ipv4_mapped
        if any(found in network for network in (*self._own, *self._policy().allowed_networks)):
            return True
        if isinstance(found, ipaddress.IPv6Address) and _stands_for_another(found):
            return False
        return found.is_global and not found.is_multicast


def _stands_for_another(address: ipaddress.IPv6Address) -> bool:
    translated = any(address in network for network in _TRANSLATED)
    return translated or bool(address.sixtofour or address.teredo)
