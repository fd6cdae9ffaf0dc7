from __future__ import annotations

import pytest

from chalicelib.errors import UnauthorizedError
from chalicelib.logic.bot_tokens import BotTokens, session_of, token_of
from chalicelib.logic.issuers import StandingSessions
from chalicelib.logic.provisioning_keys import digest_of
from chalicelib.logic.tokens import Authenticator
from chalicelib.models import Ban
from tests.fakes_accounts import Clock, FakeSessions
from tests.fakes_admin import FakeBans
from tests.fakes_integration import FakeBots, bot


class Desk:
    def __init__(self) -> None:
        clock = Clock()
        self.bots, self.bans, self.gone = FakeBots(), FakeBans(clock), set[str]()
        self.sessions = FakeSessions(clock)
        self.tokens = BotTokens(self.bots, self.bans, lambda user_id: user_id not in self.gone)
        self.bot = bot("b1", token_digest=digest_of("se_cret"))
        self.bots.put(self.bot, new=True)

    def ban(self) -> None:
        self.bans.put(Ban(user_id="b1", banned_by="boss", banned_at=0.0))


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_a_token_speaks_for_its_bot(desk: Desk) -> None:
    who = desk.tokens.authenticate(token_of("b1", "se_cret"))

    assert (who.user_id, who.device_id, who.roles) == ("b1", "bot", ("bot",))
    assert desk.tokens.stands("b1", who.session_id)


@pytest.mark.parametrize("token", ["lb_", "lb_b1", "lb_b1_", "lb_b1_wrong", "lb_b2_se_cret"])
def test_a_wrong_token_is_refused(desk: Desk, token: str) -> None:
    with pytest.raises(UnauthorizedError):
        desk.tokens.authenticate(token)


def test_a_banned_bot_and_one_without_an_account_are_refused(desk: Desk) -> None:
    desk.gone.add("b1")
    with pytest.raises(UnauthorizedError, match="gone"):
        desk.tokens.authenticate(token_of("b1", "se_cret"))

    desk.gone.clear()
    desk.ban()
    with pytest.raises(UnauthorizedError, match="banned"):
        desk.tokens.authenticate(token_of("b1", "se_cret"))


def test_a_connection_stands_until_another_token_a_ban_or_the_end(desk: Desk) -> None:
    session_id = session_of(desk.bot)
    standing = StandingSessions(desk.sessions, desk.bans, lambda: desk.tokens)
    assert standing.stands("b1", "bot", session_id)

    desk.bots.put(bot("b1", token_digest=digest_of("other")), new=False)
    assert not standing.stands("b1", "bot", session_id)
    assert standing.stands("b1", "bot", session_of(desk.bots.rows["b1"]))

    desk.ban()
    assert not standing.stands("b1", "bot", session_of(desk.bots.rows["b1"]))
    desk.bots.delete("b1")
    assert not standing.stands("b1", "bot", session_id)


def test_without_bots_their_tokens_are_as_wrong_as_any(desk: Desk) -> None:
    class Verifier:
        issuer = "here"

        def verify(self, _token: str) -> object:
            raise UnauthorizedError("the access token is not valid")

    authenticator = Authenticator(Verifier(), desk.sessions)  # type: ignore[arg-type]

    with pytest.raises(UnauthorizedError, match="access token"):
        authenticator.authenticate(token_of("b1", "se_cret"))
