"""What can go wrong with a call."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_TRANSIENT = frozenset({500, 502, 503, 504})


@dataclass(slots=True)
class AwsError(Exception):
    """An AWS service refused a call, or could not be reached (``status`` 0).

    Attributes:
        code: The error's name, for example ``ConditionalCheckFailedException``.
        message: What the service said.
        status: The HTTP status, 0 when there was no answer.
        retry_after: Seconds before which the same call is not worth while, where known.
        item: ``Item`` of a failed condition, where it was asked for.
    """

    code: str
    message: str
    status: int
    item: Mapping[str, Any] | None = None
    retry_after: float | None = None

    def __str__(self) -> str:
        return f"{self.code}: {self.message}"

    @property
    def transient(self) -> bool:
        """Whether the same call may succeed later."""
        return (
            self.status == 0
            or self.status in _TRANSIENT
            or self.code.startswith(("Throttling", "ProvisionedThroughput", "RequestLimit"))
        )
