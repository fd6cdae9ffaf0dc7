"""The templates as a whole: each function, table and alarm has what every one must have."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from chalicelib.errors import IMError
from localstack.emulator.intrinsics import parse
from localstack.emulator.template import Template, load

pytestmark = pytest.mark.req("SHAPE-8")

ROOT = Path(__file__).parents[2]
SOURCE = parse((ROOT / "template.yaml").read_text())
RESOURCES: dict[str, Any] = SOURCE["Resources"]
MONITORING = parse((ROOT / "infra" / "monitoring.yaml").read_text())["Resources"]
NESTED = sorted(path.name for path in (ROOT / "infra").glob("*.yaml"))


def of_type(kind: str, resources: dict[str, Any] = RESOURCES) -> dict[str, Any]:
    return {name: one for name, one in resources.items() if one["Type"] == kind}


FUNCTIONS = of_type("AWS::Serverless::Function")


CALL_NOTHING = {"WordFilterFunction"}


def text_of(value: Any) -> str:
    """The text of a Fn::Sub, or the text itself."""
    return str(value["Fn::Sub"]) if isinstance(value, dict) else str(value)


@pytest.fixture(scope="module")
def template() -> Template:
    return load(ROOT / "template.yaml")


def test_every_nested_template_is_used_and_there() -> None:
    stacks = of_type("AWS::Serverless::Application").values()
    used = {Path(one["Properties"]["Location"]).name for one in stacks}

    assert used == set(NESTED)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_named_built_and_documented_alike(function: str) -> None:
    own = FUNCTIONS[function]["Properties"]
    name = text_of(own["FunctionName"]).removeprefix("lambchat-${Stage}-").removeprefix("hook-")
    module = "app" if name == "api" else f"functions.{name.replace('-', '_')}"

    assert FUNCTIONS[function]["Metadata"] == {"BuildMethod": "makefile"}
    assert function == "".join(word.capitalize() for word in name.split("-")) + "Function"
    assert own["Handler"] == f"{module}.handler"
    assert (ROOT / Path(*module.split("."))).with_suffix(".py").is_file()


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_has_a_policy_of_its_own(function: str) -> None:
    given = FUNCTIONS[function]["Properties"].get("Policies", ())
    policies = [one["Fn::GetAtt"] for one in given]
    names = [attribute.rpartition(".")[2] for _, attribute in policies]
    own = (
        "Frame" if function in ("PingFunction", "DefaultFunction") else function[: -len("Function")]
    )

    assert names[-1:] == ([] if function in CALL_NOTHING else [own])
    assert set(names) <= {"Common", "Trigger", own}


def test_what_all_functions_share_is_said_once() -> None:
    common = SOURCE["Globals"]["Function"]

    assert common["Architectures"] == ["arm64"]
    assert common["Tracing"] == "Active"
    assert common["AutoPublishAlias"] == "live"
    assert common["LoggingConfig"] == {"LogGroup": {"Ref": "FunctionLogs"}}
    assert {text_of(one) for one in common["DeploymentPreference"]["Alarms"]} <= {
        text_of(one["Properties"]["AlarmName"])
        for one in of_type("AWS::CloudWatch::Alarm", MONITORING).values()
    }


@pytest.mark.parametrize("function", ["SendFunction", "FanoutFunction"])
def test_who_holds_connections_to_kafka_or_delivers_has_concurrency_of_its_own(
    function: str,
) -> None:
    reserved = FUNCTIONS[function]["Properties"]["ReservedConcurrentExecutions"]

    assert reserved["Fn::If"][2] == {"Ref": function[: -len("Function")] + "Concurrency"}


def test_every_log_group_ends() -> None:
    groups = [
        one["Properties"]
        for path in [ROOT / "template.yaml", *(ROOT / "infra").glob("*.yaml")]
        for one in of_type("AWS::Logs::LogGroup", parse(path.read_text())["Resources"]).values()
    ]

    assert len(groups) >= 3
    assert all("RetentionInDays" in one for one in groups)


def alarmed(alarm: str) -> set[str]:
    """The functions that an alarm's expression adds up."""
    metrics = MONITORING[alarm]["Properties"].get("Metrics", ())
    dimensions = [one["MetricStat"]["Metric"]["Dimensions"] for one in metrics[1:]]
    return {text_of(one[0]["Value"]) for one in dimensions}


def test_an_alarm_watches_every_function() -> None:
    names = [text_of(one["Properties"]["FunctionName"]) for one in FUNCTIONS.values()]
    kinds = [alarmed(name) for name in MONITORING if name.endswith("Errors") and alarmed(name)]

    assert sorted(name for kind in kinds for name in kind) == sorted(names)
    assert max(map(len, kinds)) <= 10  # CloudWatch's limit


@pytest.mark.parametrize("alarm", of_type("AWS::CloudWatch::Alarm", MONITORING))
def test_an_alarm_tells_somebody_and_is_explained(alarm: str) -> None:
    own = MONITORING[alarm]["Properties"]
    name = text_of(own["AlarmName"]).removeprefix("lambchat-${Stage}-")
    operations = (ROOT / "docs" / "operations" / "alarms.md").read_text()

    assert own["AlarmActions"] == own["OKActions"] == [{"Ref": "Topic"}]
    assert own["AlarmDescription"].endswith(".")
    assert f"\n### {name}\n" in operations


@pytest.mark.req("BRK-7")
def test_an_alarm_watches_every_breaker() -> None:
    from chalicelib.guards import NAMES

    alarms = of_type("AWS::CloudWatch::Alarm", MONITORING).values()
    watched = {text_of(one["Properties"]["AlarmName"]) for one in alarms}

    assert {f"lambchat-${{Stage}}-breaker-{name}" for name in NAMES} <= watched


def test_the_dashboard_is_json_and_stays_within_its_grid() -> None:
    body = text_of(MONITORING["Dashboard"]["Properties"]["DashboardBody"])
    widgets = json.loads(re.sub(r"\$\{DeliveryMilliseconds\}", "1000", body))["widgets"]

    assert all(one["x"] + one["width"] <= 24 and one["properties"]["title"] for one in widgets)
    assert len({(one["x"], one["y"]) for one in widgets}) == len(widgets)


def test_every_table_can_be_restored_and_is_not_deleted_by_mistake() -> None:
    tables = parse((ROOT / "infra" / "tables.yaml").read_text())["Resources"]

    for name, one in tables.items():
        own = one["Properties"]
        assert own["PointInTimeRecoverySpecification"]["PointInTimeRecoveryEnabled"], name
        assert own["SSESpecification"]["SSEEnabled"], name
        assert own["BillingMode"] == "PAY_PER_REQUEST", name
        assert own["DeletionProtectionEnabled"] == {"Ref": "Protected"}, name
        assert (one["DeletionPolicy"], one["UpdateReplacePolicy"]) == ("Retain", "Retain"), name


def test_every_bucket_is_private_encrypted_and_asks_for_tls() -> None:
    for path in (ROOT / "infra").glob("*.yaml"):
        resources = parse(path.read_text())["Resources"]
        policies = of_type("AWS::S3::BucketPolicy", resources).values()
        guarded = {one["Properties"]["Bucket"]["Ref"] for one in policies}
        for name, one in of_type("AWS::S3::Bucket", resources).items():
            assert all(one["Properties"]["PublicAccessBlockConfiguration"].values()), name
            assert "BucketEncryption" in one["Properties"], name
            assert name in guarded


def test_access_logs_have_no_query_string() -> None:
    rest = RESOURCES["ChatApi"]["Properties"]["AccessLogSetting"]["Format"]
    socket = RESOURCES["ChatSocket"]["Properties"]["AccessLogSettings"]["Format"]

    for text in (rest, socket):
        assert set(json.loads(text)) >= {"request_id", "status"}
        assert "querystring" not in text
        assert "requestOverride" not in text


def errors(kind: type[IMError] = IMError) -> dict[str, type[IMError]]:
    found = {kind.code: kind} if "code" in vars(kind) else {}
    for one in kind.__subclasses__():
        found.update(errors(one))
    return found


@pytest.mark.req("APP-17")
@pytest.mark.parametrize("kind", RESOURCES["ChatApi"]["Properties"]["GatewayResponses"])
def test_api_gateways_own_answers_are_problem_documents(kind: str) -> None:
    own = RESOURCES["ChatApi"]["Properties"]["GatewayResponses"][kind]
    document = json.loads(own["ResponseTemplates"]["application/json"])
    headers = own["ResponseParameters"]["Headers"]
    error = errors()[document["code"]]

    assert document["status"] == own["StatusCode"] == error.http_status
    assert document["title"] == error.title
    assert document["type"] == f"urn:lambchat:error:{error.code}"
    assert document.keys() >= {"detail", "trace_id"}
    assert headers["Content-Type"] == "'application/problem+json'"
    assert ("Retry-After" in headers) == ("retry_after" in document)


@pytest.mark.req("SHAPE-3", "TASK-3")
def test_only_events_are_ever_given_up() -> None:
    triggers = {
        name: one["Properties"]["Parameters"]
        for name, one in of_type("AWS::Serverless::Application").items()
        if one["Properties"]["Location"] == "infra/trigger.yaml"
    }

    assert triggers
    for name, own in triggers.items():
        topic = own["Topic"]["Fn::If"][2]
        assert ("FailuresArn" in own) == (topic == "EVENTS"), name


@pytest.mark.req("SHAPE-2")
def test_every_route_that_answers_has_a_route_response(template: Template) -> None:
    (api,) = template.websocket_apis
    answering = {name for name, route in api.routes.items() if route.two_way}

    assert answering == api.routes.keys() - {"$connect", "$disconnect", "typing"}
