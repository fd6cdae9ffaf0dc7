"""docs/02 to 05 and operations.md name what the code and the templates have, and nothing else."""

from __future__ import annotations

import importlib
import inspect
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml

import app
from chalicelib import bootstrap_policies
from chalicelib.asyncapi.topics import GROUPS, channels
from chalicelib.broker import EVENTS, TASKS

ROOT = Path(__file__).parents[2]
pytestmark = pytest.mark.req("IM-7")


class _Template(yaml.SafeLoader):
    """Reads a CloudFormation template; what refers to something else is its text."""


_Template.add_multi_constructor("!", lambda _loader, _tag, node: str(node.value))


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text()


def rows(text: str) -> Iterator[list[str]]:
    """The cells of each row of each table."""
    for line in text.splitlines():
        if line.startswith("|") and not set(line) <= set("|-"):
            yield [cell.strip() for cell in re.split(r"(?<!\\)\|", line)[1:-1]]


def named(text: str) -> set[str]:
    return set(re.findall(r"`([^`]+)`", text))


def tables() -> Mapping[str, Mapping[str, Any]]:
    template = yaml.load((ROOT / "infra" / "tables.yaml").read_text(), _Template)
    properties = [one["Properties"] for one in template["Resources"].values()]
    return {one["TableName"].removeprefix("lambchat-${Stage}-"): one for one in properties}


def test_the_page_on_the_api_has_every_route_with_its_method() -> None:
    listed = [cells[0] for cells in rows(page("02_http_api.md")) if re.match("[A-Z]+,? ", cells[0])]
    routes = {
        (method, path.removeprefix("/v1"))
        for path, methods in app.app.routes.items()
        for method in methods
        if path not in ("/v1/openapi.json", "/v1/docs")
    }

    missing = [
        f"{method} {path}"
        for method, path in sorted(routes)
        if not any(
            re.search(rf"`{re.escape(path)}[?`]", row) and re.search(rf"\b{method}\b", row)
            for row in listed
        )
    ]
    paths = {path for row in listed for path in re.findall(r"`(/[^`?]*)", row)}

    assert missing == []
    assert paths - {path for _, path in routes} == set()


def described_tables() -> dict[str, list[list[str]]]:
    """The rows on each table; one that goes on has an empty first cell."""
    section = page("05_data_models.md").split("\n## ")[0]
    found: dict[str, list[list[str]]] = {}
    name = ""
    for cells in list(rows(section))[1:]:
        name = cells[0].split()[0].strip("`") if cells[0] else name
        found.setdefault(name, []).append(cells)
    return found


def test_the_page_on_data_has_every_table_and_no_other() -> None:
    assert described_tables().keys() == tables().keys()


@pytest.mark.parametrize("name", sorted(tables()))
def test_the_page_on_data_has_the_keys_the_indexes_and_the_expiry_of_a_table(name: str) -> None:
    table, described = tables()[name], described_tables()[name]
    keys = [one["AttributeName"] for one in table["KeySchema"]]
    indexes = [
        index["IndexName"]
        for kind in ("GlobalSecondaryIndexes", "LocalSecondaryIndexes")
        for index in table.get(kind, ())
    ]
    text = " ".join(cells[1] for cells in described)

    assert [one for one in (*keys, *indexes) if f"`{one}`" not in text] == []
    expires = any("`ttl`" in cells[-1] for cells in described)
    assert expires is ("TimeToLiveSpecification" in table)


def services() -> list[list[str]]:
    return [cells for cells in rows(page("03_rpc_services.md")) if cells[0] != "service"]


@pytest.mark.parametrize("cells", services(), ids=lambda cells: cells[0].strip("`"))
def test_a_service_is_built_where_the_page_says_and_has_these_methods(cells: list[str]) -> None:
    name = cells[0].strip("`")
    module, _, function = re.findall(r"`([^`]+)`", cells[2])[0].rpartition(".")
    build = getattr(importlib.import_module(f"chalicelib.{module}"), function)
    kind = service_class(name)

    assert inspect.signature(build).return_annotation == name
    for shown in named(cells[1]):
        method, _, arguments = shown.partition("(")
        parameters = list(inspect.signature(getattr(kind, method)).parameters)[1:]
        given = re.findall(r"\w+", arguments)
        assert given == parameters[: len(given)], shown


def service_class(name: str) -> type:
    for path in sorted((ROOT / "chalicelib" / "logic").glob("*.py")):
        if re.search(rf"^class {name}\b", path.read_text(), re.MULTILINE):
            found: type = getattr(importlib.import_module(f"chalicelib.logic.{path.stem}"), name)
            return found
    raise LookupError(f"there is no class {name} in chalicelib/logic")


def test_every_service_is_on_the_page() -> None:
    sources = [path.read_text() for path in (ROOT / "chalicelib" / "logic").glob("*.py")]
    classes = {name for one in sources for name in re.findall(r"^class (\w+Service)\b", one, re.M)}

    assert classes - {cells[0].strip("`") for cells in services()} == set()


def test_the_page_on_topics_names_no_record_that_there_is_not() -> None:
    text = page("04_mq_topics.md")
    known = channels()

    for topic in (TASKS, EVENTS):
        section = text.split(f"## {topic}: ")[1].split("\n## ")[0]
        listed = {name for cells in rows(section) for name in named(cells[0])}
        assert listed == known[topic]["messages"].keys()


def test_the_page_on_topics_has_every_consumer_group() -> None:
    section = page("04_mq_topics.md").split("## Consumer groups")[1].split("\n## ")[0]
    listed = {(*named(cells[0]), cells[1], *named(cells[3])) for cells in list(rows(section))[1:]}

    assert listed == {
        (f"lambchat-{{stage}}-{group}", topic, f"functions/{group}.py")
        for group, (topic, _) in GROUPS.items()
    }


def test_every_policy_is_among_the_parameters() -> None:
    section = page("operations.md").split("### Change a document")[0]
    listed = {name for cells in rows(section) for name in named(cells[0])}

    policies = {name for name in bootstrap_policies.rules().validators if "/" in name}

    assert policies - listed == set()
