"""The commands of a user's data, by name: what each does, its arguments, and an example."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.asyncapi.fields import ID
from chalicelib.http.schema import Schema, array, boolean, integer, optional, string

_ERASURE: Mapping[str, Schema] = {
    "user_id": ID,
    "again": {**boolean(), "description": "whether this is the second time, which is the last"},
}
_ERASED = {"user_id": "ann", "again": False}
_EXPORT: Mapping[str, Schema] = {"user_id": ID, "export_id": ID}
_EXPORTED = {"user_id": "ann", "export_id": "x-1"}

COMMANDS: Mapping[str, tuple[str, Mapping[str, Schema], Mapping[str, object]]] = {
    "erase_account": ("A deleted account is closed.", _ERASURE, _ERASED),
    "erase_relations": ("Some friends, requests and blocks of it go.", _ERASURE, _ERASED),
    "leave_groups": (
        "It leaves some groups, after others have taken over what it owns.",
        {**_ERASURE, "group_ids": array(ID)},
        {**_ERASED, "group_ids": ["g-1"]},
    ),
    "erase_conversations": ("It leaves some conversations.", _ERASURE, _ERASED),
    "erase_attachments": (
        "Some of its files go, but those that messages have.",
        {**_ERASURE, "after": optional(string(description="the key after which to go on"))},
        _ERASED,
    ),
    "finish_erasure": ("Its exports go, and all of it begins again or is over.", _ERASURE, _ERASED),
    "export_data": (
        "Some of a user's data is read.",
        {**_EXPORT, "step": integer(minimum=0)},
        {**_EXPORTED, "step": 0},
    ),
    "finish_export": ("The user gets a link to the whole.", _EXPORT, _EXPORTED),
}
