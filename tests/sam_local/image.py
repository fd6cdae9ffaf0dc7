"""The base image of a Python runtime, made of a Python of this machine.

For machines that no registry can be reached from: the same folders, variables and entry points as
AWS's image, the runtime client from PyPI, the system's libraries. SAM adds the rest.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

from tests.sam_local.docker import Docker, DockerError

ROOT = Path(__file__).resolve().parents[2]
_ABOUT = """
import json, sys, sysconfig
print(json.dumps({
    "version": "%d.%d" % sys.version_info[:2],
    "executable": getattr(sys, "_base_executable", sys.executable),
    "libraries": sysconfig.get_path("stdlib"),
}))
"""
_NOT_TO_RUN = ("test", "tests", "idlelib", "tkinter", "ensurepip", "turtledemo", "lib2to3")
_LEFT_OUT = shutil.ignore_patterns(
    "site-packages", "dist-packages", "__pycache__", "config-*", "_tkinter*", *_NOT_TO_RUN
)
_TOOLS = ("sh", "cp", "mv", "chmod", "mkdir", "rm")  # what SAM's Dockerfile calls
# The loader takes these to be everywhere: so does every wheel.
_SYSTEM = ("libgcc_s.so.1", "libstdc++.so.6", "libz.so.1", "libdl.so.2", "libpthread.so.0")
_SYSTEM += ("librt.so.1", "libutil.so.1", "libresolv.so.2", "libm.so.6", "libnss_dns.so.2")
_BOOTSTRAP = """#!/bin/sh
export PYTHONPATH="$LAMBDA_TASK_ROOT:/opt/python:$LAMBDA_RUNTIME_DIR"
exec /var/lang/bin/python{version} -m awslambdaric "$_HANDLER"
"""
_VARIABLES = {
    "PATH": "/var/lang/bin:/usr/bin:/bin:/opt/bin",
    "LANG": "C.UTF-8",
    "TZ": ":UTC",
    "LAMBDA_TASK_ROOT": "/var/task",
    "LAMBDA_RUNTIME_DIR": "/var/runtime",
}


def find_python(version: str) -> dict[str, str]:
    """The Python of a runtime, or, where there is none, the one that runs this."""
    # One that pyenv keeps is not on the path until it is chosen.
    kept = sorted(Path.home().glob(f".pyenv/versions/{version}.*/bin/python{version}"))
    for command in (f"python{version}", *map(str, kept), sys.executable):
        done = None
        if shutil.which(command):
            done = subprocess.run([command, "-c", _ABOUT], capture_output=True, check=False)
        if done is not None and done.returncode == 0:
            found: dict[str, str] = json.loads(done.stdout)
            return found
    raise DockerError(f"there is no Python {version} to make an image of")


def build(docker: Docker, name: str, python: dict[str, str], folder: Path) -> None:
    """Makes the image in a folder, and imports it under a name."""
    _copy_python(python, folder)
    _copy_tools(folder)
    _copy_libraries(folder)
    for empty in ("tmp", "opt", "var/task", "var/rapid", "proc", "sys", "dev"):
        (folder / empty).mkdir(parents=True, exist_ok=True)
    (folder / "tmp").chmod(0o1777)
    (folder / "etc").mkdir(exist_ok=True)
    (folder / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    changes = [f"ENV {name}={value}" for name, value in _VARIABLES.items()]
    changes += ["WORKDIR /var/task", 'ENTRYPOINT ["/var/runtime/bootstrap"]']
    docker.load(folder, name, changes)


def _copy_python(python: dict[str, str], folder: Path) -> None:
    version = python["version"]
    (folder / "var/lang/bin").mkdir(parents=True)
    shutil.copy(python["executable"], folder / f"var/lang/bin/python{version}")
    libraries = folder / f"var/lang/lib/python{version}"
    shutil.copytree(python["libraries"], libraries, ignore=_LEFT_OUT)
    runtime = folder / "var/runtime"
    command = [ROOT / ".venv/bin/uv", "pip", "install", "-q", "--target", runtime]
    command += ["--python-version", version, "--only-binary", ":all:"]
    command += ["-c", ROOT / "requirements/local.txt", "awslambdaric", "boto3"]
    subprocess.run(command, check=True)
    bootstrap = runtime / "bootstrap"
    bootstrap.write_text(_BOOTSTRAP.format(version=version))
    bootstrap.chmod(0o755)


def _copy_tools(folder: Path) -> None:
    (folder / "bin").mkdir()
    for tool in _TOOLS:
        shutil.copy(str(shutil.which(tool)), folder / "bin" / tool)


def _copy_libraries(folder: Path) -> None:
    """What the copied programs and extensions are linked with, where they look for it."""
    binaries = [path for path in folder.rglob("*") if path.is_file() and _is_elf(path)]
    for library in _linked_with(binaries) | _of_every_system():
        target = folder / library.lstrip("/")
        if not target.exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(library, target)


def _is_elf(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x7fELF"


def _linked_with(binaries: Iterable[Path]) -> set[str]:
    done = subprocess.run(["ldd", *binaries], capture_output=True, text=True, check=False)
    named = re.findall(r"(/\S+) \(0x", done.stdout)
    return {os.path.abspath(one) for one in named}


def _of_every_system() -> set[str]:
    known = subprocess.run(["/sbin/ldconfig", "-p"], capture_output=True, text=True, check=True)
    found = re.findall(r"^\s*(\S+) \(.*64.*\) => (/\S+)$", known.stdout, re.MULTILINE)
    return {path for name, path in found if name in _SYSTEM}
