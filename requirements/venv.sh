#!/bin/sh
# Makes the virtual environment $1 with the first Python from 3.11 on, and puts the pinned uv in it.
set -eu
for python in python3 python3.14 python3.13 python3.12 python3.11 ""; do
  if [ -z "$python" ]; then echo "lambchat needs Python 3.11 or newer" >&2; exit 1; fi
  "$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && break
done
echo "setting up $1 with $("$python" --version)"
"$python" -m venv "$1" || { echo "the module venv is missing: install python3-venv" >&2; exit 1; }
"$1/bin/python" -m pip install -q --disable-pip-version-check --require-hashes -r requirements/uv.txt
