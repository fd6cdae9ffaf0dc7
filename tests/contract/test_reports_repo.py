from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import Report, ReportStatus, rfc3339
from chalicelib.repo.reports import ReportRepository
from tests.contract.conftest import Connect
from tests.fakes_integration import FakeReports

pytestmark = pytest.mark.req("IM-12")
Reports = ReportRepository | FakeReports


@pytest.fixture(params=["fake", "endpoint"])
def reports(request: pytest.FixtureRequest) -> Reports:
    if request.param == "fake":
        return FakeReports()
    return ReportRepository(request.getfixturevalue("tables"))


def report(number: int = 0, **more: object) -> Report:
    made = {"reporter_id": "ann", "user_id": "bob", "reason": "rude", **more}
    return Report(
        id=f"r{uuid4().hex[:19]}",
        created_at=rfc3339(1_800_000_000 + number),
        **made,  # type: ignore[arg-type]
    )


def eventually(read: Callable[[], list[str] | None]) -> list[str]:
    """An index follows its table a moment later."""
    deadline = time.monotonic() + 30
    while (found := read()) is None:
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found


def test_a_report_is_read_back_whole_and_added_once(reports: Reports) -> None:
    one = report(conversation_id="room", seq=7, message='{"content":"rude"}')

    assert reports.get(one.id) is None
    assert reports.add(one) == one
    assert reports.add(report()) != one
    assert reports.get(one.id) == one
    assert reports.add(replace(one, reason="other")) == one


def test_an_open_report_is_resolved_once(reports: Reports) -> None:
    one = reports.add(report())

    assert reports.resolve(one.id, by="mia", at="2026-11-21T08:00:00.000Z", note="warned")
    assert not reports.resolve(one.id, by="max", at="2026-11-21T09:00:00.000Z", note="")
    assert not reports.resolve("nobody", by="max", at="2026-11-21T09:00:00.000Z", note="")

    found = reports.get(one.id)
    assert found is not None
    assert (found.status, found.resolved_by, found.note) == (
        ReportStatus.RESOLVED,
        "mia",
        "warned",
    )


def test_reports_are_listed_by_status_the_oldest_first_page_by_page(reports: Reports) -> None:
    made = [reports.add(report(number - 10**6)) for number in range(5)]
    reports.resolve(made[2].id, by="mia", at="2026-11-21T08:00:00.000Z", note="")
    wanted = [one.id for at, one in enumerate(made) if at != 2]

    def listed() -> list[str] | None:
        ids: list[str] = []
        after = None
        while True:
            page, after = reports.page(ReportStatus.OPEN, after=after, limit=2)
            assert len(page) <= 2
            ids += [one.id for one in page if one.id in {m.id for m in made}]
            if after is None:
                return ids if len(ids) == len(wanted) else None

    assert eventually(listed) == wanted


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    reports = ReportRepository(connect())

    with pytest.raises(UnavailableError):
        reports.add(report())
    with pytest.raises(UnavailableError):
        reports.get("r1")
    with pytest.raises(UnavailableError):
        reports.page(ReportStatus.OPEN, after=None, limit=1)
