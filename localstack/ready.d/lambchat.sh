#!/bin/sh
# Makes what lambchat needs in the AWS APIs and in Kafka: tables, parameters, buckets, the signing key,
# the topics. What is there stays. compose.yaml calls it, and so may anybody: LocalStack and MiniStack
# would run it in their own container, whose Python has none of our packages.
set -eu
cd "$(dirname "$0")/../.."
export AWS_ENDPOINT_URL="${AWS_ENDPOINT_URL:-http://127.0.0.1:4566}"
export AWS_ACCESS_KEY_ID=test AWS_SECRET_ACCESS_KEY=test AWS_REGION=us-east-1 AWS_DEFAULT_REGION=us-east-1
export STAGE=local KAFKA_BROKERS="${KAFKA_BROKERS:-127.0.0.1:9092}"
export PYTHONPATH="$PWD"
state="${STATE:-.data/ready.json}"
mkdir -p "$(dirname "$state")"
attempts=0
until .venv/bin/python -c 'import os, urllib.request; urllib.request.urlopen(os.environ["AWS_ENDPOINT_URL"] + "/_localstack/health", timeout=5).close()' 2>/dev/null; do
  attempts=$((attempts + 1))
  if [ $attempts -ge 60 ]; then echo "$AWS_ENDPOINT_URL does not answer" >&2; exit 1; fi
  sleep 1
done
.venv/bin/python -m localstack.emulator.deploy --template template.yaml --parameter Stage=local \
  --parameter "KafkaBootstrap=$KAFKA_BROKERS" --aws "$AWS_ENDPOINT_URL" --state "$state"
.venv/bin/python -m chalicelib.cli init --partitions 4 --replication 1
