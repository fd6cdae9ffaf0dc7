"""gateway.md F1 and F3, F6 cases 1 and 4: who may connect, and what later events know of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from websockets.exceptions import InvalidStatus

from localstack.emulator.template import Authorizer
from tests.unit.emulator.local import Event, Functions, echo_api, local

pytestmark = pytest.mark.req("SHAPE-2")


def policy(effect: str = "Allow", resource: str = "*", **context: Any) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {
        "principalId": "ada",
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
        "context": context,
    }


def fail(message: str) -> Any:
    def raise_it(_event: Event) -> None:
        raise RuntimeError(message)

    return raise_it


def guarded(*sources: str) -> Any:
    return echo_api(authorizer=Authorizer(function="Guard", identity_sources=sources))


async def test_the_authorizer_runs_before_connect() -> None:
    functions = Functions(Guard=lambda _event: policy())
    async with local(functions, api=guarded()) as cloud:
        assert await cloud.refusal() == 101

    assert [event.get("type", "event") for event in functions.events[:2]] == ["REQUEST", "event"]


async def test_deny_is_403_and_connect_does_not_run() -> None:
    functions = Functions(Guard=lambda _event: policy("Deny"))
    async with local(functions, api=guarded()) as cloud:
        assert await cloud.refusal() == 403

    assert functions.of("CONNECT")[1:] == []


async def test_one_deny_outweighs_every_allow() -> None:
    def both(event: Event) -> dict[str, Any]:
        answer = policy()
        deny = {**answer["policyDocument"]["Statement"][0], "Effect": "Deny"}
        answer["policyDocument"]["Statement"].append(deny)
        return answer

    async with local(Functions(Guard=both), api=guarded()) as cloud:
        assert await cloud.refusal() == 403


async def test_a_policy_for_another_method_is_403() -> None:
    functions = Functions(Guard=lambda _event: policy(resource="arn:aws:execute-api:*:*:*/x/*"))
    async with local(functions, api=guarded()) as cloud:
        assert await cloud.refusal() == 403


async def test_the_method_arn_itself_is_a_good_resource() -> None:
    functions = Functions(Guard=lambda event: policy(resource=event["methodArn"]))
    async with local(functions, api=guarded()) as cloud:
        assert await cloud.refusal() == 101


async def test_an_authorizer_that_raises_unauthorized_is_401() -> None:
    async with local(Functions(Guard=fail("Unauthorized")), api=guarded()) as cloud:
        assert await cloud.refusal() == 401


@pytest.mark.parametrize(
    "answer",
    [
        {},
        None,
        {"principalId": "ada"},
        policy(deep={"not": "text"}),
        policy(long="x" * 9000),
    ],
)
async def test_an_authorizer_without_a_good_answer_is_500(answer: Any) -> None:
    async with local(Functions(Guard=lambda _event: answer), api=guarded()) as cloud:
        assert await cloud.refusal() == 500


async def test_an_authorizer_that_raises_anything_else_is_500() -> None:
    async with local(Functions(Guard=fail("oh")), api=guarded()) as cloud:
        assert await cloud.refusal() == 500


async def test_every_identity_source_is_needed_before_the_authorizer_is_asked() -> None:
    api = guarded("route.request.querystring.who", "route.request.header.X-Key")
    functions = Functions(Guard=lambda _event: policy())
    async with local(functions, api=api) as cloud:
        key = {"X-Key": "1"}
        assert await cloud.refusal(additional_headers=key) == 401
        assert await cloud.refusal("?who=ada") == 401
        assert functions.events == []
        assert await cloud.refusal("?who=ada", additional_headers=key) == 101


async def test_the_authorizer_event_has_everything_of_the_handshake() -> None:
    functions = Functions(Guard=lambda _event: policy())
    async with local(functions, api=guarded()) as cloud:
        await cloud.refusal("?who=ada&who=bob")
        api = cloud.gateway.api

    event = functions.events[0]
    assert event["methodArn"] == f"arn:aws:execute-api:us-east-1:000000000000:{api.id}/dev/$connect"
    assert event["queryStringParameters"] == {"who": "bob"}
    assert event["multiValueQueryStringParameters"] == {"who": ["ada", "bob"]}
    assert event["stageVariables"] == {}
    assert event["requestContext"]["eventType"] == "CONNECT"
    assert "Host" in event["headers"]


async def test_the_authorizers_context_is_in_every_later_event_as_strings() -> None:
    """F3: every value a string, principalId before it, integrationLatency a number."""
    functions = Functions(Guard=lambda _event: policy(age=36, admin=True, half=0.5, name="Ada"))
    async with local(functions, api=guarded()) as cloud:
        async with cloud.connect() as client:
            await client.send('{"action": "whisper"}')
            await functions.wait_for("MESSAGE")
        await functions.wait_for("DISCONNECT")

    for event in functions.events[1:]:
        context = event["requestContext"]["authorizer"]
        assert isinstance(context.pop("integrationLatency"), int)
        assert context == {
            "principalId": "ada",
            "age": "36",
            "admin": "true",
            "half": "0.5",
            "name": "Ada",
        }


async def test_a_refusal_says_so_in_json() -> None:
    async with local(Functions(Guard=fail("Unauthorized")), api=guarded()) as cloud:
        with pytest.raises(InvalidStatus) as refused:
            await cloud.connect().__aenter__()

    body = json.loads(refused.value.response.body or b"")
    assert body["message"] == "Unauthorized"
    assert body["connectionId"].endswith("=")
