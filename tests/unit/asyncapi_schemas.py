"""What docs/asyncapi.json says, and whether a frame or record is as it says."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from chalicelib.asyncapi.__main__ import PATH
from chalicelib.errors import FieldError
from chalicelib.http.schema import JsonObject, Schema, check, integer, string

DOCUMENT: JsonObject = json.loads(PATH.read_text())
CHANNELS, OPERATIONS = DOCUMENT["channels"], DOCUMENT["operations"]


def follow(reference: str) -> Any:
    """What a ``$ref`` leads to."""
    found: Any = DOCUMENT
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def messages() -> Iterator[tuple[str, str, JsonObject]]:
    """Channel, name and body of every message."""
    for channel, body in DOCUMENT["channels"].items():
        for name, message in body["messages"].items():
            yield channel, name, message


EXAMPLES: list[tuple[str, str, JsonObject]] = [
    (channel, name, example["payload"])
    for channel, name, message in messages()
    for example in message["examples"]
]
RECORDS = [one for one in EXAMPLES if one[0] != "websocket"]


def named(references: list[JsonObject]) -> dict[str, JsonObject]:
    """The messages that an operation has."""
    return {one["$ref"].rpartition("/")[2]: follow(one["$ref"]) for one in references}


def wrong(schema: Schema, value: JsonObject) -> list[FieldError]:
    """What is not as the schema says; a member that it does not have is wrong, too."""
    found = list(check(_plain(schema, value), _without_fractions(value)))
    alternatives = [set(one["required"]) for one in schema.get("oneOf", ())]
    if alternatives and sum(one <= value.keys() for one in alternatives) != 1:
        found.append(FieldError(field="", message=f"expected one of {alternatives}"))
    return found


def matching(among: Mapping[str, JsonObject], value: JsonObject) -> list[str]:
    """Of some messages those that a value may be."""
    return [name for name, message in among.items() if not wrong(message["payload"], value)]


def _plain(schema: Schema, value: Any) -> Schema:
    """The schema in the words that `check` knows: no references, maps or fractions."""
    if "$ref" in schema:
        return _plain(follow(schema["$ref"]), value)
    if "anyOf" in schema:
        return {"anyOf": [_plain(one, value) for one in schema["anyOf"]]}
    if schema["type"] == "number":
        return {"anyOf": [integer(), string(pattern="fraction .+")]}
    if schema["type"] == "array":
        return {**schema, "items": _plain(schema["items"], None)}
    if schema["type"] == "object":
        given: Mapping[str, Any] = value if isinstance(value, Mapping) else {}
        if not {"properties", "additionalProperties"} & schema.keys():
            return schema  # any members
        members = schema.get("properties") or dict.fromkeys(given, schema["additionalProperties"])
        plain = {name: _plain(one, given.get(name)) for name, one in members.items()}
        return {**schema, "properties": plain, "additionalProperties": False}
    return schema


def _without_fractions(value: JsonObject) -> Any:
    return json.loads(json.dumps(value), parse_float=lambda text: f"fraction {text}")
