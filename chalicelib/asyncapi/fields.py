"""JSON Schemas of dataclasses: what the code passes on is what the document says."""

from __future__ import annotations

import inspect
import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import MISSING, fields
from enum import StrEnum
from typing import Any, get_type_hints

from chalicelib.frames import MAX_ID_LENGTH
from chalicelib.http.schema import (
    JsonObject,
    Schema,
    boolean,
    integer,
    obj,
    optional,
    string,
    timestamp,
)

ID = string(min_length=1, max_length=MAX_ID_LENGTH)
SEQ = integer(minimum=1)
NUMBER: Schema = {"type": "number"}
_BY_NAME: Mapping[str, Schema] = {"id": ID, "seq": SEQ, "created_at": timestamp()}
_BY_TYPE: Mapping[type, Schema] = {
    str: string(),
    int: integer(),
    float: NUMBER,
    bool: boolean(),
}
_ATTRIBUTE = re.compile(r"^    (\w+): (.+(?:\n {8}.+)*)", re.MULTILINE)


def record(**members: Schema) -> JsonObject:
    """An object of these members and any others: who reads one ignores what it does not know."""
    schema = dict(obj(**members))
    del schema["additionalProperties"]
    return schema


def message_references(channel: str, names: Iterable[str]) -> list[JsonObject]:
    """Some messages of a channel."""
    return [{"$ref": f"#/channels/{channel}/messages/{name}"} for name in names]


def fields_of(
    cls: type, /, *, leave_out: Collection[str] = (), **known: Schema
) -> dict[str, Schema]:
    """The fields of a dataclass as members of an object; those with a default are optional.

    Args:
        cls: The dataclass; the section Attributes of its docstring describes its fields.
        leave_out: Fields that are not passed on.
        known: The schemas of fields whose type does not say enough.

    Raises:
        TypeError: A field's type has no schema, or ``known`` has a name that is no field's.
    """
    types = get_type_hints(cls)
    if unknown := known.keys() - types.keys():
        raise TypeError(f"{cls.__name__}: expected fields, found {sorted(unknown)}")
    described = dict(_ATTRIBUTE.findall(inspect.getdoc(cls) or ""))
    found: dict[str, Schema] = {}
    for one in fields(cls):
        if one.name in leave_out:
            continue
        schema = known.get(one.name) or _schema(cls, one.name, types[one.name])
        if one.name in described:
            schema = {**schema, "description": " ".join(described[one.name].split())}
        has_default = one.default is not MISSING or one.default_factory is not MISSING
        found[one.name] = optional(schema) if has_default else schema
    return found


def _schema(cls: type, name: str, kind: Any) -> Schema:
    if schema := _BY_NAME.get("id" if name.endswith("_id") else name):
        return schema
    if schema := _BY_TYPE.get(kind):
        return schema
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return string(choices=[one.value for one in kind])
    raise TypeError(f"{cls.__name__}.{name}: expected its schema, for {kind} does not give one")
