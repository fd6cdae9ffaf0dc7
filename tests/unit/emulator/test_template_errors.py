"""A template that is not understood: the error names the file, the resource and what is wrong."""

from __future__ import annotations

from pathlib import Path

import pytest

from localstack.emulator.template import TemplateError, load
from tests.unit.emulator.conftest import Write

pytestmark = pytest.mark.req("SHAPE-2")


def thing(value: str) -> str:
    return f"Thing:\n  Type: Some::Thing\n  Properties: {{ P: {value} }}"


def function(events: str) -> str:
    return (
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Handler: f.f\n"
        f"    Events: {{ E: {events} }}"
    )


def api(properties: str) -> str:
    return f"Api:\n  Type: AWS::Serverless::WebSocketApi\n  Properties: {properties}"


@pytest.mark.parametrize(
    ("resources", "message"),
    [
        (thing("!Ref Nobody"), "Thing: there is no parameter or resource Nobody"),
        (thing("!GetAtt Nobody.Arn"), "Thing: there is no resource Nobody"),
        (thing("!Sub '${Nobody}'"), "Thing: there is no parameter or resource Nobody"),
        (thing("!ImportValue x"), "Thing: the function Fn::ImportValue is not supported"),
        (thing("!If [Never, 1, 2]"), "Thing: Fn::If: there is no 'Never'"),
        (thing("!Select [9, [a]]"), r"Thing: Fn::Select: cannot be used with \[9"),
        ("Thing: {}", "Thing: expected a Type"),
        ("F:\n  Type: AWS::Serverless::Function", "F: expected a Handler"),
        (function("{ Type: SQS }"), "F: events of the type SQS are not supported"),
        (function("{ Type: MSK, Properties: {} }"), "F: E: expected Topics"),
        (function("{ Type: Schedule }"), "F: E: expected a ScheduleExpression"),
        (
            function("{ Type: MSK, Properties: { Topics: [t], BatchSize: many } }"),
            "F: BatchSize: expected a number, found 'many'",
        ),
        (
            function(
                "{ Type: MSK, Properties: { Topics: [t], "
                "FilterCriteria: { Filters: [{ Pattern: '{' }] } } }"
            ),
            "F: E: a filter's Pattern is not JSON",
        ),
        (api("{ Routes: { a: { FunctionArn: x } } }"), "Api: expected the ARN of a function"),
        (api("{ Auth: { AuthType: AWS_IAM } }"), "Api: the AuthType AWS_IAM is not supported"),
        ("Api:\n  Type: AWS::ApiGatewayV2::Api", "Api: AWS::ApiGatewayV2::Api is not supported"),
        (
            "S:\n  Type: AWS::Serverless::Application\n  Properties: { Location: none.yaml }",
            "S: there is no file .*none.yaml",
        ),
        (
            "S:\n  Type: AWS::Serverless::Application\n  Properties: { Location: { Id: x } }",
            "S: expected the path of a template",
        ),
    ],
)
def test_what_is_not_understood_names_the_file_and_the_resource(
    write: Write, resources: str, message: str
) -> None:
    with pytest.raises(TemplateError, match=f"template.yaml: {message}"):
        load(write(resources))


@pytest.mark.parametrize(
    ("text", "message"),
    [("a: [", "not YAML"), ("- a", "expected a mapping"), ("", "expected a mapping")],
)
def test_a_file_that_is_no_template_is_said(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "template.yaml"
    path.write_text(text)

    with pytest.raises(TemplateError, match=message):
        load(path)


def test_a_missing_file_is_said(tmp_path: Path) -> None:
    with pytest.raises(TemplateError, match=r"none.yaml: No such file"):
        load(tmp_path / "none.yaml")


@pytest.mark.parametrize(
    ("given", "message"),
    [({}, "the parameter Size has no value"), ({"Size": "x"}, "Size is 'x', not one of")],
)
def test_a_parameter_needs_a_good_value(write: Write, given: dict[str, str], message: str) -> None:
    head = "Parameters: { Size: { Type: String, AllowedValues: [small] } }"
    with pytest.raises(TemplateError, match=message):
        load(write("T:\n  Type: Some::Thing", head), given)


def test_an_error_in_a_nested_stack_names_its_file(write: Write) -> None:
    write(thing("!Ref Nobody"), name="inner.yaml")
    path = write("S:\n  Type: AWS::Serverless::Application\n  Properties: { Location: inner.yaml }")

    with pytest.raises(TemplateError, match=r"inner\.yaml: Thing: "):
        load(path)
