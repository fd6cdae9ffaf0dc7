#!/bin/sh
# What `sam build` calls for each function and for the layer, in the project's folder: code alone in
# the functions, everything else once in the layer. Runs on any machine: wheels for arm64, no pip.
# LAYER_MACHINE and LAYER_PYTHON are for `sam local invoke` on other machines.
set -eu
target=$2
case $1 in
code)
  cp -R app.py chalicelib functions "$target"
  find "$target" -name __pycache__ -prune -exec rm -rf {} +
  find "$target" -name '*.md' -delete
  ;;
dependencies)
  # Amazon Linux 2023, which the runtime is, has glibc 2.34. boto3 and its like come with the runtime.
  .venv/bin/uv pip install -q --no-deps --require-hashes --target "$target/python" --only-binary :all: \
    --python-platform "${LAYER_MACHINE:-aarch64}-manylinux_2_28" --python-version "${LAYER_PYTHON:-3.13}" \
    -r requirements/lambda.txt
  rm -rf "$target/python/bin" "$target/python/.lock"
  ;;
esac
