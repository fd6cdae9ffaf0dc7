from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.logic.relations import Change, change
from chalicelib.models import Relation
from tests.fakes_accounts import Clock
from tests.fakes_relations import FakeRelations


@pytest.fixture
def relations() -> FakeRelations:
    return FakeRelations(Clock(), "ann", "bob")


def befriend(old: Relation) -> Change:
    return replace(old, friends=True), ()


def test_a_change_is_decided_on_how_the_two_stand(relations: FakeRelations) -> None:
    assert change(relations, "bob", "ann", befriend)

    assert relations.get("ann", "bob") == Relation(users=("ann", "bob"), version=1, friends=True)


def test_a_decision_to_change_nothing_writes_nothing(relations: FakeRelations) -> None:
    assert not change(relations, "ann", "bob", lambda _: None)

    assert relations.pairs == {}


def test_who_was_slower_decides_anew_on_what_the_faster_one_did(relations: FakeRelations) -> None:
    def faster() -> None:
        relations.step = lambda: None
        change(relations, "ann", "bob", befriend)

    seen: list[bool] = []

    def decide(old: Relation) -> Change | None:
        seen.append(old.friends)
        return None if old.friends else befriend(old)

    relations.step = faster

    assert not change(relations, "ann", "bob", decide)
    assert seen == [False, True]
    assert relations.get("ann", "bob").version == 1


def test_who_is_always_slower_gives_up_and_may_try_again(relations: FakeRelations) -> None:
    def faster() -> None:
        old = relations.get("ann", "bob")
        relations.pairs["ann", "bob"] = replace(old, version=old.version + 1)

    relations.step = faster

    with pytest.raises(UnavailableError):
        change(relations, "ann", "bob", befriend)
    assert relations.get("ann", "bob").version == 10
