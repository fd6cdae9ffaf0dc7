#!/bin/sh
# Pins with hashes and without index addresses; dev is the widest, the others agree with it.
set -eu
cd "$(dirname "$0")"
compile="../.venv/bin/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header"
$compile dev.in -o dev.txt
$compile -c dev.txt local.in -o local.txt
$compile -c dev.txt runtime.in -o runtime.txt
$compile ministack.in -o ministack.txt
$compile -c ministack.txt ministack.in ministack_sam.in -o ministack_sam.txt
$compile schemathesis.in -o schemathesis.txt
$compile deploy.in -o deploy.txt
$compile uv.in -o uv.txt
# Newer packages no longer agree with it; it has no version for every platform and Python at once.
../.venv/bin/uv pip compile -q --python-version 3.13 --python-platform x86_64-manylinux_2_28 --exclude-newer 2026-03-10 \
  --generate-hashes --no-emit-index-url --no-header localstack.in -o localstack.txt
# The package: runtime.txt without what the runtime brings (boto3's family) and without what only the
# command lines of chalice and of the signer use, for the platform of the functions alone.
there="boto3 botocore jmespath python-dateutil s3transfer six urllib3"
unused="blessed click editor inquirer jinxed packaging pip pycparser pyyaml readchar runs setuptools wcwidth wheel xmod"
for name in $there $unused; do leave_out="${leave_out:-} --no-emit-package $name"; done
../.venv/bin/uv pip compile -q --generate-hashes --no-emit-index-url --no-header -c runtime.txt runtime.in \
  --python-platform aarch64-manylinux_2_28 --python-version 3.13 --only-binary :all: $leave_out -o lambda.txt
