"""``python -m chalicelib.asyncapi [--check] [path]``: writes the document, or checks the file."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from chalicelib.asyncapi.document import text

PATH = Path(__file__).parents[2] / "docs" / "asyncapi.json"


def main(arguments: Sequence[str] | None = None) -> int:
    """Writes or checks; 1 when the file is not current."""
    parser = argparse.ArgumentParser(prog="python -m chalicelib.asyncapi", description=__doc__)
    parser.add_argument("--check", action="store_true", help="only say whether it is current")
    parser.add_argument("path", nargs="?", type=Path, default=PATH, help="docs/asyncapi.json")
    options = parser.parse_args(arguments)
    if not options.check:
        options.path.write_text(text(), encoding="utf-8")
    elif not options.path.exists() or options.path.read_text(encoding="utf-8") != text():
        print(f"{options.path} is not current: run {parser.prog}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
