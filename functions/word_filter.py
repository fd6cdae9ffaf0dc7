"""An example of a hook before messages are accepted: messages with certain words are refused.

``policy/acceptance`` names it; docs/operations.md says what such a function gets and answers.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import Any

_MASK = "***"


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Refuses a message that is nothing else; covers the words in any other."""
    words = os.environ["FORBIDDEN_WORDS"].split(",")
    pattern = re.compile("|".join(rf"\b{re.escape(word)}\b" for word in words), re.IGNORECASE)
    return {"messages": [_verdict(pattern, one["content"]) for one in event["messages"]]}


def _verdict(pattern: re.Pattern[str], content: str) -> dict[str, Any]:
    if pattern.fullmatch(content.strip()):
        return {"refuse": "this word is not said here"}
    covered, count = pattern.subn(_MASK, content)
    return {"content": covered, "metadata": {"covered": count}} if count else {}
