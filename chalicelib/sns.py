"""Notifications to mobile devices, through Amazon SNS.

API: https://docs.aws.amazon.com/sns/latest/api/API_Operations.html. What SNS says is never passed
on as it is: it may name a token.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable, Sequence
from urllib.parse import urlencode

from chalicelib.aws import Endpoint, Request, Response
from chalicelib.errors import InvalidFieldError, UnavailableError
from chalicelib.models import PushNote, PushResult

_VERSION = "2010-03-31"
_HEADERS = {"content-type": "application/x-www-form-urlencoded"}
_EXISTS = re.compile(r"Endpoint (arn:\S+) already exists")
_OWNER = re.compile(r"<key>CustomUserData</key>\s*<value>([^<]*)</value>")
# https://docs.aws.amazon.com/sns/latest/api/API_Publish.html: a disabled endpoint, or none.
_GONE = ("EndpointDisabled", "NotFound")
_NO_ENDPOINT = "No endpoint found"


class PlatformEndpoints:
    """The endpoints of platform applications: one a token, with whose it is as its user data."""

    def __init__(self, sns: Endpoint) -> None:
        self._sns = sns

    def create(self, application: str, token: str, owner: str) -> tuple[str, str]:
        """The endpoint of a token, and whose it was until now; nobody's where it is new.

        Raises:
            InvalidFieldError: The platform refuses the token.
            UnavailableError: SNS refuses otherwise, or is away.
        """
        answer = self._ask(
            "CreatePlatformEndpoint",
            PlatformApplicationArn=application,
            Token=token,
            CustomUserData=owner,
        )
        if answer.status == 200:
            return _element(answer, "EndpointArn"), ""
        found = _EXISTS.search(_element(answer, "Message"))
        if found is None:
            if _element(answer, "Code") == "InvalidParameter":
                raise InvalidFieldError.at("token", "expected one that the platform takes")
            raise _refused(answer)
        attributes = self._ask("GetEndpointAttributes", EndpointArn=found[1])
        if attributes.status != 200:
            raise _refused(attributes)
        before = _OWNER.search(attributes.body.decode())
        return found[1], html.unescape(before[1]) if before else ""

    def enable(self, endpoint: str, token: str, owner: str) -> None:
        """Makes an endpoint somebody's, and has it notify again.

        Raises:
            UnavailableError: SNS refuses, or is away.
        """
        attributes = {"Enabled": "true", "Token": token, "CustomUserData": owner}
        entries = {}
        for at, (key, value) in enumerate(attributes.items(), 1):
            entries[f"Attributes.entry.{at}.key"] = key
            entries[f"Attributes.entry.{at}.value"] = value
        answer = self._ask("SetEndpointAttributes", EndpointArn=endpoint, **entries)
        if answer.status != 200:
            raise _refused(answer)

    def delete(self, endpoints: Iterable[str]) -> None:
        """Deletes endpoints; none is no fault.

        Raises:
            UnavailableError: SNS refuses, or is away.
        """
        asked = [_request("DeleteEndpoint", EndpointArn=one) for one in endpoints]
        for answer in self._sns.request_all(asked) if asked else ():
            if answer.status != 200:
                raise _refused(answer)

    def publish(self, notes: Sequence[PushNote]) -> list[PushResult]:
        """Notifies several devices at once; what became of each."""
        return [_result(one) for one in self._sns.request_all([_publish(one) for one in notes])]

    def _ask(self, action: str, **parameters: str) -> Response:
        return self._sns.request(_request(action, **parameters))


def _request(action: str, **parameters: str) -> Request:
    form = urlencode({"Action": action, "Version": _VERSION, **parameters})
    return Request("POST", "/", form.encode(), _HEADERS)


def _publish(note: PushNote) -> Request:
    attribute = "MessageAttributes.entry.1"
    return _request(
        "Publish",
        TargetArn=note.endpoint,
        Message=note.message,
        MessageStructure="json",
        **{
            # Becomes the header apns-collapse-id; for other platforms it says nothing.
            f"{attribute}.Name": "AWS.SNS.MOBILE.APNS.COLLAPSE_ID",
            f"{attribute}.Value.DataType": "String",
            f"{attribute}.Value.StringValue": note.collapse_id,
        },
    )


def _result(answer: Response) -> PushResult:
    if answer.status == 200:
        return PushResult.SENT
    if _element(answer, "Code") in _GONE or _NO_ENDPOINT in _element(answer, "Message"):
        return PushResult.GONE
    return PushResult.FAILED


def _element(answer: Response, name: str) -> str:
    found = re.search(rf"<{name}>([^<]*)</{name}>", answer.body.decode(errors="replace"))
    return html.unescape(found[1]) if found else ""


def _refused(answer: Response) -> UnavailableError:
    wait = answer.headers.get("retry-after") if answer.status == 0 else None
    code = _element(answer, "Code") or answer.status
    return UnavailableError(f"SNS answered {code}", retry_after=float(wait) if wait else None)
