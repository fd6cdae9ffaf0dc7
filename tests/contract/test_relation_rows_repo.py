from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.models import FriendRequest, RelationRow, RequestStatus
from chalicelib.repo.connections import ConnectionRepository
from chalicelib.repo.relation_rows import RelationRowRepository
from chalicelib.repo.relations import RelationRepository
from tests.contract.conftest import Connect
from tests.fakes_accounts import Clock
from tests.fakes_data import FakeRelationRows
from tests.fakes_relations import FakeRelations

pytestmark = pytest.mark.req("IM-12")


class Kept:
    """Ann's friends, blocks and requests, and her rows of them."""

    def __init__(self, request: pytest.FixtureRequest) -> None:
        self.ann, self.bob, self.cat = (f"u{uuid4().hex[:19]}" for _ in range(3))
        self.relations: FakeRelations | RelationRepository
        self.rows: FakeRelationRows | RelationRowRepository
        if request.param == "fake":
            self.relations = FakeRelations(Clock())
            self.rows = FakeRelationRows(self.relations)
        else:
            store = request.getfixturevalue("tables")
            self.relations = RelationRepository(store)
            self.rows = RelationRowRepository(store)

    def change(self, other: str, *requests: FriendRequest, **members: object) -> None:
        old = self.relations.get(self.ann, other)
        assert self.relations.replace(old, replace(old, **members), requests)  # type: ignore[arg-type]

    def request(self, sender: str, receiver: str) -> FriendRequest:
        return FriendRequest(
            id=uuid4().hex,
            sender_id=sender,
            receiver_id=receiver,
            created_at="2026-01-01T00:00:00.000Z",
            updated_at="",
            status=RequestStatus.REJECTED,
        )


@pytest.fixture(params=["fake", "endpoint"])
def kept(request: pytest.FixtureRequest) -> Kept:
    return Kept(request)


def test_every_row_of_a_user_is_found_and_nobody_elses(kept: Kept) -> None:
    received, sent = kept.request(kept.bob, kept.ann), kept.request(kept.ann, kept.cat)
    kept.change(kept.bob, received, friends=True, blocked_by=frozenset({kept.ann, kept.bob}))
    kept.change(kept.cat, sent)

    found = kept.rows.some(kept.ann, 10)

    def row(kind: str, other: str, key: str) -> RelationRow:
        return RelationRow(user_id=kept.ann, other_id=other, kind=kind, id=key)

    assert sorted(found, key=lambda one: one.kind) == [
        row("block", kept.bob, kept.bob),
        row("friend", kept.bob, kept.bob),
        row("received", kept.bob, received.id),
        row("sent", kept.cat, sent.id),
    ]
    assert kept.rows.some(f"{kept.ann}x", 10) == []


def test_a_removed_row_is_gone_for_both_but_a_block_of_the_other_one_stays(kept: Kept) -> None:
    both = frozenset({kept.ann, kept.bob})
    kept.change(kept.bob, kept.request(kept.bob, kept.ann), friends=True, blocked_by=both)
    kept.change(kept.cat, kept.request(kept.ann, kept.cat))

    kept.rows.remove(kept.rows.some(kept.ann, 10))
    kept.rows.remove([])

    assert kept.rows.some(kept.ann, 10) == []
    assert [one.kind for one in kept.rows.some(kept.bob, 10)] == ["block"]
    assert kept.rows.some(kept.cat, 10) == []


def test_no_more_rows_are_listed_than_asked_for(kept: Kept) -> None:
    for number in range(3):
        kept.change(f"{kept.bob}{number}", friends=True)

    found = kept.rows.some(kept.ann, 2)
    kept.rows.remove(found)

    assert len(found) == 2
    assert len(kept.rows.some(kept.ann, 2)) == 1


@pytest.mark.parametrize("kept", ["endpoint"], indirect=True)
def test_who_was_deleted_is_nobody_to_write_to(kept: Kept, connect: Connect) -> None:
    registry = ConnectionRepository(connect())
    registry.open_user(kept.bob, 0)
    assert kept.relations.correspondent(kept.ann, kept.bob) is not None

    registry.close_user(kept.bob)

    assert kept.relations.correspondent(kept.ann, kept.bob) is None
