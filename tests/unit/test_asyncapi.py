"""docs/asyncapi.json is current, sound, and says all that the code has."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import pytest

from chalicelib.asyncapi.__main__ import PATH, main
from chalicelib.asyncapi.document import text
from chalicelib.asyncapi.fields import NUMBER, fields_of
from chalicelib.broker import EVENTS, TASKS, BaseEvent
from chalicelib.frames import dump
from chalicelib.http import openapi
from chalicelib.http.documents import LIMITS
from chalicelib.http.message_schema import MESSAGE
from chalicelib.http.schema import integer, obj, optional
from chalicelib.task import events
from localstack.emulator import template
from localstack.emulator.filters import passes
from tests.unit.asyncapi_schemas import (
    CHANNELS,
    DOCUMENT,
    OPERATIONS,
    follow,
    messages,
    named,
    wrong,
)

ROOT = Path(__file__).parents[2]
KEYWORDS = {
    "type", "properties", "required", "items", "anyOf", "oneOf", "enum", "minLength", "maxLength",
    "minItems", "maxItems", "minimum", "maximum", "default", "pattern", "format", "description",
    "additionalProperties", "maxProperties", "propertyNames", "$ref",
}  # fmt: skip


@pytest.fixture(scope="module")
def deployed() -> template.Template:
    return template.load(ROOT / "template.yaml")


def nodes(node: Any) -> Iterator[Any]:
    """Every object in the document."""
    if isinstance(node, dict):
        yield node
    for one in node.values() if isinstance(node, dict) else node if isinstance(node, list) else ():
        yield from nodes(one)


def schemas(node: Any) -> Iterator[Any]:
    """A schema and those in it."""
    yield node
    inside = [*node.get("properties", {}).values(), *node.get("anyOf", ())]
    inside += [node[name] for name in ("items", "additionalProperties") if name in node]
    for one in inside:
        yield from schemas(one)


@pytest.mark.req("IM-7")
def test_the_file_is_current() -> None:
    assert PATH.read_text(encoding="utf-8") == text(), "run python -m chalicelib.asyncapi"


def test_the_command_writes_and_checks_the_file(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "asyncapi.json"

    before = main(["--check", str(path)])
    codes = main([str(path)]), main(["--check", str(path)])
    path.write_text(path.read_text().replace("messages.stored", "messages.kept"))
    after = main(["--check", str(path)])

    line = f"{path} is not current: run python -m chalicelib.asyncapi\n"
    assert (before, *codes, after) == (1, 0, 0, 1)
    assert capsys.readouterr().err == line * 2


def test_the_command_runs_without_an_installation() -> None:
    done = subprocess.run([sys.executable, "-m", "chalicelib.asyncapi", "--check"], cwd=ROOT)

    assert done.returncode == 0


def test_it_has_what_an_asyncapi_document_must_have() -> None:
    assert DOCUMENT["asyncapi"] == "3.0.0"
    assert DOCUMENT["info"].keys() >= {"title", "version"}
    assert DOCUMENT["info"]["version"] == openapi.VERSION
    assert all(one.keys() >= {"host", "protocol"} for one in DOCUMENT["servers"].values())


def test_every_reference_leads_somewhere() -> None:
    found = [one["$ref"] for one in nodes(DOCUMENT) if "$ref" in one]

    assert "#/components/schemas/Message" in found
    assert all(isinstance(follow(one), dict) for one in found)


def test_every_operation_has_a_channel_and_messages_of_that() -> None:
    for operation in OPERATIONS.values():
        assert operation["action"] in ("send", "receive")
        for side in (operation, operation.get("reply", operation)):
            channel = side["channel"]["$ref"]
            follow(channel)
            for one in side.get("messages", ()):
                assert one["$ref"].startswith(f"{channel}/messages/")


def test_every_message_has_examples_that_are_as_it_says() -> None:
    for channel, name, message in messages():
        assert message["examples"], name
        for example in message["examples"]:
            assert wrong(message["payload"], example["payload"]) == [], (channel, name)


def test_schemas_use_only_what_json_schema_knows() -> None:
    roots = [*DOCUMENT["components"]["schemas"].values()]
    roots += [one for _, _, m in messages() for one in (m["payload"], m.get("headers", {}))]
    for schema in (one for root in roots for one in schemas(root)):
        assert schema.keys() <= KEYWORDS
        assert set(schema.get("required", ())) <= schema.get("properties", {}).keys()


@pytest.mark.req("SHAPE-2")
def test_every_route_of_the_template_is_in_it(deployed: template.Template) -> None:
    described = {one["x-route"] for one in OPERATIONS.values() if "x-route" in one}
    answered = {one["x-route"] for one in OPERATIONS.values() if "reply" in one}
    (api,) = deployed.websocket_apis

    assert described | set(CHANNELS["websocket"]["x-lifecycle-routes"]) == set(api.routes)
    assert answered == {key for key, route in api.routes.items() if route.two_way}


def test_every_consumer_group_of_the_template_is_in_it(deployed: template.Template) -> None:
    """Each with its topic, its function, and just the records that its filter lets through."""
    groups = {name: one for name, one in OPERATIONS.items() if "groupId" in str(one)}

    assert {mapping.group for mapping in deployed.mappings} == {
        f"lambchat-local-{g}" for g in groups
    }
    for mapping in deployed.mappings:
        name = mapping.group.removeprefix("lambchat-local-")
        operation = groups[name]
        channel = follow(operation["channel"]["$ref"])
        assert (channel["address"],) == mapping.topics
        assert re.search(operation["bindings"]["kafka"]["groupId"]["pattern"], mapping.group)
        assert deployed.functions[mapping.function].handler == f"functions.{name}.handler"
        assert named(operation["messages"]).keys() == {
            name
            for name, message in channel["messages"].items()
            if passes(mapping.filters, dump(message["examples"][0]["payload"]).encode(), None)
        }


@pytest.mark.req("TASK-1")
def test_both_topics_are_in_it_and_no_other() -> None:
    topics = {one["address"] for name, one in CHANNELS.items() if name != "websocket"}

    assert topics == {TASKS, EVENTS}


def test_every_event_of_the_code_is_in_it() -> None:
    kinds = [one for one in BaseEvent.__subclasses__() if one.__module__ == events.__name__]

    described = CHANNELS[EVENTS]["messages"]

    assert described.keys() == {one.event_name for one in kinds}
    for kind in kinds:
        payload = described[kind.event_name]["payload"]["properties"]["payload"]["properties"]
        assert payload.keys() | {"event_version"} == {one.name for one in fields(kind)}
        assert all("description" in one for one in payload.values())


@pytest.mark.req("IM-7")
def test_the_page_on_topics_names_the_same_records_and_members() -> None:
    page = (ROOT / "docs" / "04_mq_topics.md").read_text()

    for topic, member in ((TASKS, "args"), (EVENTS, "payload")):
        for name, message in CHANNELS[topic]["messages"].items():
            (row,) = re.findall(rf"^\| `{re.escape(name)}` \|.*", page, re.MULTILINE)
            members = message["payload"]["properties"][member]["properties"]
            assert [one for one in members if f"`{one}`" not in row] == []


def test_every_error_code_is_in_it() -> None:
    rows = re.findall(r"^\| `(\w+)` \|", (ROOT / "docs" / "errors.md").read_text(), re.MULTILINE)

    error = CHANNELS["websocket"]["messages"]["error"]

    assert error["payload"]["properties"]["code"]["enum"] == sorted(rows)


def test_limits_are_those_of_the_client_s_configuration() -> None:
    limits = CHANNELS["websocket"]["x-limits"]

    assert {name: LIMITS[name] for name in limits.keys() & LIMITS.keys()}.items() <= limits.items()
    assert limits["max_id_length"] == LIMITS["max_client_msg_id_length"]
    assert len(limits.keys() & LIMITS.keys()) == 3


def test_a_message_is_that_of_the_rest_api() -> None:
    described = DOCUMENT["components"]["schemas"]["Message"]

    assert described["properties"].keys() == MESSAGE["properties"].keys()
    assert set(described["required"]) == set(MESSAGE["required"])


@dataclass(frozen=True)
class Order:
    """What somebody ordered.

    Attributes:
        amount: How much of it,
            in pieces.
    """

    amount: int
    price: float
    is_gift: bool = False
    options: object = None


def test_the_fields_of_a_dataclass_are_described_by_their_types_and_its_docstring() -> None:
    schema = obj(**fields_of(Order, leave_out=("options",)))

    assert schema == obj(
        amount={**integer(), "description": "How much of it, in pieces."},
        price=NUMBER,
        is_gift=optional({"type": "boolean"}),
    )


@pytest.mark.parametrize(
    ("known", "said"),
    [({}, "Order.options: expected its schema"), ({"colour": integer()}, "found .'colour'.")],
)
def test_what_is_not_known_of_a_dataclass_is_a_mistake(known: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said):
        fields_of(Order, **known)
