from __future__ import annotations

from datetime import UTC, datetime
from uuid import uuid4

from chalicelib.aws import JsonService
from chalicelib.models import Connection, User
from chalicelib.repo.connections import ConnectionRepository
from chalicelib.repo.dead_letters import DeadLetterRepository
from chalicelib.repo.totals import TotalsRepository
from chalicelib.repo.users import UserRepository

NOW = 1_800_000_000.0


def test_accounts_are_counted_with_their_names_left_out(tables: JsonService) -> None:
    totals, users = TotalsRepository(tables), UserRepository(tables)
    before, at = totals.accounts(), datetime.now(UTC)

    for _ in range(3):
        name = uuid4().hex
        user = User(id=name, username=name, password_hash="", created_at=at, updated_at=at)
        assert users.create(user)

    assert totals.accounts() == before + 3


def test_live_connections_are_counted_in_all_shards(tables: JsonService) -> None:
    totals = TotalsRepository(tables, clock=lambda: NOW)
    before = totals.connections()
    repository = ConnectionRepository(tables, clock=lambda: NOW)

    for number in range(12):
        connection_id = uuid4().hex
        repository.add(
            Connection(
                id=connection_id,
                user_id=f"u{connection_id}",
                device_id="d",
                session_id="s",
                connected_at=NOW - 60,
                expires_at=NOW + 60 if number else NOW,
            )
        )

    assert totals.connections() == before + 11


def test_dead_letters_are_counted_to_10_mb(tables: JsonService) -> None:
    totals, letters = TotalsRepository(tables), DeadLetterRepository(tables)
    topic, large = uuid4().hex, uuid4().hex
    for offset in range(3):
        letters.park(source=f"{topic}-0", offset=offset, raw=b"{", error="no", details={})
    for offset in range(60):
        letters.park(source=f"{large}-0", offset=offset, raw=b"x" * 200_000, error="", details={})

    assert totals.dead_letters(topic) == (3, True)
    assert totals.dead_letters(uuid4().hex) == (0, True)
    count, complete = totals.dead_letters(large)
    assert 40 <= count < 60
    assert not complete
