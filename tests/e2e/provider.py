"""A real OpenID provider, of the package oidc-provider-mock, and the browser of its users."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.client import HTTPMessage
from pathlib import Path
from typing import IO, Any

import pytest

from localstack.emulator.ports import free_port

READY_SECONDS = 30.0


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """The redirect back to the client is where the code is."""

    def redirect_request(
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


@dataclass
class Provider:
    """The running provider."""

    issuer: str

    def describe(self, subject: str, claims: dict[str, Any]) -> None:
        """Says what the provider knows of somebody."""
        body = json.dumps(claims).encode()
        headers = {"Content-Type": "application/json"}
        request = urllib.request.Request(
            f"{self.issuer}/users/{subject}", body, headers, method="PUT"
        )
        urllib.request.urlopen(request, timeout=10).close()

    def visit(self, authorization_url: str, subject: str) -> dict[str, str]:
        """The user logs in there; answers what the provider sends back with them."""
        form = urllib.parse.urlencode({"sub": subject}).encode()
        opener = urllib.request.build_opener(_NoRedirect)
        with pytest.raises(urllib.error.HTTPError) as caught:
            opener.open(authorization_url, form, timeout=10)
        with caught.value as answer:
            assert answer.code == 302, answer.read()
            location = answer.headers["Location"]
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(location).query)
        return {name: value for name, (value,) in query.items()}


@contextmanager
def running(folder: Path) -> Iterator[Provider]:
    """Starts the provider, and waits until it answers."""
    port = free_port()
    with (folder / "provider.log").open("wb") as log:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "oidc_provider_mock",
                "--port",
                str(port),
                "--require-nonce",
                "1",
            ],
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    provider = Provider(f"http://127.0.0.1:{port}")
    try:
        _wait(provider.issuer, process)
        yield provider
    finally:
        process.terminate()
        process.wait(10)


def _wait(issuer: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while True:
        try:
            urllib.request.urlopen(f"{issuer}/.well-known/openid-configuration", timeout=5).close()
        except OSError:
            assert process.poll() is None, "the provider ended"
            assert time.monotonic() < deadline, "the provider does not answer"
            time.sleep(0.05)
        else:
            return
