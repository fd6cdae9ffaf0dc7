"""CloudWatch metrics in the embedded metric format: a log line is all that they cost a caller.

https://docs.aws.amazon.com/AmazonCloudWatch/latest/monitoring/CloudWatch_Embedded_Metric_Format.html
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

NAMESPACE = "lambchat"


def emit(values: Mapping[str, float | Sequence[float]], **dimensions: str) -> None:
    """Writes counts and gauges that belong together as one line.

    Several values of one metric, up to 100, are what percentiles are made of.
    """
    # Powertools costs 60 ms to import, and most invocations emit nothing.
    from aws_lambda_powertools.metrics import EphemeralMetrics, MetricUnit

    metrics = EphemeralMetrics(namespace=NAMESPACE)
    for dimension, text in dimensions.items():
        metrics.add_dimension(dimension, text)
    for name, value in values.items():
        unit = MetricUnit.Milliseconds if name.endswith("Milliseconds") else MetricUnit.Count
        for one in value if isinstance(value, Sequence) else (value,):
            metrics.add_metric(name, unit, one)
    metrics.flush_metrics()


class Counters:
    """Counts since the start, emitted as what was added since the last time."""

    def __init__(self) -> None:
        self._emitted: Mapping[str, float] = {}

    def emit(self, counts: Mapping[str, float], **dimensions: str) -> None:
        """Emits the increments, unless there is none."""
        new = {name: count - self._emitted.get(name, 0) for name, count in counts.items()}
        self._emitted = dict(counts)
        if any(new.values()):
            emit(new, **dimensions)
