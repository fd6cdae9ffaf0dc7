"""A parameter changed, or a minute is over: the configuration is checked, its snapshot renewed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chalicelib import bootstrap_policies as policies
from chalicelib import metrics
from chalicelib.logs import new_logger

logger = new_logger()


def handler(event: Mapping[str, Any], _context: object) -> None:
    """Reads everything: a change event carries no value, and its forerunner may have been lost."""
    name = event.get("detail", {}).get("name")
    if name is not None and not name.startswith(policies.prefix()):
        return
    report = policies.watcher().refresh()
    counts = {"PoliciesChanged": report.changes, "PoliciesRefused": len(report.refused)}
    if any(counts.values()):
        metrics.emit(counts)
