from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.models import AuditEntry
from chalicelib.repo.audit_log import AuditLogRepository
from chalicelib.repo.dynamodb import encode_item, query_all, table
from tests.fakes_admin import FakeEntries

Entries = AuditLogRepository | FakeEntries


@pytest.fixture(params=["fake", "endpoint"])
def entries(request: pytest.FixtureRequest) -> Entries:
    if request.param == "fake":
        return FakeEntries()
    return AuditLogRepository(request.getfixturevalue("tables"), kept_days=400)


@pytest.fixture
def entry() -> AuditEntry:
    """In a month of its own."""
    month = f"{3000 + uuid4().int % 5000}-{1 + uuid4().int % 12:02d}"
    return AuditEntry(
        id="e1",
        at=f"{month}-15T08:00:00.000Z",
        actor="uadmin",
        action="ban",
        target="u1",
        trace_id="abc",
        result="started",
        details={"reason": "Zoë’s 📱"},
    )


def test_an_entry_is_one_item_whatever_its_result(entries: Entries, entry: AuditEntry) -> None:
    entries.put(entry)
    entries.put(replace(entry, result="done"))

    assert entries.page(entry.at[:7], before=None, limit=10) == [replace(entry, result="done")]


def test_entries_are_read_the_newest_first_and_page_by_page(
    entries: Entries, entry: AuditEntry
) -> None:
    month = entry.at[:7]
    stored = [
        replace(entry, id=f"e{day % 2}", at=f"{month}-{day // 2 + 1:02d}T08:00:00.000Z")
        for day in range(6)
    ]
    for one in stored:
        entries.put(one)

    found: list[AuditEntry] = []
    before = None
    while page := entries.page(month, before=before, limit=4):
        found.extend(page)
        before = f"{page[-1].at}#{page[-1].id}"

    assert found == stored[::-1]


def test_other_months_are_left_out(entries: Entries, entry: AuditEntry) -> None:
    entries.put(entry)

    assert entries.page("2999-12", before=None, limit=10) == []


def test_an_entry_expires(tables: JsonService, entry: AuditEntry) -> None:
    AuditLogRepository(tables, kept_days=2).put(replace(entry, at="2026-11-21T08:00:00.000Z"))

    items = query_all(
        tables,
        TableName=table("audit-log"),
        KeyConditionExpression="#month = :month",
        ExpressionAttributeNames={"#month": "month"},
        ExpressionAttributeValues=encode_item({":month": "2026-11"}),
    )
    assert [item["ttl"] for item in items] == [1_795_248_000 + 2 * 24 * 3600]
