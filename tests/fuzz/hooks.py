"""Who Schemathesis is: one administrator, and a newcomer where a request ends what it came with."""

from __future__ import annotations

import json
import os
import urllib.request
import uuid
from typing import Any

import schemathesis
from hypothesis import strategies

URL = os.environ["LAMBCHAT_URL"]
# These end the session or the account of who asks.
ENDING = [
    ("POST", "/v1/auth/logout"),
    ("DELETE", "/v1/auth/sessions/{device_id}"),
    ("DELETE", "/v1/users/me/data"),
]


class Administrator:
    """The account of this run; its token outlives it."""

    def get(self, _case: schemathesis.Case, _context: schemathesis.AuthContext) -> str:
        return os.environ["LAMBCHAT_TOKEN"]

    def set(self, case: schemathesis.Case, token: str, _context: Any) -> None:
        case.headers["Authorization"] = f"Bearer {token}"


class Newcomer(Administrator):
    """Another user each time."""

    def get(self, _case: schemathesis.Case, _context: schemathesis.AuthContext) -> str:
        credentials = {"username": f"fuzz-{uuid.uuid4().hex[:12]}", "password": "correct horse"}
        post("/v1/auth/register", credentials)
        return str(post("/v1/auth/login", credentials)["access_token"])


def post(path: str, body: dict[str, str]) -> Any:
    """A request beside the tests."""
    data, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    with urllib.request.urlopen(urllib.request.Request(URL + path, data, headers)) as answer:
        return json.load(answer)


# No schema tells a cursor of this list from another text: made up ones are the first page's.
schemathesis.openapi.format("cursor", strategies.just(""))
newcomer = schemathesis.auth(refresh_interval=None)
for method, path in ENDING:
    newcomer = newcomer.apply_to(method=method, path=path)
newcomer(Newcomer)
administrator = schemathesis.auth()
for method, path in ENDING:
    administrator = administrator.skip_for(method=method, path=path)
administrator(Administrator)
