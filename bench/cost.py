"""What a month costs: ``python -m bench.cost`` prints the tables of docs/operations/costs.md.

Prices are data (prices.json), and so is how often and how long functions run (usage.json, measured
by bench.usage). What DynamoDB does for each step is what docs/05_data_models.md says: `UNITS`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from bench.alternatives import servers, transports
from bench.prices import DAYS, HOURS, KEPT_DAYS, WORKLOADS, Workload, price

FOLDER = Path(__file__).parent
TEMPLATES = FOLDER.parent / "infra"
USAGE = json.loads((FOLDER / "usage.json").read_text())["functions"]
PARTITIONS = 24
REST_REQUESTS = 10  # of a user and day
MEMORY_GB = {"api": 1.0, "fanout": 1.0}  # template.yaml; the others have 256 MB
AWS_FACTOR = 4  # assumed: 256 MB have a seventh of a core, but half of the time is waiting
# Row of docs/05_data_models.md: (reads, writes) each time; a test compares them with the page.
UNITS = {
    "a batch of messages of one direct conversation, both online": (2.0, 1.0),
    "send": (2.0, 0.0),
    "ack": (4.0, 1.0),
    "connect": (7.0, 2.0),
}


def costs(load: Workload) -> dict[str, float]:
    """A month's dollars by component."""
    return {
        "API Gateway, messages": price("websocket_messages", DAYS * _socket_messages(load)),
        "API Gateway, connection minutes": price(
            "connection_minutes", DAYS * load.users * load.hours_online * 60
        ),
        "API Gateway, REST": price("rest_requests", DAYS * REST_REQUESTS * load.users),
        "Lambda": _lambda(load),
        "DynamoDB": _dynamodb(load),
        "MSK Serverless, cluster": price("kafka_cluster_hours", HOURS)
        + price("kafka_partition_hours", HOURS * PARTITIONS),
        "MSK Serverless, data": _kafka_data(load),
        "NAT gateway": _nat(load),
        "Data to the internet": price("gb_out", max(0.0, load.text_gb * 2 - 100)),
        "Logs, metrics, traces": _monitoring(load),
        "Attachments (S3)": _attachments(load),
    }


def alarm_metrics() -> int:
    """How many metrics the alarms of the template watch."""
    alarms = (TEMPLATES / "monitoring.yaml").read_text().split("  Dashboard:")[0]
    return len(re.findall(r"MetricName:", alarms))


def _socket_messages(load: Workload) -> float:
    """Frames both ways: `send` and `sent`, `messages` to both, `ack`, `acked` and `receipt`, pings.

    Frames above 32 KB count for each 32 KB.
    """
    pieces = math.ceil(load.batch * load.message_bytes / 32_768)
    frame = 2 * pieces + 1 + 3
    pings = load.users * load.hours_online * 60 / 5
    return load.frames * frame + 2 * pings


def _invocations(load: Workload) -> dict[str, float]:
    """A day's invocations: measured ones for each message, and schedules."""
    measured = USAGE["batched" if load.batch > 1 else "single"]
    found = {
        name: load.messages * float(measured[name]["invocations"])
        for name in ("send", "fanout", "ack", "tasks")
    }
    found["statistics"] = min(load.frames, 86_400 / 5)  # a window of 5 s
    found["authorizer"] = found["connect"] = found["disconnect"] = load.connections
    found["ping"] = load.users * load.hours_online * 60 / 5
    found["api"] = REST_REQUESTS * load.users
    found["schedules"] = 3 * 1440
    return found


def _lambda(load: Workload) -> float:
    total = 0.0
    for name, count in _invocations(load).items():
        ms = float(USAGE["single"].get(name, {"billed_ms": 5})["billed_ms"]) * AWS_FACTOR
        gb_seconds = DAYS * count * ms / 1000 * MEMORY_GB.get(name, 0.25)
        total += price("lambda_requests", DAYS * count) + price("lambda_gb_seconds", gb_seconds)
    return total


def _dynamodb(load: Workload) -> float:
    batch, send, ack, connect = UNITS.values()
    size = math.ceil(load.batch * load.message_bytes / 1024)
    acks = load.messages * float(
        USAGE["batched" if load.batch > 1 else "single"]["ack"]["invocations"]
    )
    reads = load.frames * (batch[0] + send[0]) + acks * ack[0] + load.connections * connect[0]
    writes = load.frames * batch[1] * size + load.messages / 16
    writes += acks * ack[1] + load.connections * connect[1]
    stored = load.text_gb / 2  # in the middle of the first month
    return (
        price("dynamodb_reads", DAYS * reads)
        + price("dynamodb_writes", DAYS * writes)
        + price("dynamodb_gb_months", stored)
        + price("dynamodb_backup_gb_months", stored)
    )


def _kafka_data(load: Workload) -> float:
    """A record of TASKS a frame, and of EVENTS and a receipt; each topic has two readers."""
    written = load.text_gb + DAYS * load.frames * 2 * 300 / 1e9
    return (
        price("kafka_gb_in", written)
        + price("kafka_gb_out", 2 * written)
        + price("kafka_gb_months", written * KEPT_DAYS / DAYS)
    )


def _nat(load: Workload) -> float:
    """Posts to connections go through it: 500 bytes of headers with each."""
    posts = DAYS * load.frames * 3
    through = 2 * load.text_gb + posts * 500 / 1e9
    return price("nat_hours", HOURS) + price("address_hours", HOURS) + price("nat_gb", through)


def _monitoring(load: Workload) -> float:
    invocations = DAYS * sum(_invocations(load).values())
    gb = invocations * 700 / 1e9 + DAYS * _socket_messages(load) / 2 * 300 / 1e9
    traces = min(invocations, DAYS * 86_400) + 0.05 * invocations  # 1 a second, and 5 %
    return (
        price("log_gb", gb)
        + price("log_gb_months", gb)
        + price("metrics", 30)
        + price("alarm_metrics", alarm_metrics())
        + price("traces", traces)
    )


def _attachments(load: Workload) -> float:
    files = DAYS * load.messages * load.attachments
    return price("s3_puts", files) + price("s3_gets", files) + price("s3_gb_months", files * 3e-4)


def table(title: str, columns: Mapping[str, Mapping[str, float]]) -> str:
    """A Markdown table with a total."""
    rows = list(next(iter(columns.values())))
    lines = [f"| {title} | {' | '.join(columns)} |", "|---|" + "---:|" * len(columns)]
    for row in rows:
        lines.append(f"| {row} | {' | '.join(_usd(one[row]) for one in columns.values())} |")
    return "\n".join(lines)


def main() -> None:
    """Prints the tables."""
    print(report())


def report() -> str:
    """All tables, as docs/operations/costs.md has them."""
    components, other = {}, {}
    for load in WORKLOADS:
        for one in (load, replace(load, name=f"{load.name}, frames of 25", batch=25)):
            if load.messages or one is load:
                found = costs(one)
                components[one.name] = {**found, "**all**": sum(found.values())}
        count, dollars = servers(load)
        other[load.name] = {f"{count} servers of 8 cores and 16 GB": dollars}
    carried = {load.name: transports(load, _msk(load)) for load in WORKLOADS}
    return "\n\n".join(
        (
            table("component", components),
            table("transport", carried),
            table("OpenIM's sizing, and one more", other),
        )
    )


def _msk(load: Workload) -> float:
    return sum(usd for name, usd in costs(load).items() if name.startswith("MSK"))


def _usd(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 or value == 0 else f"{value:.2f}"


if __name__ == "__main__":
    main()
