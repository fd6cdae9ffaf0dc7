from __future__ import annotations

from typing import Any

import pytest

from chalicelib.change_frames import DraftOptions, Source
from chalicelib.errors import (
    ForbiddenError,
    IMError,
    InvalidFieldError,
    MessageNotFoundError,
    NotMemberError,
)
from chalicelib.logic.policies import MessagePolicy
from chalicelib.models import WORLD, direct_id, rfc3339
from tests.fakes import FakeLog
from tests.fakes_changes import options
from tests.unit.test_changes import GROUP, ROOM, Changes

NOW = rfc3339(1_700_000_000)


def members(on: Changes, room: str = ROOM, user: str = "bob", **given: Any) -> dict[str, Any]:
    return options(on.world).members(user, room, DraftOptions(**given), NOW)


def test_a_reply_refers_to_its_message_without_the_content() -> None:
    on = Changes()

    found = members(on, reply_to=1)

    assert found["reply_to"].keys() == {"seq", "id", "sender_id"}
    assert (found["reply_to"]["seq"], found["reply_to"]["sender_id"]) == (1, "ann")


def test_a_message_that_lasts_for_a_time_has_its_end() -> None:
    assert members(Changes(), expires_in=60) == {"expires_at": rfc3339(1_700_000_060)}


def test_a_forwarded_message_has_the_content_and_says_who_wrote_it() -> None:
    on = Changes(GROUP)

    found = members(on, direct_id("bob", "cat"), forward_of=Source(conversation_id=GROUP, seq=1))

    created_at = rfc3339(on.world.now - 60)
    assert found == {
        "type": "text",
        "content": "1",
        "forwarded_from": {"sender_id": "ann", "created_at": created_at},
    }


def test_what_is_forwarded_again_says_who_wrote_it_first() -> None:
    on = Changes()
    origin = {"sender_id": "cat", "created_at": NOW}
    on.say("ann", 3, forwarded_from=origin)

    found = members(on, forward_of=Source(conversation_id=ROOM, seq=3))

    assert found["forwarded_from"] == origin


@pytest.mark.parametrize(
    ("room", "mentions"),
    [(GROUP, ("ann", "owen")), (ROOM, ("ann",)), (ROOM, ("all",)), (WORLD, ("cat",))],
)
def test_who_may_read_it_may_be_mentioned(room: str, mentions: tuple[str, ...]) -> None:
    assert members(Changes(), room, mentions=mentions) == {"mentions": list(mentions)}


@pytest.mark.parametrize(
    ("given", "room", "error"),
    [
        ({"reply_to": 9}, ROOM, InvalidFieldError),
        ({"mentions": ("cat",)}, ROOM, InvalidFieldError),
        ({"mentions": ("ann", "cat")}, GROUP, InvalidFieldError),
        ({"mentions": ("nobody",)}, WORLD, InvalidFieldError),
        ({"mentions": ("all",)}, WORLD, ForbiddenError),
        ({"mentions": ("all",)}, GROUP, ForbiddenError),
        ({"forward_of": Source(conversation_id=ROOM, seq=9)}, ROOM, MessageNotFoundError),
        ({"forward_of": Source(conversation_id="d-ann-cat", seq=1)}, ROOM, NotMemberError),
    ],
)
def test_what_is_not_of_this_conversation_is_refused(
    given: dict[str, Any], room: str, error: type[IMError]
) -> None:
    with pytest.raises(error):
        members(Changes(), room, **given)


def test_nothing_is_made_of_what_was_recalled_or_is_of_the_system() -> None:
    on = Changes()
    segment = FakeLog(on.world).containing(ROOM, 1)
    assert segment is not None
    FakeLog(on.world).blank(segment, (1,), {"recalled": True})
    on.say("ann", 3, type="system")

    with pytest.raises(InvalidFieldError):
        members(on, reply_to=1)
    for seq in (1, 3):
        with pytest.raises(MessageNotFoundError):
            members(on, forward_of=Source(conversation_id=ROOM, seq=seq))


def test_owner_and_policy_let_everybody_be_mentioned() -> None:
    on = Changes()
    everybody = DraftOptions(mentions=("all",))
    policy = MessagePolicy(members_may_mention_all=True)

    assert members(on, GROUP, "owen", mentions=("all",)) == {"mentions": ["all"]}
    found = options(on.world, policy).members("bob", GROUP, everybody, NOW)
    assert found == {"mentions": ["all"]}
