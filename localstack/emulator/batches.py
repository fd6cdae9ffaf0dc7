"""Kafka records as Lambda gets them, and what became of them.

Shapes: https://docs.aws.amazon.com/lambda/latest/dg/with-msk.html and
https://docs.aws.amazon.com/lambda/latest/dg/kafka-retry-configurations.html
"""

from __future__ import annotations

import base64
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

MAX_PAYLOAD_BYTES = 6 * 1024 * 1024  # Lambda quota: request payload
_ENVELOPE_BYTES = 64 * 1024
_RECORD_BYTES = 300  # of JSON around a record's key, value and headers


@dataclass(frozen=True, slots=True)
class Record:
    """A Kafka record."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]]

    @property
    def place(self) -> str:
        """Topic and partition as Lambda names them."""
        return f"{self.topic}-{self.partition}"

    @property
    def size(self) -> int:
        """About how many bytes it takes in an event."""
        headers = sum(len(name) + 5 * len(value) for name, value in self.headers)
        body = len(self.key or b"") + len(self.value or b"")
        return _RECORD_BYTES + headers + body * 4 // 3


def event(records: Sequence[Record], arn: str, bootstrap: str) -> bytes:
    """The trigger's event; one may mix partitions."""
    places: dict[str, list[dict[str, Any]]] = {}
    for record in records:
        places.setdefault(record.place, []).append(_record(record))
    source = "aws:kafka" if arn else "SelfManagedKafka"
    envelope: dict[str, Any] = {"eventSource": source, "bootstrapServers": bootstrap}
    if arn:
        envelope["eventSourceArn"] = arn
    return json.dumps({**envelope, "records": places}, separators=(",", ":")).encode()


def _record(record: Record) -> dict[str, Any]:
    body: dict[str, Any] = {
        "topic": record.topic,
        "partition": record.partition,
        "offset": record.offset,
        "timestamp": record.timestamp,
        "timestampType": "CREATE_TIME",
        "headers": [{name: _signed(value)} for name, value in record.headers],
    }
    if record.key is not None:
        body["key"] = base64.b64encode(record.key).decode()
    if record.value is not None:
        body["value"] = base64.b64encode(record.value).decode()
    return body


def _signed(value: bytes) -> list[int]:
    """Bytes as Java has them, in which Lambda's pollers are written."""
    return [one - 256 if one > 127 else one for one in value]


def portions(records: Sequence[Record], batch_size: int) -> Iterator[list[Record]]:
    """Cuts records so that each portion fits one invocation."""
    taken: list[Record] = []
    size = _ENVELOPE_BYTES
    for record in records:
        if taken and (len(taken) == batch_size or size + record.size > MAX_PAYLOAD_BYTES):
            yield taken
            taken, size = [], _ENVELOPE_BYTES
        taken.append(record)
        size += record.size
    if taken:
        yield taken


def failures(payload: bytes, batch: Iterable[Record]) -> Mapping[str, int]:
    """The first failed offset of each place in a partial batch response.

    Raises:
        ValueError: The response is malformed, or names a record that is not in the batch: a
            failure of the whole batch, or what failed in truth would be lost.
    """
    known = {(record.place, record.offset) for record in batch}
    answer = json.loads(payload or b"null")
    if answer is None:
        return {}
    try:
        found: dict[str, int] = {}
        for item in answer.get("batchItemFailures") or ():
            identifier = item["itemIdentifier"]
            place, offset = str(identifier["partition"]), int(identifier["offset"])
            if (place, offset) not in known:
                raise ValueError(f"itemIdentifier {place}, {offset}: not in the batch")
            found[place] = min(offset, found.get(place, offset))
    except (AttributeError, KeyError, TypeError) as error:
        raise ValueError("malformed batchItemFailures") from error
    return found
