"""What each function answers to its event file."""

from __future__ import annotations

import json
from typing import Any

_FRAMES = {
    "AckFunction": "acked",
    "ChangeFunction": "ok",
    "DefaultFunction": "error",
    "PingFunction": "pong",
    "PresenceFunction": "ok",
    "SendFunction": "sent",
    "SyncFunction": "synced",
}
_STATUS = {"statusCode": 200}
_EXPECTED: dict[str, dict[str, Any]] = {
    "ApiFunction": _STATUS,
    "AuthorizerFunction": {"policyDocument": {"Statement": [{"Effect": "Allow"}]}},
    "ConnectFunction": _STATUS,
    "DisconnectFunction": _STATUS,
    "RetentionFunction": {"finished": True},
    "RotateKeysFunction": {},
    "SetupFunction": {"Status": "SUCCESS"},
    "TypingFunction": _STATUS,
    "VanishedFunction": {},
    "WordFilterFunction": {"messages": [{"content": "this is *** here"}]},
}


def problem(function: str, text: str) -> str:
    """What is wrong with an answer, or nothing."""
    try:
        answer = json.loads(text)
    except ValueError:
        return f"expected JSON, found {text[-500:]!r}"
    if function in _FRAMES:
        answer = {**answer, "body": json.loads(answer.get("body") or "null")}
        expected: Any = {**_STATUS, "body": {"type": _FRAMES[function]}}
    else:
        expected = _EXPECTED.get(function)  # triggers answer nothing
    return "" if _has(answer, expected) else f"expected {expected}, found {text[-500:]}"


def _has(found: Any, expected: Any) -> bool:
    """Whether everything expected is there; objects may have more members."""
    match expected:
        case dict():
            return isinstance(found, dict) and all(
                name in found and _has(found[name], one) for name, one in expected.items()
            )
        case list():
            return isinstance(found, list) and all(map(_has, found, expected))
        case _:
            return bool(found == expected)
