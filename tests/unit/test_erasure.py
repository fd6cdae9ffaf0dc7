from __future__ import annotations

import pytest

from chalicelib.context import Context
from chalicelib.errors import ConflictError, UnavailableError
from chalicelib.logic.erasure import PAGE
from chalicelib.logic.friends import FriendService
from chalicelib.logic.tokens import Identity
from chalicelib.models import (
    ConversationMember,
    Export,
    LinkedIdentity,
    Session,
    direct_id,
)
from tests.fakes_data import Household
from tests.fakes_presence import FakeSettings
from tests.fakes_push import device

ANN = Identity(user_id="ann", device_id="phone", session_id="s1", roles=())
pytestmark = pytest.mark.req("TASK-6")


@pytest.fixture
def home() -> Household:
    """Ann and her friends."""
    made = Household("ann", "bob", "cat", "eve")
    made.sessions.put(
        Session(
            id="s1", user_id="ann", device_id="phone", refresh_hash="", created_at=0.0,
            used_at=0.0, expires_at=made.clock.now + 100,
        )
    )  # fmt: skip
    return made


def erase(home: Household) -> None:
    """All steps."""
    home.erasure.close("ann")
    while home.erasure.erase_relations("ann"):
        pass
    while home.erasure.erase_conversations("ann"):
        pass
    home.erasure.erase_exports("ann")


def friends(home: Household) -> FriendService:
    return FriendService(
        relations=home.relations, directory=home.relations, tell=lambda *_: None, clock=home.clock
    )


def befriend(home: Household, one: str, other: str) -> None:
    friends(home).request(one, other, "", request_id=f"{one}-{other}")
    friends(home).accept(other, f"{one}-{other}")


def test_an_account_is_closed_at_once(home: Household) -> None:
    home.identities.claim(LinkedIdentity(issuer="https://id", subject="a", user_id="ann"))
    for user_id in ("ann", "bob"):
        home.push_tokens.put(device(user_id))

    home.erasure.begin(Context(), ANN)

    assert home.users.get("ann") is None
    assert home.identities.rows == {}
    assert "deleted_at" in home.world.users["ann"]
    assert home.sessions.of_user("ann") == []
    assert home.presence.closed == [("ann", None)]
    assert home.push_tokens.rows.keys() == {"bob"}
    assert home.enqueued == ["ann"]


def test_while_kafka_is_away_nothing_happens(home: Household) -> None:
    home.is_away = True

    with pytest.raises(UnavailableError):
        home.erasure.begin(Context(), ANN)

    assert home.users.get("ann") is not None
    assert home.sessions.of_user("ann") != []


def test_an_administrator_cannot_go(home: Household) -> None:
    admin = Identity(user_id="ann", device_id="phone", session_id="s1", roles=("admin",))

    with pytest.raises(ConflictError):
        home.erasure.begin(Context(), admin)

    assert home.enqueued == []


def test_friendships_end_for_both_and_friends_are_told(home: Household) -> None:
    befriend(home, "ann", "bob")
    befriend(home, "cat", "ann")
    befriend(home, "bob", "cat")

    erase(home)

    assert set(home.relations.friend_rows) == {("bob", "cat"), ("cat", "bob")}
    assert home.notices.events("bob") == home.notices.events("cat") == ["friend.deleted"]
    assert not home.relations.get("ann", "bob").friends


def test_requests_are_gone_on_both_sides_answered_or_not(home: Household) -> None:
    befriend(home, "ann", "bob")
    friends(home).request("ann", "cat", "hello", request_id="r1")
    friends(home).request("eve", "ann", "hello", request_id="r2")

    erase(home)

    assert home.relations.kept == {}
    assert home.relations.get("ann", "cat").requests == {}


def test_a_block_by_the_user_ends_and_one_of_the_user_stays(home: Household) -> None:
    home.block("ann", "eve")
    home.block("bob", "ann")

    erase(home)

    assert set(home.relations.block_rows) == {("bob", "ann")}
    assert home.relations.get("ann", "bob").blocked_by == {"bob"}
    assert home.relations.get("ann", "eve").blocked_by == frozenset()


def test_a_row_that_no_relation_knows_is_removed_too(home: Household) -> None:
    befriend(home, "ann", "bob")
    home.relations.pairs.clear()

    erase(home)

    assert home.relations.friend_rows == {}
    assert home.notices.told == []


def test_places_and_pointers_are_gone_and_the_others_stay(home: Household) -> None:
    room = direct_id("ann", "bob")
    rows = [ConversationMember(conversation_id=room, user_id=user) for user in ("ann", "bob")]
    home.members.add(rows)
    home.pointers.mark({("ann", room): 1, ("ann", "d-ann-cat"): 2, ("bob", room): 3})

    erase(home)

    assert set(home.world.members) == {(room, "bob")}
    assert home.world.pointers == {("bob", room): 3}


def test_a_step_does_a_page_and_says_that_there_is_more(home: Household) -> None:
    for number in range(PAGE + 1):
        home.members.add([ConversationMember(conversation_id=f"d{number:03}", user_id="ann")])
        home.block("ann", f"u{number:03}")

    results = [
        [step("ann") for _ in range(3)]
        for step in (home.erasure.erase_relations, home.erasure.erase_conversations)
    ]

    assert results == [[True, True, False]] * 2
    assert home.world.members == {}
    assert home.relations.block_rows == {}


def test_settings_and_drafts_are_gone(home: Household) -> None:
    settings = FakeSettings(home.world)
    for user in ("ann", "bob"):
        settings.change(user, "world", {"draft": "Tea?"})

    erase(home)

    assert list(home.world.settings) == [("bob", "world")]


def test_exports_are_gone(home: Household) -> None:
    home.exports.rows["ann"] = Export(
        id="a", user_id="ann", started_at=0.0, changed_at=0.0, expires_at=1.0
    )
    home.files.put("ann/a.json", b"{}")
    home.files.put("anna/a.json", b"{}")

    erase(home)

    assert home.exports.rows == {}
    assert set(home.files.objects) == {"anna/a.json"}


def test_the_name_stays_taken(home: Household) -> None:
    user = home.users.rows["ann"]

    erase(home)

    assert home.users.by_name("ann") is None
    assert not home.users.create(user)


def test_everything_may_be_repeated(home: Household) -> None:
    befriend(home, "ann", "bob")
    erase(home)

    erase(home)

    assert home.notices.events("bob") == ["friend.deleted"]
    assert home.users.deleted == {"ann": "ann"}
