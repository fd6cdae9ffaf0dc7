"""The tree is what the requirements and docs/01_overview.md say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TOP_LEVEL = """
    app.py chalicelib/ functions/ infra/ docs/ tests/ template.yaml localstack/
    README.md CONTRIBUTING.md CHANGELOG.md LICENSE Makefile pyproject.toml requirements/ web/
"""
# What repositories share has no table of its own.
SHARED_BY_REPOSITORIES = {"dynamodb", "queries", "s3"}


def modules(folder: str) -> set[str]:
    return {path.stem for path in (ROOT / folder).glob("*.py") if not path.stem.startswith("_")}


def roles() -> dict[str, set[str]]:
    """The paths that the overview's table gives for each role."""
    section = (ROOT / "docs" / "01_overview.md").read_text().split("## Roles")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\w+) \| (.+?) \|", section, re.MULTILINE)
    return {role: set(expand(where)) for role, where in rows if "`" in where}


def expand(where: str) -> list[str]:
    """`a/{b,c}.py` as two paths."""
    found: list[str] = []
    for pattern in re.findall(r"`([^`]+)`", where):
        before, _, rest = pattern.partition("{")
        names, _, after = rest.partition("}")
        found.extend(before + name + after for name in names.split(","))
    return found


@pytest.mark.req("SHAPE-1")
@pytest.mark.parametrize("name", TOP_LEVEL.split())
def test_the_top_level_has_what_it_must(name: str) -> None:
    path = ROOT / name

    assert path.is_dir() if name.endswith("/") else path.is_file()


@pytest.mark.req("IM-1")
def test_each_of_the_four_roles_has_its_place_in_the_tree() -> None:
    found = roles()

    assert set(found) == {"gateway", "logic", "repo", "task"}
    assert [path for paths in found.values() for path in paths if not (ROOT / path).exists()] == []


@pytest.mark.req("IM-1")
def test_every_function_has_exactly_one_role() -> None:
    named = [path for paths in roles().values() for path in paths if path.startswith("functions/")]

    assert sorted(named) == sorted(f"functions/{name}.py" for name in modules("functions"))


@pytest.mark.req("IM-12")
def test_every_service_has_its_unit_tests() -> None:
    tested = {name.removeprefix("test_") for name in modules("tests/unit")}

    assert modules("chalicelib/logic") - tested == set()


@pytest.mark.req("IM-12")
def test_every_repository_is_tested_on_a_real_store() -> None:
    tested = {
        name.removeprefix("test_").removesuffix("_repo") for name in modules("tests/contract")
    }

    assert modules("chalicelib/repo") - SHARED_BY_REPOSITORIES - tested == set()


@pytest.mark.req("TASK-2")
def test_kafka_is_connected_to_in_one_place() -> None:
    connecting = re.compile(r"\b(mq\.)?new_(producer|consumer|admin_client)\(")
    files = [
        path
        for folder in ("chalicelib", "functions")
        for path in (ROOT / folder).rglob("*.py")
        if not path.is_relative_to(ROOT / "chalicelib" / "mq")
        and connecting.search(path.read_text())
    ]

    assert files == [ROOT / "chalicelib" / "broker" / "connection.py"]
