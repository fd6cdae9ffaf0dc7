"""Two devices of one user read at the same time, while others write."""

from __future__ import annotations

from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.context import Context
from chalicelib.models import WORLD, AckStatus
from tests.unit.test_acks import service, unread_of, world_with
from tests.unit.test_delivery import ROOM, record, writer
from tests.unit.test_races import interrupt

READS = st.tuples(st.sampled_from(["ann", "bob"]), st.integers(0, 12), st.sampled_from(AckStatus))
STEP = tuple[str, tuple[str, int, AckStatus], tuple[str, int, AckStatus], int, str]
STEPS = st.lists(
    st.tuples(
        st.sampled_from(["ann", "bob"]),  # who writes a message
        READS,  # then one device acknowledges,
        READS,  # and another one at some step of that,
        st.integers(0, 5),
        st.sampled_from(["read", "send"]),  # or a message comes at it
    ),
    max_size=8,
)


@pytest.mark.req("IM-5", "APP-13", "APP-16")
@settings(max_examples=300, deadline=None)
@given(room=st.sampled_from([ROOM, WORLD]), steps=STEPS)
def test_unread_counts_after_concurrent_reads_are_what_a_naive_count_says(
    room: str, steps: list[STEP]
) -> None:
    world = world_with()
    senders: list[str] = []
    read = {"ann": 0, "bob": 0}

    def send(user: str) -> None:
        senders.append(user)
        place = len(senders) - 1
        writer(world).deliver([record(place, place, sender=user, room=room)])

    def ack(user: str, seq: int, status: AckStatus) -> None:
        before = len(senders)
        reached = service(world).ack(Context(), user, room, seq, status)
        assert reached >= min(seq, before)
        if status is AckStatus.READ:
            read[user] = max(read[user], reached)

    for writer_id, first, second, at, meanwhile in steps:
        send(writer_id)
        other = partial(ack, *second) if meanwhile == "read" else partial(send, second[0])
        finish = interrupt(world, at, other)
        ack(*first)
        finish()

        for user, after in read.items():
            naive = sum(sender != user for sender in senders[after:])
            assert unread_of(world, user, room) == naive
