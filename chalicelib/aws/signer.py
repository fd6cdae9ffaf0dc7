"""Signature Version 4."""

from __future__ import annotations

import hashlib
import hmac
import os
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Self
from urllib.parse import quote

from chalicelib.aws.errors import AwsError


@dataclass(frozen=True, slots=True, kw_only=True)
class Credentials:
    """What requests are signed with."""

    access_key: str
    secret_key: str
    token: str = ""

    @classmethod
    def from_environment(cls) -> Self:
        """Reads them from the environment, where Lambda puts them.

        Raises:
            AwsError: ``NoCredentials`` when they are not there.
        """
        try:
            return cls(
                access_key=os.environ["AWS_ACCESS_KEY_ID"],
                secret_key=os.environ["AWS_SECRET_ACCESS_KEY"],
                token=os.environ.get("AWS_SESSION_TOKEN", ""),
            )
        except KeyError as missing:
            raise AwsError("NoCredentials", f"{missing} is not in the environment", 0) from missing


class Signer:
    """Signature Version 4 for one service and region.

    Source: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html
    """

    def __init__(
        self, service: str, region: str, *, clock: Callable[[], float] = time.time
    ) -> None:
        self._service = service
        self._region = region
        self._clock = clock
        self._key = b""
        self._key_for: tuple[str, str] = ("", "")

    def headers(
        self, method: str, host: str, path: str, body: bytes, extra: Mapping[str, str]
    ) -> dict[str, str]:
        """The headers to send, ``extra`` and the signature among them."""
        credentials = Credentials.from_environment()
        stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(self._clock()))
        headers = {"host": host, "x-amz-date": stamp, **extra}
        if credentials.token:
            headers["x-amz-security-token"] = credentials.token
        names = ";".join(sorted(headers))
        canonical = "\n".join(
            (
                method,
                quote(path, safe="/-_.~"),
                "",
                *(f"{name}:{headers[name]}" for name in sorted(headers)),
                "",
                names,
                hashlib.sha256(body).hexdigest(),
            )
        )
        scope = f"{stamp[:8]}/{self._region}/{self._service}/aws4_request"
        to_sign = "\n".join(
            ("AWS4-HMAC-SHA256", stamp, scope, hashlib.sha256(canonical.encode()).hexdigest())
        )
        key = self._signing_key(stamp[:8], credentials.secret_key)
        signature = hmac.digest(key, to_sign.encode(), "sha256").hex()
        headers["authorization"] = (
            f"AWS4-HMAC-SHA256 Credential={credentials.access_key}/{scope}, "
            f"SignedHeaders={names}, Signature={signature}"
        )
        return headers

    def _signing_key(self, day: str, secret: str) -> bytes:
        if self._key_for != (day, secret):
            key = f"AWS4{secret}".encode()
            for part in (day, self._region, self._service, "aws4_request"):
                key = hmac.digest(key, part.encode(), "sha256")
            self._key, self._key_for = key, (day, secret)
        return self._key
