"""The tokens of password resets by e-mail, taken by MiniStack's SES."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime

import boto3
import pytest

from chalicelib.aws import Endpoint
from chalicelib.errors import UnavailableError
from chalicelib.logic.password_reset import ResetPolicy
from chalicelib.mail import SesSender
from chalicelib.models import User

NOW = datetime(2026, 11, 21, tzinfo=UTC)
ANN = User(
    id="uann",
    username="ann",
    password_hash="",
    created_at=NOW,
    updated_at=NOW,
    email="ann@example.com",
)


@pytest.fixture
def sender(endpoint: str) -> Iterator[SesSender]:
    ses = Endpoint("ses", endpoint, "us-east-1")
    yield SesSender(ses)
    ses.close()


POLICY = ResetPolicy(sender_address="chat@example.com", url="https://chat.example/#reset={token}")


def test_ses_takes_the_e_mail_once_the_operator_has_verified_the_address(
    sender: SesSender, endpoint: str
) -> None:
    with pytest.raises(UnavailableError, match="SES answered 400"):
        sender.send(ANN, "t0ken", POLICY)
    with contextlib.closing(boto3.client("sesv2", endpoint_url=endpoint)) as client:
        client.create_email_identity(EmailIdentity="chat@example.com")

    sender.send(ANN, "t0ken", POLICY)
    sender.send(replace(ANN, email=""), "t0ken", POLICY)

    with urllib.request.urlopen(f"{endpoint}/_ministack/ses/messages", timeout=10) as answer:
        ((message,),) = json.loads(answer.read())["messages"].values()
    assert message["Source"] == "chat@example.com"
    assert message["To"] == ["ann@example.com"]
    assert "https://chat.example/#reset=t0ken" in message["BodyText"]
    assert "password of ann." in message["BodyText"]
