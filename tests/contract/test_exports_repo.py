from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import Export, ExportStatus
from chalicelib.repo.exports import ExportRepository
from tests.contract.conftest import Connect
from tests.fakes_data import FakeExports

pytestmark = pytest.mark.req("IM-12")
Exports = ExportRepository | FakeExports


@pytest.fixture(params=["fake", "endpoint"])
def exports(request: pytest.FixtureRequest) -> Exports:
    if request.param == "fake":
        return FakeExports()
    return ExportRepository(request.getfixturevalue("tables"))


@pytest.fixture
def export() -> Export:
    return Export(
        id="e1",
        user_id=f"u{uuid4().hex[:19]}",
        started_at=1_800_000_000.25,
        changed_at=0.0,
        expires_at=1_900_000_000.5,
    )


def test_an_export_is_read_back_whole(exports: Exports, export: Export) -> None:
    whole = replace(
        export, upload_id="u", step=3, position='[1,"a",true]', is_read=True, parts=('"1"', '"2"')
    )

    assert exports.get(export.user_id) is None
    assert exports.replace(None, whole)
    assert exports.get(export.user_id) == whole


def test_of_two_that_begin_one_stands(exports: Exports, export: Export) -> None:
    assert exports.replace(None, export)

    assert not exports.replace(None, replace(export, id="e2"))
    assert exports.get(export.user_id) == export


@pytest.mark.parametrize(
    "moved",
    [{"id": "e2"}, {"step": 1}, {"status": ExportStatus.DONE}],
    ids=["begun anew", "a step further", "done"],
)
def test_one_that_has_moved_on_is_not_replaced(
    exports: Exports, export: Export, moved: dict[str, object]
) -> None:
    further = replace(export, **moved)  # type: ignore[arg-type]
    exports.replace(None, export)
    assert exports.replace(export, further)

    assert not exports.replace(export, replace(export, changed_at=5.0))
    assert exports.get(export.user_id) == further


def test_one_that_was_deleted_does_not_come_back(exports: Exports, export: Export) -> None:
    exports.replace(None, export)
    exports.delete(export.user_id)
    exports.delete(export.user_id)

    assert not exports.replace(export, replace(export, step=1))
    assert exports.get(export.user_id) is None


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, export: Export, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    exports = ExportRepository(connect())

    for call in (exports.get, exports.delete):
        with pytest.raises(UnavailableError):
            call(export.user_id)
    with pytest.raises(UnavailableError):
        exports.replace(None, export)
