from __future__ import annotations

import time
from collections.abc import Iterator

import pytest

from chalicelib import bootstrap, fetch
from chalicelib import bootstrap_accounts as accounts
from chalicelib import bootstrap_identity as identity
from chalicelib import bootstrap_limits as limits
from chalicelib import bootstrap_people as people
from chalicelib import bootstrap_push as push
from tests.built import forget_built
from tests.rest import Rest


@pytest.fixture
def rest(monkeypatch: pytest.MonkeyPatch) -> Iterator[Rest]:
    """The REST API on fakes: the composition root gets them instead of the tables."""
    made = Rest()
    monkeypatch.setenv("STAGE", "unit")
    monkeypatch.setenv("WEBSOCKET_URL", "ws://127.0.0.1:8081/local")
    monkeypatch.setattr(bootstrap, "centre", lambda: made.centre)
    monkeypatch.setattr(bootstrap, "sessions_table", lambda: made.sessions)
    monkeypatch.setattr(bootstrap, "presence", lambda: made.presence)
    monkeypatch.setattr(accounts, "users_table", lambda: made.users)
    monkeypatch.setattr(accounts, "bans_table", lambda: made.bans)
    monkeypatch.setattr(accounts, "idempotency_table", lambda: made.idempotency)
    monkeypatch.setattr(limits, "counters", lambda: made.counters)
    monkeypatch.setattr(limits, "failed_logins", lambda: made.failed_logins)
    monkeypatch.setattr(bootstrap, "directory", lambda: made.relations)
    monkeypatch.setattr(bootstrap, "notices", lambda: made.notices)
    monkeypatch.setattr(people, "relations_table", lambda: made.relations)
    monkeypatch.setattr(identity, "identities_table", lambda: made.identities)
    monkeypatch.setattr(identity, "one_time_tokens_table", lambda: made.one_time_tokens)
    monkeypatch.setattr(push, "push_tokens_table", lambda: made.push_tokens)
    monkeypatch.setattr(push, "platform_endpoints", lambda: made.endpoints)
    monkeypatch.setattr(fetch, "fetch", made.web.fetch)
    monkeypatch.setattr(time, "time", made.clock)
    forget_built()
    yield made
    forget_built()
