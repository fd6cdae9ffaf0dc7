from __future__ import annotations

from uuid import uuid4

import pytest

from chalicelib.aws import JsonService
from chalicelib.errors import UnavailableError
from chalicelib.models import FOREVER, ConversationSettings
from chalicelib.repo.settings import SettingsRepository
from tests.fakes import World
from tests.fakes_presence import FakeSettings

pytestmark = pytest.mark.req("IM-12")
Settings = SettingsRepository | FakeSettings
ROOM = "d-ann-bob"


@pytest.fixture(params=["fake", "endpoint"])
def settings(request: pytest.FixtureRequest) -> Settings:
    if request.param == "fake":
        return FakeSettings(World())
    return SettingsRepository(request.getfixturevalue("tables"))


@pytest.fixture
def user() -> str:
    return f"u{uuid4().hex[:19]}"


def test_where_none_were_made_there_are_none(settings: Settings, user: str) -> None:
    assert settings.get([(user, ROOM)]) == {}
    assert settings.of_user(user) == {}


def test_a_change_leaves_the_other_members_alone(settings: Settings, user: str) -> None:
    first = settings.change(user, ROOM, {"muted_until": FOREVER, "pinned": True})
    second = settings.change(user, ROOM, {"pinned": False, "draft": "Tea?", "draft_at": "now"})

    assert first == ConversationSettings(conversation_id=ROOM, muted_until=FOREVER, pinned=True)
    expected = ConversationSettings(
        conversation_id=ROOM, muted_until=FOREVER, draft="Tea?", draft_at="now"
    )
    assert second == expected
    assert settings.get([(user, ROOM), (user, ROOM)]) == {(user, ROOM): expected}


def test_every_user_and_conversation_has_its_own(settings: Settings, user: str) -> None:
    settings.change(user, ROOM, {"hidden_seq": 3})
    settings.change(user, "world", {"pinned": True})
    settings.change(f"{user}b", ROOM, {"pinned": True})

    assert settings.of_user(user) == {
        ROOM: ConversationSettings(conversation_id=ROOM, hidden_seq=3),
        "world": ConversationSettings(conversation_id="world", pinned=True),
    }
    assert settings.get([(user, "world"), (f"{user}c", ROOM)]).keys() == {(user, "world")}


def test_removed_settings_are_gone_and_the_others_stay(settings: Settings, user: str) -> None:
    for one in (ROOM, "world"):
        settings.change(user, one, {"pinned": True})

    settings.remove(user, [ROOM, "g-none"])
    settings.remove(user, [])

    assert settings.of_user(user).keys() == {"world"}


def test_a_store_that_refuses_is_unavailable(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    settings = SettingsRepository(tables)

    with pytest.raises(UnavailableError):
        settings.get([("u", ROOM)])
    with pytest.raises(UnavailableError):
        settings.of_user("u")
    with pytest.raises(UnavailableError):
        settings.change("u", ROOM, {"pinned": True})
