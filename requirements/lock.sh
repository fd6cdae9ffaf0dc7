#!/bin/sh
# Pins with hashes and without index addresses; dev is the widest, the others agree with it.
set -eu
cd "$(dirname "$0")"
compile="../.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header"
$compile dev.in -o dev.txt
$compile -c dev.txt local.in -o local.txt
$compile -c dev.txt runtime.in -o runtime.txt
$compile ministack.in -o ministack.txt
$compile uv.in -o uv.txt
