"""The whole stack on an emulator that we did not write."""

from __future__ import annotations

import asyncio

import boto3
import pytest
import websockets

from localstack.emulator.template import Template
from tests.deployed.stack import Stack, deployed_name
from tests.e2e.client import Client, User, call

pytestmark = [pytest.mark.full, pytest.mark.timeout(600)]


async def connected(stack: Stack, user: User) -> Client:
    return await Client(user, stack.websocket_url, token_in_header=True).connect()


@pytest.mark.req("SHAPE-2", "SHAPE-3", "SHAPE-7", "SHAPE-8")
def test_two_users_chat_through_its_gateway_and_lambda(stack: Stack) -> None:
    async def chat() -> None:
        ann, bob = (User.new(stack.url, name) for name in ("ann", "bob"))
        here, there = await connected(stack, ann), await connected(stack, bob)

        sent = await here.say("hello", to=bob.id)
        room = sent["conversation_id"]
        await there.received(room, 1)
        await there.say("hello yourself", conversation_id=room)
        texts = [one["content"] for one in await here.received(room, 2)]
        await there.ask("ack", conversation_id=room, seq=1, status="read")
        receipt = await here.frame(lambda frame: frame["type"] == "receipt")

        assert texts == ["hello", "hello yourself"]
        assert (receipt["user_id"], receipt["seq"], receipt["status"]) == (bob.id, 1, "read")
        await asyncio.gather(here.close(), there.close())

    asyncio.run(chat())


@pytest.mark.req("SHAPE-2", "SHAPE-7")
def test_what_came_while_a_user_was_away_waits_until_it_connects(stack: Stack) -> None:
    async def chat() -> None:
        cat, dan = (User.new(stack.url, name) for name in ("cat", "dan"))
        here = await connected(stack, cat)

        room = (await here.say("are you there?", to=dan.id))["conversation_id"]
        await here.received(room, 1)
        there = await connected(stack, dan)
        (message,) = await there.received(room, 1)

        assert message["content"] == "are you there?"
        await asyncio.gather(here.close(), there.close())

    asyncio.run(chat())


@pytest.mark.req("SHAPE-2")
def test_a_bad_token_is_refused_before_the_upgrade(stack: Stack) -> None:
    stranger = User(stack.url, "stranger", token="none")

    with pytest.raises(websockets.InvalidStatus):
        asyncio.run(connected(stack, stranger))


@pytest.mark.req("SHAPE-5", "SHAPE-7")
def test_rest_errors_are_problem_documents(stack: Stack) -> None:
    answer = call(stack.url, "GET", "/v1/users/me")

    assert (answer.status, answer.body["code"]) == (401, "unauthorized")
    assert answer.headers["Content-Type"] == "application/problem+json"


@pytest.mark.req("SHAPE-8")
def test_every_function_route_and_table_of_the_template_is_there(
    stack: Stack, template: Template
) -> None:
    functions = boto3.client("lambda")
    apis = boto3.client("apigatewayv2")
    (api,) = apis.get_apis()["Items"]
    routes = {one["RouteKey"] for one in apis.get_routes(ApiId=api["ApiId"])["Items"]}
    tables = boto3.client("dynamodb").list_tables()["TableNames"]

    for function in template.functions.values():
        name = deployed_name(function)
        deployed = functions.get_function(FunctionName=name, Qualifier="live")["Configuration"]
        assert (deployed["Handler"], len(deployed["Layers"])) == (function.handler, 1)
    assert routes == set(template.websocket_apis[0].routes)
    assert set(tables) == {
        one.properties["TableName"].replace("-local-", "-try-")
        for one in template.resources
        if one.type == "AWS::DynamoDB::Table"
    }
