"""The keys that sign access tokens: made once, rotated without logging anybody out."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import Any, Protocol

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

_KEPT = 3  # public keys: of the signing key, and of earlier ones whose tokens may still be good


class KeyStore(Protocol):
    """Where the signing key (secret) and the public key set are kept."""

    def signing_key(self) -> str | None: ...
    def add_signing_key(self, document: str) -> bool: ...
    def replace_signing_key(self, document: str) -> None: ...
    def jwks(self) -> str | None: ...
    def put_jwks(self, document: str) -> None: ...


class KeyService:
    """Makes and rotates signing keys."""

    def __init__(self, store: KeyStore) -> None:
        self._store = store

    def ensure(self) -> str:
        """Makes the first key unless there is one; safe to run twice at once.

        Returns:
            The id of the key that signs.
        """
        stored = self._store.signing_key()
        if stored is None:
            self._store.add_signing_key(_generate())
            stored = self._store.signing_key() or ""
        return self._publish(stored)

    def rotate(self) -> str:
        """Makes a new key: published first, then used; tokens of the old one stay valid.

        Returns:
            The id of the new key.
        """
        document = _generate()
        kid = self._publish(document)
        self._store.replace_signing_key(document)
        return kid

    def _publish(self, document: str) -> str:
        new = _public(document)
        text = self._store.jwks()
        keys = json.loads(text)["keys"] if text else []
        if new not in keys:
            self._store.put_jwks(json.dumps({"keys": [new, *keys][:_KEPT]}))
        return str(new["kid"])


def _generate() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    ).decode()
    return json.dumps({"kid": _thumbprint(_jwk(pem)), "pem": pem})


def _public(document: str) -> dict[str, Any]:
    key = json.loads(document)
    return {**_jwk(key["pem"]), "kid": key["kid"], "use": "sig", "alg": "ES256"}


def _jwk(pem: str) -> dict[str, Any]:
    algorithm = ECAlgorithm(ECAlgorithm.SHA256)
    private = algorithm.prepare_key(pem)
    if not isinstance(private, ec.EllipticCurvePrivateKey):
        raise TypeError("the signing key is not a private key")
    return ECAlgorithm.to_jwk(private.public_key(), as_dict=True)


def _thumbprint(jwk: dict[str, Any]) -> str:
    """RFC 7638: the same key always has the same id."""
    required = {name: jwk[name] for name in ("crv", "kty", "x", "y")}
    text = json.dumps(required, separators=(",", ":"), sort_keys=True)
    digest = hashlib.sha256(text.encode()).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")
