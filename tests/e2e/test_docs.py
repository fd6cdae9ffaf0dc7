"""What README and docs show is true: examples run, targets and paths exist."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import urllib.request
import uuid
from pathlib import Path

import pytest

from tests.e2e.system import System

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", page.read_text(), re.DOTALL)


@pytest.mark.req("APP-18")
def test_the_readmes_client_works(system: System, tmp_path: Path) -> None:
    (example,) = blocks(ROOT / "README.md", "python")
    script = tmp_path / "client.py"
    example = example.replace("http://127.0.0.1:8080", system.url)
    example = example.replace("ws://127.0.0.1:8081/local", system.websocket_url)
    script.write_text(example.replace('"zoe"', f'"zoe-{uuid.uuid4().hex[:8]}"'))

    done = subprocess.run(
        [sys.executable, str(script)], check=True, capture_output=True, text=True, timeout=60
    )

    assert json.loads(done.stdout)["type"] in ("sent", "messages")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_make_target_and_every_link_exists(page: Path) -> None:
    text = page.read_text()
    makefiles = "".join((ROOT / name).read_text() for name in ("Makefile", "infra/deploy.mk"))
    targets = set(re.findall(r"^([a-z-]+):", makefiles, re.MULTILINE))
    named = set(re.findall(r"`make ([a-z-]+)", text)) | set(
        re.findall(r"^make ([a-z-]+)", "\n".join(blocks(page, "sh")), re.MULTILINE)
    )
    links = re.findall(r"\]\(([^)#]+)\)", text)

    assert named <= targets
    missing = [
        link for link in links if not link.startswith("http") and not (page.parent / link).exists()
    ]
    assert missing == []


@pytest.mark.req("IM-7")
def test_every_path_of_the_api_is_in_the_documentation(system: System) -> None:
    page = (ROOT / "docs" / "02_http_api.md").read_text()
    with urllib.request.urlopen(system.url + "/v1/openapi.json", timeout=30) as answer:
        paths = json.load(answer)["paths"]

    missing = [path for path in paths if f"`{path.removeprefix('/v1')}" not in page]

    assert [one for one in missing if one not in ("/v1/openapi.json", "/v1/docs")] == []


@pytest.mark.req("IM-7")
def test_every_table_is_in_the_documentation() -> None:
    page = (ROOT / "docs" / "05_data_models.md").read_text()
    tables = re.findall(r"lambchat-\$\{Stage\}-([a-z-]+)", (ROOT / "infra/tables.yaml").read_text())

    assert [name for name in tables if f"`{name}`" not in page] == []


def test_the_readme_is_short_and_the_makefile_too() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= 150
    assert len((ROOT / "Makefile").read_text().splitlines()) <= 60
