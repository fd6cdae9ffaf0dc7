"""Looks into what `sam build` made: only what runs, for the right machine, and not too much of it.

python infra/content.py FOLDER
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path

MOST_BYTES = 60_000_000  # layer and code, unzipped; Lambda takes 250 MB, a cold start reads it all
CODE = {"app.py", "chalicelib", "functions"}
# The runtime has them: a second copy costs 26 MB in each environment.
OF_THE_RUNTIME = {"boto3", "botocore", "s3transfer", "urllib3"}
NOT_TO_RUN = {"tests", "web", "docs", "localstack", "bench", "__pycache__", "pip", "setuptools"}
AARCH64 = 183  # e_machine of an ELF file


def problems(build: Path) -> Iterator[str]:
    """What is wrong, a sentence each."""
    layer = build / "Dependencies" / "python"
    functions = [one for one in sorted(build.glob("*Function")) if one.is_dir()]
    if not functions or not layer.is_dir():
        yield f"{build}: expected functions and the layer Dependencies"
        return
    for function in functions:
        yield from _of_function(function)
    yield from _of_layer(layer)
    if (found := size(functions[0]) + size(layer)) > MOST_BYTES:
        yield f"code and layer: expected {MOST_BYTES:,} bytes at the most, found {found:,}"


def _of_function(function: Path) -> Iterator[str]:
    names = {one.name for one in function.iterdir()}
    if names != CODE:
        yield f"{function.name}: expected {sorted(CODE)}, found {sorted(names)}"
    if unwanted := {one.name for one in function.rglob("*")} & NOT_TO_RUN:
        yield f"{function.name}: {sorted(unwanted)} do not run"


def _of_layer(layer: Path) -> Iterator[str]:
    if twice := {one.name for one in layer.iterdir()} & (OF_THE_RUNTIME | NOT_TO_RUN):
        yield f"the layer: {sorted(twice)} come with the runtime, or do not run"
    for library in sorted(layer.rglob("*.so*")):
        if int.from_bytes(library.read_bytes()[18:20], "little") != AARCH64:
            yield f"the layer: {library.name} is not for arm64"


def size(folder: Path) -> int:
    """The bytes of all files."""
    return sum(one.stat().st_size for one in folder.rglob("*") if one.is_file())


def main(build: Path) -> int:
    """Prints what is wrong, or how large everything is; the exit code."""
    found = list(problems(build))
    for problem in found:
        print(problem, file=sys.stderr)
    if not found:
        code, layer = size(build / "SendFunction"), size(build / "Dependencies")
        print(f"package: code {code / 1e6:.1f} MB, layer {layer / 1e6:.1f} MB, unzipped")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1])))
