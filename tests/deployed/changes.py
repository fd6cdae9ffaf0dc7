"""What is changed in the built templates before MiniStack gets them, and why: nothing else is.

docs/local_cloud.md lists the same names; test_gaps.py shows that each gap is still there.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from localstack.emulator.profiles import MINISTACK

ROOT = Path(__file__).parents[2]
Template = dict[str, Any]

# Refused in a template.
MISSING_TYPES = ("AWS::ApiGatewayV2::RouteResponse",)
METHODS = ("get", "post", "put", "patch", "delete")


def _without_route_responses(template: Template, _url: str) -> None:
    """It sends what a function returns to every route, without a route response."""
    _drop(template, lambda one: one["Type"] in MISSING_TYPES)


def _without_metric_math(template: Template, _url: str) -> None:
    """It takes alarms on one metric alone."""
    _drop(template, lambda one: one["Type"] == "AWS::CloudWatch::Alarm" and "Metrics" in _own(one))


def _without_deployment_preference(template: Template, _url: str) -> None:
    """It has no CodeDeploy in templates; versions and aliases stay."""
    template.get("Globals", {}).get("Function", {}).pop("DeploymentPreference", None)


def _methods_one_by_one(template: Template, _url: str) -> None:
    """Of an OpenAPI body it leaves out `x-amazon-apigateway-any-method`."""
    for resource in template["Resources"].values():
        events = _own(resource).get("Events", {})
        for name in [name for name, event in events.items() if event["Type"] == "Api"]:
            properties = events.pop(name)["Properties"]
            for method in METHODS:
                one = {**properties, "Method": method}
                events[f"{name}{method.title()}"] = {"Type": "Api", "Properties": one}


def _addresses_here(template: Template, url: str) -> None:
    """Only AWS's DNS knows the names of its endpoints."""
    if "Globals" not in template:
        return
    variables = template["Globals"]["Function"]["Environment"]["Variables"]
    path = "/_aws/execute-api/${ChatSocket}/${Stage}"
    variables["WEBSOCKET_ENDPOINT"] = {"Fn::Sub": url + path}
    variables["WEBSOCKET_URL"] = {"Fn::Sub": url.replace("http", "ws", 1) + path}


CHANGES: dict[str, Callable[[Template, str], None]] = {
    "route responses": _without_route_responses,
    "metric math": _without_metric_math,
    "deployment preference": _without_deployment_preference,
    "any method": _methods_one_by_one,
    "addresses": _addresses_here,
}
# Not to be mended by another template.
NOT_CHANGED = (
    "layer",
    "Kafka triggers",
    "identity source",
    "unauthorized",
    "gateway responses",
)


def change(build: Path, url: str) -> None:
    """Changes what `sam build` made: the templates, and the layer, which is for arm64."""
    for path in [build / "template.yaml", *build.glob("*/template.yaml")]:
        template = yaml.safe_load(path.read_text())
        for one in CHANGES.values():
            one(template, url)
        path.write_text(yaml.safe_dump(template, sort_keys=False))
    _layer_for_this_machine(build / "Dependencies" / "python")


def _layer_for_this_machine(folder: Path) -> None:
    """It runs functions with its own Python on this machine, whatever runtime they name."""
    subprocess.run(
        [
            *(Path(sys.executable).with_name("uv"), "pip", "install", "-q", "--no-deps"),
            *("--require-hashes", "--reinstall", "--only-binary", ":all:"),
            *("--target", folder, "--python", MINISTACK, "-r", "requirements/lambda.txt"),
        ],
        cwd=ROOT,
        check=True,
    )


def _drop(template: Template, unwanted: Callable[[dict[str, Any]], bool]) -> None:
    kept = {name: one for name, one in template["Resources"].items() if not unwanted(one)}
    template["Resources"] = kept


def _own(resource: dict[str, Any]) -> dict[str, Any]:
    properties: dict[str, Any] = resource.get("Properties") or {}
    return properties
