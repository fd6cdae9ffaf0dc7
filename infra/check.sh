#!/bin/sh
# Lints the templates, checks them against policies, builds them, and looks into the packages.
# $1: the environment of the tools, $2: where to build.
set -eu
tools=$1 build=${2:-.data/package}
export AWS_DEFAULT_REGION="${AWS_DEFAULT_REGION:-us-east-1}" SAM_CLI_TELEMETRY=0
"$tools/bin/cfn-lint" infra/*.yaml
"$tools/bin/sam" validate --lint -t template.yaml
"$tools/bin/checkov" --config-file infra/checkov.yml -f template.yaml infra/*.yaml
mkdir -p "$build"
"$tools/bin/sam" build -t template.yaml -b "$build" --build-in-source >"$build.log" 2>&1 || { cat "$build.log"; exit 1; }
.venv/bin/python infra/content.py "$build"
