from __future__ import annotations

import pytest

from chalicelib.aws import JsonService
from chalicelib.repo.delayed import DelayedRepository


@pytest.mark.req("APP-14")
def test_records_come_when_they_are_due_the_earliest_first_and_go_when_removed(
    tables: JsonService,
) -> None:
    delayed = DelayedRepository(tables)
    for number in range(10):
        delayed.put(b"%d" % number, due=1000.0 + number)

    assert [record for _, record in delayed.due(999.999)] == []
    due = delayed.due(1004.0)
    assert [record for _, record in due] == [b"0", b"1", b"2", b"3", b"4"]

    delayed.remove([one for one, _ in due])
    assert [record for _, record in delayed.due(2000.0)] == [b"5", b"6", b"7", b"8", b"9"]
    delayed.remove([one for one, _ in delayed.due(2000.0)])
    assert delayed.due(2000.0) == []
