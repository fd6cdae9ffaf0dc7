"""What `sam build` makes, for the machine at hand: its architecture, its Python, its addresses."""

from __future__ import annotations

import json
import os
import platform
import subprocess
from collections.abc import Iterable
from pathlib import Path

from localstack.emulator.intrinsics import parse

ROOT = Path(__file__).resolve().parents[2]
MOST_SECONDS = 180  # for a function: a small machine that does much at once is no AWS
SAM = ROOT / ".venv/deploy/bin/sam"


class SamError(Exception):
    """SAM did not do what it was asked to do."""


def architecture() -> str:
    """This machine's, as Lambda calls it."""
    return "arm64" if platform.machine().lower() in ("arm64", "aarch64") else "x86_64"


def runtime() -> str:
    """The version of Python that the template wants."""
    common = parse((ROOT / "template.yaml").read_text("utf-8"))["Globals"]["Function"]
    return str(common["Runtime"]).removeprefix("python")


def build(folder: Path, *, version: str, variables: Iterable[str]) -> Path:
    """Builds functions and layer; the template to invoke them by.

    Args:
        folder: Where to.
        version: Of Python.
        variables: What functions are told beside what the template tells them.

    Raises:
        SamError: It failed.
    """
    machine = {"arm64": "aarch64"}.get(architecture(), architecture())
    done = subprocess.run(
        [SAM, "build", "-t", ROOT / "template.yaml", "-b", folder, "--build-in-source"],
        cwd=ROOT,
        env=environment({"LAYER_MACHINE": machine, "LAYER_PYTHON": version}),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SamError(f"sam build: {done.stderr.strip()[-2000:]}")
    path = folder / "template.yaml"
    path.write_text(adapted(path.read_text("utf-8"), version=version, variables=variables), "utf-8")
    return path


def adapted(template: str, *, version: str, variables: Iterable[str]) -> str:
    """A template for this machine; SAM passes on only those variables that a template names."""
    document = parse(template)
    common = document["Globals"]["Function"]
    common |= {"Runtime": f"python{version}", "Architectures": [architecture()]}
    common["Environment"]["Variables"] |= dict.fromkeys(variables, "")
    for one in document["Resources"].values():
        if one["Type"] == "AWS::Serverless::Function":
            one["Properties"]["Timeout"] = MOST_SECONDS
    del common["Layers"]  # it is in the image: SAM would add it again at each invocation
    return json.dumps(document, indent=1)


def environment(more: dict[str, str]) -> dict[str, str]:
    """For SAM; without bytecode it would compile itself at each start."""
    own = {"AWS_DEFAULT_REGION": "us-east-1", "SAM_CLI_TELEMETRY": "0"}
    return {**os.environ, **own, "PYTHONDONTWRITEBYTECODE": "", **more}
