"""A SAM template is read into what runs: a second application, echo.yaml, and short ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from localstack.emulator.template import (
    Authorizer,
    Function,
    RestRoute,
    Route,
    Schedule,
    Template,
    api_id,
    load,
)
from tests.unit.emulator.conftest import Write
from tests.unit.emulator.local import ECHO

pytestmark = pytest.mark.req("SHAPE-2")

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def echo() -> Template:
    return load(ECHO, hosts={api_id("Echo"): "127.0.0.1:7000"})


def test_functions_have_their_globals_and_their_own(echo: Template) -> None:
    assert echo.functions["DoorFunction"] == Function(
        name="DoorFunction",
        handler="door.handler",
        code_uri=".",
        timeout_seconds=5,
        memory_mb=128,
        environment={
            "CALLBACK": "http://127.0.0.1:7000/dev",
            "CLIENTS": "ws://127.0.0.1:7000/dev",
            "DOOR": "front",
        },
        reserved_concurrency=3,
    )
    assert echo.functions["EchoFunction"].timeout_seconds == 7
    assert echo.functions["EchoFunction"].reserved_concurrency is None


def test_without_a_host_an_address_stays_what_it_is_on_aws() -> None:
    environment = load(ECHO).functions["EchoFunction"].environment

    host = f"{api_id('Echo')}.execute-api.us-east-1.amazonaws.com"
    assert environment["CALLBACK"] == f"https://{host}/dev"
    assert environment["CLIENTS"] == f"wss://{host}/dev"


def test_a_websocket_api_has_stage_routes_and_authorizer(echo: Template) -> None:
    (api,) = echo.websocket_apis

    assert (api.stage, api.selection_expression) == ("dev", "$request.body.action")
    assert api.stage_variables == {"mood": "calm"}
    assert (api.rate, api.burst) == (1000, 500)
    assert api.authorizer == Authorizer(
        function="DoorFunction", identity_sources=("route.request.querystring.who",)
    )
    assert list(api.routes) == ["$connect", "$disconnect", "echo", "shout", "whisper"]


def test_a_route_is_two_way_with_both_expression_and_route_response(echo: Template) -> None:
    routes = echo.websocket_apis[0].routes

    assert routes["echo"] == Route(
        key="echo", function="EchoFunction", two_way=True, timeout_seconds=29
    )
    assert routes["shout"] == Route(
        key="shout", function="EchoFunction", two_way=False, timeout_seconds=0.05
    )
    assert not routes["whisper"].two_way


def test_api_ids_are_short_lower_case_and_stable() -> None:
    assert api_id("Echo") == "8335e4c92c"
    assert len(api_id("Echo")) == 10
    assert api_id("Echo").isalnum()
    assert api_id("Echo") != api_id("Other")


def test_events_without_an_api_belong_to_sams_own(echo: Template) -> None:
    (api,) = echo.rest_apis

    assert api.stage == "Prod"
    assert api.routes == (RestRoute(method="GET", path="/echo/{word}", function="EchoFunction"),)


def test_a_kafka_event_is_a_mapping(echo: Template) -> None:
    (mapping,) = echo.mappings

    assert mapping.name == "EchoFunctionSounds"
    assert mapping.topics == ("sounds",)
    assert mapping.batch_size == 10
    assert mapping.partial_failures
    assert mapping.filters == ({"value": {"loud": [True]}},)
    assert mapping.on_failure == "kafka://lost"
    assert (mapping.max_attempts, mapping.max_age_seconds) == (-1, -1)


def test_a_schedule_has_its_expression(echo: Template) -> None:
    tick = Schedule(
        name="EchoFunctionTick",
        function="EchoFunction",
        expression="rate(1 minute)",
        input="{}",
    )
    assert echo.schedules == [tick]


def test_resources_are_resolved_those_of_nested_stacks_too(echo: Template) -> None:
    by_id = {one.logical_id: one for one in echo.resources}

    assert by_id["Stores/Words"].type == "AWS::DynamoDB::Table"
    assert by_id["Stores/Words"].properties["TableName"] == "local-dev-words"
    assert "Stores" not in by_id


def test_parameters_replace_defaults() -> None:
    template = load(ECHO, {"Stage": "test", "Topic": "noise"})

    assert template.websocket_apis[0].stage == "test"
    assert template.mappings[0].topics == ("noise",)
    assert template.resources[-1].properties["TableName"] == "local-test-words"


def test_conditions_decide_on_resources_and_values() -> None:
    small, large = load(ECHO), load(ECHO, {"Size": "large"})

    assert "LargeFunction" not in small.functions
    assert "SIZE" not in small.functions["EchoFunction"].environment
    assert large.functions["LargeFunction"].environment["SIZE"] == "big"


def test_the_projects_own_template_loads() -> None:
    template = load(ROOT / "template.yaml")

    assert template.websocket_apis
    assert template.rest_apis
    assert template.mappings
    assert {one.type for one in template.resources} >= {
        "AWS::DynamoDB::Table",
        "AWS::SSM::Parameter",
    }


def test_intrinsic_functions_are_evaluated(write: Write) -> None:
    path = write(
        "Table:\n"
        "  Type: AWS::DynamoDB::Table\n"
        "  Properties: { TableName: words }\n"
        "Thing:\n"
        "  Type: Some::Thing\n"
        "  Properties:\n"
        "    Second: !Select [1, !Split ['-', 'a-b']]\n"
        "    Local: !Sub ['${x}-${!y}-${AWS::AccountId}', { x: !Ref Table }]\n"
        "    Arn: !GetAtt Table.Arn\n"
        "    Long: { 'Fn::Join': ['/', [a, { Ref: Table }]] }\n"
        "    Gone: !Ref AWS::NoValue\n"
        "    List: [1, !Ref AWS::NoValue]\n"
        "    Policy: { Condition: { StringEquals: { a: b } } }\n"
    )

    (thing,) = (one for one in load(path).resources if one.logical_id == "Thing")

    assert thing.properties == {
        "Second": "b",
        "Local": "words-${y}-000000000000",
        "Arn": "arn:aws:dynamodb:us-east-1:000000000000:table/words",
        "Long": "a/words",
        "List": [1],
        "Policy": {"Condition": {"StringEquals": {"a": "b"}}},
    }


def test_globals_are_merged_deeply(write: Write) -> None:
    head = "Globals: { Function: { Environment: { Variables: { A: 1, B: true } }, Layers: [x] } }"
    path = write(
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Handler: f.f\n"
        "    Layers: [y]\n    Environment: { Variables: { A: 2 } }",
        head,
    )

    template = load(path)

    assert template.functions["F"].environment == {"A": "2", "B": "true"}
    assert template.resources[0].properties["Layers"] == ["x", "y"]


def test_a_mapping_may_be_a_resource_of_a_nested_stack(write: Write, tmp_path: Path) -> None:
    (tmp_path / "trigger.yaml").write_text(
        "Parameters: { Function: { Type: String } }\n"
        "Resources:\n"
        "  Mapping:\n"
        "    Type: AWS::Lambda::EventSourceMapping\n"
        "    Properties:\n"
        "      FunctionName: !Ref Function\n"
        "      Topics: [orders]\n"
        "      SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: shop }\n"
    )
    path = write(
        "F:\n  Type: AWS::Serverless::Function\n  Properties: { Handler: f.f }\n"
        "Orders:\n  Type: AWS::Serverless::Application\n"
        "  Properties: { Location: trigger.yaml, Parameters: { Function: !Ref F.Alias } }"
    )

    (mapping,) = load(path).mappings

    assert (mapping.name, mapping.function) == ("Orders/Mapping", "F")
    assert (mapping.group, mapping.topics, mapping.arn) == ("shop", ("orders",), "")


def test_a_nested_stack_has_outputs(write: Write, tmp_path: Path) -> None:
    (tmp_path / "roles.yaml").write_text(
        "Parameters: { Stage: { Type: String } }\n"
        "Resources: { Role: { Type: Some::Role } }\n"
        "Outputs: { Name: { Value: !Sub '${Stage}-${Role}' } }\n"
    )
    path = write(
        "Roles:\n  Type: AWS::Serverless::Application\n"
        "  Properties: { Location: roles.yaml, Parameters: { Stage: dev } }\n"
        "Thing: { Type: Some::Thing, Properties: { Name: !GetAtt Roles.Outputs.Name } }"
    )

    thing = next(one for one in load(path).resources if one.logical_id == "Thing")

    assert thing.properties == {"Name": "dev-Role"}
