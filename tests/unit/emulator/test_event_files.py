"""What functions are invoked with, kept in files."""

from __future__ import annotations

import json
from pathlib import Path

from localstack.emulator.event_files import EventFiles


def test_each_function_has_a_file_with_an_event_a_line(tmp_path: Path) -> None:
    events = EventFiles(tmp_path / "new")

    events.keep("One", b'{"n": 1}')
    events.keep("Two", b'{"n":\n 2}')
    events.keep("One", b'{"n": 3}')

    lines = (tmp_path / "new" / "One.jsonl").read_text().splitlines()
    assert [json.loads(line)["n"] for line in lines] == [1, 3]
    assert json.loads((tmp_path / "new" / "Two.jsonl").read_text()) == {"n": 2}
