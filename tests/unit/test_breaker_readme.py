from __future__ import annotations

import re
from pathlib import Path

import pytest

README = Path(__file__).parents[2] / "chalicelib" / "breaker" / "README.md"
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", README.read_text(), re.DOTALL | re.MULTILINE)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == README.read_text().count("```") // 2 >= 4


@pytest.mark.req("BRK-6")
@pytest.mark.parametrize("example", EXAMPLES, ids=range(len(EXAMPLES)))
def test_an_example_runs(example: str) -> None:
    exec(compile(example, str(README), "exec"), {"__name__": "example"})


def test_the_table_has_the_built_in_policy() -> None:
    from chalicelib.breaker import Policy

    rows = re.findall(r"^\| `(\w+)` \| ([\d.]+) \|", README.read_text(), re.MULTILINE)

    assert {name: float(value) for name, value in rows} == {
        name: float(getattr(Policy(), name)) for name in Policy.__dataclass_fields__
    }
