"""Delivers the tokens of password resets: through Amazon SES, or locally into the log."""

from __future__ import annotations

import json
import logging
from typing import Protocol

from chalicelib.aws import Endpoint, Request
from chalicelib.errors import UnavailableError
from chalicelib.models import User

logger = logging.getLogger(__name__)

_PATH = "/v2/email/outbound-emails"
_SUBJECT = "Reset your password"
_TEXT = (
    "Somebody asked to reset the password of {username}.\n\n"
    "Open this address within half an hour to choose another one:\n{link}\n\n"
    "If it was not you, ignore this message: nothing has changed.\n"
)


class Policy(Protocol):
    """Whom an e-mail is from, and where its link leads."""

    @property
    def sender_address(self) -> str: ...
    def link(self, token: str) -> str: ...


class LogSender:
    """Writes the token into the log: the one secret that may stand there, on a laptop.

    Raises:
        ValueError: This is not the stage ``local``.
    """

    def __init__(self, stage: str) -> None:
        if stage != "local":
            raise ValueError("tokens go into the log in the stage local only")

    def send(self, user: User, token: str, _policy: Policy) -> None:
        """Logs it."""
        logger.warning("password reset", extra={"username": user.username, "token": token})


class SesSender:
    """Sends an e-mail, to users who gave an address.

    Args:
        endpoint: SES, https://docs.aws.amazon.com/ses/latest/APIReference-V2/API_SendEmail.html.
    """

    def __init__(self, endpoint: Endpoint) -> None:
        self._endpoint = endpoint

    def send(self, user: User, token: str, policy: Policy) -> None:
        """Sends it.

        Raises:
            UnavailableError: SES did not take it.
        """
        if not user.email:
            return
        text = _TEXT.format(username=user.username, link=policy.link(token))
        body = {
            "FromEmailAddress": policy.sender_address,
            "Destination": {"ToAddresses": [user.email]},
            "Content": {
                "Simple": {"Subject": {"Data": _SUBJECT}, "Body": {"Text": {"Data": text}}}
            },
        }
        headers = {"content-type": "application/json"}
        answer = self._endpoint.request(Request("POST", _PATH, json.dumps(body).encode(), headers))
        if answer.status != 200:
            raise UnavailableError(f"SES answered {answer.status}")
