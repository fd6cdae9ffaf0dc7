"""What else could carry the topics (decision 0009), and what servers of another kind cost."""

from __future__ import annotations

import math

from bench.prices import DAYS, HOURS, KEPT_DAYS, Workload, price

SERVER_MESSAGES_A_SECOND = (
    600  # OpenIM's own sizing for 8 cores and 16 GB (its benchmark_test page)
)
PEAK = 5  # times the average


def transports(load: Workload, serverless: float) -> dict[str, float]:
    """A month of what may carry TASKS and EVENTS: decision 0009."""
    gb, records = load.text_gb, DAYS * load.frames * 3
    disk = max(10.0, gb * KEPT_DAYS / DAYS * 2)
    broker = price("msk_t3_small_hours", HOURS) + price("msk_storage_gb_months", disk)
    kinesis = price("kinesis_shard_hours", HOURS * 4) + price("kinesis_puts", records)
    return {
        "MSK Serverless": serverless,
        "MSK, 3 × `kafka.t3.small`": 3 * broker,
        "MSK, 2 × `kafka.t3.small`": 2 * broker,
        "Apache Kafka or Redpanda, one `t4g.small`": price("t4g_small_hours", HOURS)
        + price("ebs_gb_months", disk),
        "the same on Fargate": price("fargate_quarter_hours", HOURS) + price("ebs_gb_months", disk),
        "Kinesis, 4 shards (a second transport)": kinesis,
        "SQS FIFO (a second transport)": price("sqs_fifo_requests", 3 * records),
    }


def servers(load: Workload) -> tuple[int, float]:
    """Servers as OpenIM sizes them, one more than the load needs, and their month's dollars."""
    peak = load.messages / 86_400 * PEAK
    count = math.ceil(peak / SERVER_MESSAGES_A_SECOND) + 1 if load.messages else 2
    disk = 100 + load.text_gb
    out = price("gb_out", max(0.0, load.text_gb * 2 - 100))
    one = price("c7g_2xlarge_hours", HOURS) + price("ebs_gb_months", disk)
    return count, count * one + out
