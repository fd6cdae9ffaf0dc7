from __future__ import annotations

from uuid import uuid4

from chalicelib.aws import JsonService
from chalicelib.repo.sweeps import SweepRepository


def test_a_position_is_moved_only_from_where_it_is(tables: JsonService) -> None:
    sweeps, name = SweepRepository(tables), uuid4().hex

    assert sweeps.position(name) is None
    assert sweeps.move(name, None, "a")
    assert not sweeps.move(name, None, "b")
    assert not sweeps.move(name, "z", "b")
    assert sweeps.position(name) == "a"
    assert sweeps.move(name, "a", None)
    assert sweeps.position(name) is None
    assert sweeps.move(name, None, "c")
