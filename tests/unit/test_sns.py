"""What becomes of SNS's answers, as its API documents them."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import parse_qs

import pytest

from chalicelib.aws import Endpoint, Request, Response
from chalicelib.errors import InvalidFieldError, UnavailableError
from chalicelib.models import PushNote, PushResult
from chalicelib.sns import PlatformEndpoints

APPLICATION = "arn:aws:sns:eu-west-1:123456789012:app/GCM/chat"
ENDPOINT = "arn:aws:sns:eu-west-1:123456789012:endpoint/GCM/chat/7c1e"
NOTE = PushNote(endpoint=ENDPOINT, message='{"default":"a & b"}', collapse_id="d-a-b")


def error(code: str, message: str = "", status: int = 400) -> Response:
    body = (
        '<ErrorResponse xmlns="http://sns.amazonaws.com/doc/2010-03-31/">\n  <Error>\n'
        f"    <Type>Sender</Type>\n    <Code>{code}</Code>\n    <Message>{message}</Message>\n"
        "  </Error>\n  <RequestId>r</RequestId>\n</ErrorResponse>"
    )
    return Response(status, {}, body.encode())


def ok(body: str = "") -> Response:
    return Response(200, {}, body.encode())


class Sns:
    """Gives these answers, in this order."""

    def __init__(self, *answers: Response) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, str]] = []
        self.endpoints = PlatformEndpoints(cast(Endpoint, self))

    def request(self, request: Request) -> Response:
        return self.request_all([request])[0]

    def request_all(self, requests: list[Request]) -> list[Response]:
        for one in requests:
            form: dict[str, Any] = parse_qs(one.body.decode())
            self.asked.append({name: values[0] for name, values in form.items()})
        return [self.answers.pop(0) for _ in requests]


def test_a_notification_is_published_to_one_device_with_its_collapse_id() -> None:
    sns = Sns(ok("<PublishResponse/>"))

    assert sns.endpoints.publish([NOTE]) == [PushResult.SENT]
    (asked,) = sns.asked
    assert (asked["Action"], asked["TargetArn"]) == ("Publish", ENDPOINT)
    assert (asked["Message"], asked["MessageStructure"]) == (NOTE.message, "json")
    assert asked["MessageAttributes.entry.1.Name"] == "AWS.SNS.MOBILE.APNS.COLLAPSE_ID"
    assert asked["MessageAttributes.entry.1.Value.StringValue"] == "d-a-b"


@pytest.mark.parametrize(
    ("answer", "result"),
    [
        (error("EndpointDisabled", "Endpoint is disabled"), PushResult.GONE),
        (error("NotFound", "Endpoint does not exist", 404), PushResult.GONE),
        (
            error("InvalidParameter", "TargetArn Reason: No endpoint found for the target arn"),
            PushResult.GONE,
        ),
        (error("InvalidParameter", "Invalid parameter: Message too long"), PushResult.FAILED),
        (error("PlatformApplicationDisabled", status=400), PushResult.FAILED),
        (error("Throttled", status=429), PushResult.FAILED),
        (error("InternalError", status=500), PushResult.FAILED),
        (Response(0, {}, b"no connection"), PushResult.FAILED),
    ],
)
def test_only_an_endpoint_that_is_no_more_is_gone(answer: Response, result: PushResult) -> None:
    sns = Sns(ok(), answer)

    assert sns.endpoints.publish([NOTE, NOTE]) == [PushResult.SENT, result]


def test_a_token_that_somebody_had_says_whose_it_was() -> None:
    exists = (
        f"Invalid parameter: Token Reason: Endpoint {ENDPOINT} already exists with the same Token,"
        " but different attributes."
    )
    attributes = (
        "<Attributes><entry><key>Enabled</key><value>false</value></entry>\n<entry>\n"
        "<key>CustomUserData</key>\n<value>ann a&amp;b</value></entry></Attributes>"
    )
    sns = Sns(error("InvalidParameter", exists), ok(attributes))

    assert sns.endpoints.create(APPLICATION, "token", "bob phone") == (ENDPOINT, "ann a&b")
    assert [one["Action"] for one in sns.asked] == [
        "CreatePlatformEndpoint",
        "GetEndpointAttributes",
    ]


def test_one_that_was_nobody_s_has_no_owner() -> None:
    exists = f"Endpoint {ENDPOINT} already exists with the same Token"
    sns = Sns(error("InvalidParameter", exists), ok("<Attributes></Attributes>"))

    assert sns.endpoints.create(APPLICATION, "token", "bob phone") == (ENDPOINT, "")


def test_a_token_that_the_platform_refuses_is_named_and_not_shown() -> None:
    sns = Sns(error("InvalidParameter", "Invalid parameter: Token Reason: s3cret is not valid"))

    with pytest.raises(InvalidFieldError) as caught:
        sns.endpoints.create(APPLICATION, "s3cret", "bob phone")

    assert caught.value.errors[0].field == "token"
    assert "s3cret" not in str(caught.value)


def test_while_sns_is_away_or_refuses_it_is_unavailable() -> None:
    wait = Response(0, {"retry-after": "3"}, b"breaker open")
    exists = error("InvalidParameter", f"Endpoint {ENDPOINT} already exists")
    sns = Sns(wait, error("AuthorizationError", status=403), exists, wait, wait, wait)

    with pytest.raises(UnavailableError) as caught:
        sns.endpoints.create(APPLICATION, "token", "bob phone")
    assert caught.value.retry_after == 3.0
    for _ in range(2):
        with pytest.raises(UnavailableError):
            sns.endpoints.create(APPLICATION, "token", "bob phone")
    with pytest.raises(UnavailableError):
        sns.endpoints.enable(ENDPOINT, "token", "bob phone")
    with pytest.raises(UnavailableError):
        sns.endpoints.delete([ENDPOINT])


def test_nothing_to_delete_asks_nothing() -> None:
    sns = Sns()

    sns.endpoints.delete(())

    assert sns.asked == []
