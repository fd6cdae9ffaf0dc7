"""An event file for each function of the template, without what belongs to one run alone."""

from __future__ import annotations

import base64
import json
import re
from typing import Any

import pytest

from localstack.emulator.intrinsics import parse
from tests.e2e.system import ROOT
from tests.events import files
from tests.sam_local import answers

pytestmark = pytest.mark.req("SHAPE-6")

RESOURCES = parse((ROOT / "template.yaml").read_text("utf-8"))["Resources"]
FUNCTIONS = sorted(
    name for name, one in RESOURCES.items() if one["Type"] == "AWS::Serverless::Function"
)
# A token, an address with its port, a path of somebody's machine.
OF_ONE_RUN = re.compile(r"eyJ[\w-]+\.|127\.0\.0\.1:\d|localhost|/(home|root|tmp|work|Users)/")


def test_each_function_has_an_event_file_and_no_file_is_left_over() -> None:
    assert sorted(one.stem for one in files.FOLDER.glob("*.json")) == FUNCTIONS


@pytest.mark.parametrize("function", FUNCTIONS)
def test_an_event_file_holds_nothing_of_the_run_that_it_is_from(function: str) -> None:
    read_inside: list[str] = []

    def note(text: str) -> str:
        read_inside.append(text)
        return text

    files.changed(files.read(function), note)

    assert read_inside
    assert [text for text in read_inside if OF_ONE_RUN.search(text)] == []


def test_values_become_names_and_names_values_inside_of_records_too() -> None:
    value = base64.b64encode(b'{"to":"u12"}').decode()
    record = {"topic": "T", "partition": 0, "offset": 1, "value": value, "headers": [{"t": [1]}]}
    event: dict[str, Any] = {"id": "u1", "both": ["u12/u1", 7, None], "records": {"T-0": [record]}}
    names = {"ann": "u1", "bob": "u12"}

    masked = files.masked(event, names)

    assert (masked["id"], masked["both"]) == ("{{ann}}", ["{{bob}}/{{ann}}", 7, None])
    assert base64.b64decode(masked["records"]["T-0"][0]["value"]) == b'{"to":"{{bob}}"}'
    assert files.filled(masked, names) == event


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("PingFunction", {"statusCode": 200, "body": '{"type":"pong","server_time":"…"}'}),
        ("FanoutFunction", None),
        ("AuthorizerFunction", {"policyDocument": {"Statement": [{"Effect": "Allow"}]}}),
    ],
)
def test_an_answer_is_right_whatever_else_is_in_it(function: str, answer: Any) -> None:
    assert answers.problem(function, json.dumps(answer)) == ""


@pytest.mark.parametrize(
    ("function", "answer"),
    [
        ("PingFunction", '{"statusCode":200,"body":"{\\"type\\":\\"error\\"}"}'),
        ("PingFunction", '{"errorMessage":"no module"}'),
        ("FanoutFunction", '{"errorMessage":"store away","errorType":"OSError"}'),
        ("ApiFunction", '{"statusCode":500}'),
        ("ApiFunction", ""),
    ],
)
def test_an_error_is_no_right_answer(function: str, answer: str) -> None:
    assert answers.problem(function, answer).startswith("expected")
