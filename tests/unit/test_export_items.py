from __future__ import annotations

from chalicelib.logic import export_items as items
from chalicelib.models import ConversationMember, Session, direct_id
from tests.fakes_data import new_user
from tests.fakes_push import device


def test_no_hash_and_no_endpoint_is_in_it() -> None:
    session = Session(
        id="s", user_id="ann", device_id="phone", refresh_hash="a hash", created_at=1.0,
        used_at=2.0, expires_at=3.0,
    )  # fmt: skip

    made = [
        items.profile(new_user("ann")),
        items.session(session),
        items.push_device(device("ann")),
    ]

    assert made[0].keys().isdisjoint({"password_hash", "email"})
    assert made[1].keys() == {
        "device_id", "device_name", "created_at", "last_used_at", "expires_at",
    }  # fmt: skip
    assert made[2].keys() == {"device_id", "platform", "registered_at"}


def test_a_direct_conversation_says_with_whom() -> None:
    row = ConversationMember(conversation_id=direct_id("ann", "bob"), user_id="ann", read_seq=3)

    made = items.conversation(row)

    assert (made["user_id"], made["read_seq"], made["role"]) == ("bob", 3, "member")
    group = ConversationMember(conversation_id="g-1", user_id="ann")
    assert "user_id" not in items.conversation(group)
