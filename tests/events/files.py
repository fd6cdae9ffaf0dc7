"""The event files: a name stands in them for what differs from run to run."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

_NUMBERS = re.compile(r"\[\s+(?:-?\d+,\s+)*-?\d+\s+\]")
FOLDER = Path(__file__).parent / "functions"
Change = Callable[[str], str]


def masked(event: Any, names: Mapping[str, str]) -> Any:
    """An event with names instead of the values of this run."""
    longest_first = sorted(names.items(), key=lambda pair: -len(pair[1]))

    def mask(text: str) -> str:
        for name, value in longest_first:
            text = text.replace(value, f"{{{{{name}}}}}")
        return text

    return changed(event, mask)


def filled(event: Any, names: Mapping[str, str]) -> Any:
    """An event with the values of this run instead of names."""

    def fill(text: str) -> str:
        for name, value in names.items():
            text = text.replace(f"{{{{{name}}}}}", value)
        return text

    return changed(event, fill)


def changed(value: Any, change: Change) -> Any:
    """An event with each text changed, those inside of Kafka's records too."""
    match value:
        case {"topic": _, "partition": _, "offset": _}:  # a record of Kafka: base64 inside
            own = {name: _inside(value[name], change) for name in ("key", "value") if name in value}
            return {**value, **own}
        case dict():
            return {name: changed(one, change) for name, one in value.items()}
        case list():
            return [changed(one, change) for one in value]
        case str():
            return change(value)
        case _:
            return value


def _inside(text: str, change: Change) -> str:
    return base64.b64encode(change(base64.b64decode(text).decode()).encode()).decode()


def read(function: str) -> Any:
    """A function's event, with names."""
    return json.loads((FOLDER / f"{function}.json").read_text("utf-8"))


def write(function: str, event: Any) -> None:
    """Keeps a function's event, with names."""
    text = json.dumps(event, indent=2, ensure_ascii=False)
    text = _NUMBERS.sub(lambda found: " ".join(found[0].split()), text)  # headers, on one line
    (FOLDER / f"{function}.json").write_text(text + "\n", "utf-8")
