"""JSON Schemas: built by functions, checked here, shown in the OpenAPI document as they are.

Only the keywords that these functions write are understood:
https://json-schema.org/draft/2020-12/json-schema-validation
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from chalicelib.errors import FieldError

Schema = Mapping[str, Any]
JsonObject = dict[str, Any]

# What JSON can say and UTF-8 or the store cannot: NUL, and half of a surrogate pair.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_KINDS: Mapping[str, type[Any]] = {
    "string": str,
    "integer": int,
    "boolean": bool,
    "array": list,
    "object": dict,
    "null": type(None),
}
# In a class of a pattern: `\s` means one thing to Python, and another to JSON Schema.
BLANK = r"\x00-\x20\x7f-\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000\ufeff"
_OPTIONAL = "x-optional"
REQUIRED = "x-required"


def string(
    *,
    min_length: int = 0,
    max_length: int | None = None,
    pattern: str = "",
    choices: Sequence[str] = (),
    **more: Any,
) -> Schema:
    """Text; lengths are in characters, and a pattern is for the whole of it."""
    schema: dict[str, Any] = {"type": "string", **more}
    if min_length:
        schema["minLength"] = min_length
    if max_length is not None:
        schema["maxLength"] = max_length
    if pattern:
        schema["pattern"] = f"^(?:{pattern})$"
    if choices:
        schema["enum"] = list(choices)
    return schema


def timestamp() -> Schema:
    """A time in answers."""
    return {"type": "string", "format": "date-time"}


def integer(
    *, minimum: int | None = None, maximum: int | None = None, default: int | None = None
) -> Schema:
    """A whole number."""
    limits = {"minimum": minimum, "maximum": maximum, "default": default}
    return {"type": "integer", **{k: v for k, v in limits.items() if v is not None}}


def boolean(*choices: bool) -> Schema:
    """True or false."""
    return {"type": "boolean", **({"enum": list(choices)} if choices else {})}


def array(items: Schema, *, max_items: int | None = None, min_items: int = 0) -> Schema:
    """A list."""
    schema: dict[str, Any] = {"type": "array", "items": items}
    if min_items:
        schema["minItems"] = min_items
    if max_items is not None:
        schema["maxItems"] = max_items
    return schema


def obj(title: str = "", /, **members: Schema) -> Schema:
    """An object of exactly these members; with a title it is a named schema of the document."""
    schema: dict[str, Any] = {"title": title} if title else {}
    return schema | {
        "type": "object",
        "properties": {
            name: {key: value for key, value in member.items() if key != _OPTIONAL}
            for name, member in members.items()
        },
        "required": [name for name, member in members.items() if _OPTIONAL not in member],
        "additionalProperties": False,
    }


def some_of(title: str, /, **members: Schema) -> Schema:
    """An object of at least one of these members."""
    return {**obj(title, **{k: optional(v) for k, v in members.items()}), "minProperties": 1}


def open_object() -> Schema:
    """An object of any members, in answers."""
    return {"type": "object"}


def optional(schema: Schema) -> Schema:
    """A member that may be left out."""
    return {**schema, _OPTIONAL: True}


def required(schema: Schema) -> Schema:
    """A query parameter that may not be left out."""
    return {**schema, REQUIRED: True}


def any_of(*alternatives: Schema) -> Schema:
    """What fits one of them."""
    return {"anyOf": list(alternatives)}


def nullable(schema: Schema) -> Schema:
    """What may be null instead."""
    return any_of(schema, {"type": "null"})


def page_of(title: str, items: Schema) -> Schema:
    """One page of a list."""
    return obj(title, items=array(items), next_cursor=nullable(string()))


def check(schema: Schema, value: Any, field: str = "") -> Iterator[FieldError]:
    """Compares a value with its schema.

    Yields:
        What is wrong, for each field that is.
    """
    if "anyOf" in schema:
        yield from _check_alternatives(schema["anyOf"], value, field)
        return
    if not schema:
        return  # anything
    kind = schema["type"]
    if not isinstance(value, _KINDS[kind]) or (isinstance(value, bool) and kind == "integer"):
        yield FieldError(field=field, message=f"expected {_article(kind)}")
    elif kind == "object":
        yield from _check_members(schema, value, field)
    elif kind == "array":
        yield from _check_items(schema, value, field)
    elif wrong := _wrong_scalar(schema, value):
        yield FieldError(field=field, message=wrong)


def _check_alternatives(
    alternatives: Sequence[Schema], value: Any, field: str
) -> Iterator[FieldError]:
    """What is wrong with the one that was meant: the one with most of the value's members."""
    found = [(_misfits(one, value), list(check(one, value, field))) for one in alternatives]
    if all(wrong for _, wrong in found):
        yield from min(found, key=lambda one: (one[0], len(one[1])))[1]


def _misfits(schema: Schema, value: Any) -> int:
    if not isinstance(value, dict):
        return 0
    missing = set(schema.get("required", ())) - value.keys()
    return len(missing) + len(value.keys() - schema.get("properties", {}).keys())


def _check_members(schema: Schema, value: JsonObject, field: str) -> Iterator[FieldError]:
    properties = schema.get("properties", {})
    prefix = f"{field}." if field else ""
    if len(value) < schema.get("minProperties", 0):
        yield FieldError(field=field, message=f"expected some of {', '.join(properties)}")
    for name in schema.get("required", ()):
        if name not in value:
            yield FieldError(field=prefix + name, message="missing")
    for name, member in value.items():
        if name in properties:
            yield from check(properties[name], member, prefix + name)
        elif not schema.get("additionalProperties", True):
            shown = _UNSTORABLE.sub("\ufffd", name[:64])
            yield FieldError(field=prefix + shown, message="unknown or read-only")


def _check_items(schema: Schema, value: list[Any], field: str) -> Iterator[FieldError]:
    least, most = schema.get("minItems", 0), schema.get("maxItems")
    if len(value) < least or (most is not None and len(value) > most):
        yield FieldError(field=field, message=f"expected {_range(least, most)} items")
        return
    for at, item in enumerate(value):
        yield from check(schema["items"], item, f"{field}.{at}")


def _wrong_scalar(schema: Schema, value: Any) -> str:
    if isinstance(value, str):
        return _wrong_text(schema, value)
    if value not in schema.get("enum", (value,)):
        return f"expected {json.dumps(schema['enum'][0])}"
    if "minimum" in schema and value < schema["minimum"]:
        return f"expected at least {schema['minimum']}"
    if "maximum" in schema and value > schema["maximum"]:
        return f"expected at most {schema['maximum']}"
    return ""


def _wrong_text(schema: Schema, value: str) -> str:
    least, most = schema.get("minLength", 0), schema.get("maxLength")
    if _UNSTORABLE.search(value):
        return "expected text without NUL and unpaired surrogates"
    if len(value) < least or (most is not None and len(value) > most):
        return f"expected {_range(least, most)} characters"
    if "enum" in schema and value not in schema["enum"]:
        return "expected one of " + ", ".join(repr(choice) for choice in schema["enum"])
    # Not search: `$` is before a final line feed too, other than in JSON Schema's own dialect.
    if "pattern" in schema and not re.fullmatch(schema["pattern"], value):
        return f"expected {schema.get('description') or 'the pattern ' + schema['pattern']}"
    return ""


def _range(least: int, most: int | None) -> str:
    return f"at least {least}" if most is None else f"{least} to {most}"


def _article(kind: str) -> str:
    return f"an {kind}" if kind[0] in "aeiou" else "null" if kind == "null" else f"a {kind}"
