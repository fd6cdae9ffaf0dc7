"""Prices (prices.json), and the days that they are applied to."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

DAYS = 30
HOURS = 730
KEPT_DAYS = 7  # of Kafka's topics
PRICES = json.loads((Path(__file__).parent / "prices.json").read_text())["prices"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """A day, in direct conversations where both are online, one device each."""

    name: str
    messages: float
    users: float
    hours_online: float = 4.0
    batch: int = 1  # messages in a frame
    message_bytes: int = 500  # as a frame, a record and an item have it
    attachments: float = 0.01  # of the messages, 300 KB each

    @property
    def frames(self) -> float:
        """A day's `send` frames."""
        return self.messages / self.batch

    @property
    def text_gb(self) -> float:
        """A month's messages."""
        return DAYS * self.messages * self.message_bytes / 1e9

    @property
    def connections(self) -> float:
        """Each lives two hours at the most."""
        return self.users * math.ceil(self.hours_online / 2)


WORKLOADS = (
    Workload(name="idle", messages=0, users=0),
    Workload(name="1k a day", messages=1_000, users=50),
    Workload(name="100k a day", messages=100_000, users=5_000),
    Workload(name="10M a day", messages=10_000_000, users=500_000),
)


def price(name: str, amount: float) -> float:
    """Dollars for an amount in single units."""
    entry = PRICES[name]
    return float(entry["usd"]) * amount / float(entry["per"])
