"""What operators' services stand on, in memory."""

from __future__ import annotations

import pytest

from chalicelib import bootstrap, bootstrap_admin
from tests.fakes import FakeConnections, FakePush, World
from tests.fakes_admin import FakeEntries, FakeLetters, FakeOutbox, letter
from tests.rest import Rest


class Desk:
    """The composition root gets these fakes; there are two dead letters, the second one cut."""

    def __init__(self, rest: Rest, monkeypatch: pytest.MonkeyPatch) -> None:
        self.rest = rest
        self.world = World()
        self.entries = FakeEntries()
        self.outbox = FakeOutbox()
        self.letters = FakeLetters(letter(offset=9), letter(offset=10, truncated={"args": 10**6}))
        monkeypatch.setattr(bootstrap_admin, "audit_table", lambda: self.entries)
        monkeypatch.setattr(bootstrap_admin, "dead_letters_table", lambda: self.letters)
        monkeypatch.setattr(bootstrap, "outbox", lambda: self.outbox)
        monkeypatch.setattr(bootstrap, "connections_table", lambda: FakeConnections(self.world))
        monkeypatch.setattr(bootstrap, "pusher", lambda: FakePush(self.world))
