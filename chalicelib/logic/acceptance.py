"""The hook before a message is accepted: a function of the operator's refuses or alters it.

Where none is configured (``policy/acceptance``), a send costs one look at the policy's copy more.
"""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.context import Context
from chalicelib.errors import IMError, RefusedError, UnavailableError
from chalicelib.frames import MAX_CONTENT_BYTES

logger = logging.getLogger(__name__)

MAX_METADATA_BYTES = 1024
_MAX_REASON_CHARACTERS = 200
_MAX_TIMEOUT_MS = 5000  # of the 9 s within which a frame is answered
_FUNCTION = re.compile(r"[A-Za-z0-9:_$-]{1,170}")  # a name or ARN, with a version or alias
_MEMBERS = {"function", "timeout_ms", "on_failure"}


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptancePolicy:
    """Which function reviews messages; parameter ``policy/acceptance``.

    Attributes:
        function: Its name or ARN; empty for none.
        timeout_ms: How long it may take.
        accepts_on_failure: Whether messages pass unseen where it does not answer.
    """

    function: str = ""
    timeout_ms: int = 1000
    accepts_on_failure: bool = True


class Invoke(Protocol):
    """Calls a function and waits; UnavailableError where it does not answer well in time."""

    def __call__(self, function: str, payload: Any, *, timeout_seconds: float) -> Any: ...


Verdict = IMError | Mapping[str, Any]


class AcceptanceHook:
    """Has messages reviewed before they are accepted."""

    def __init__(self, policy: Callable[[], AcceptancePolicy], invoke: Invoke) -> None:
        self._policy = policy
        self._invoke = invoke

    def is_on(self) -> bool:
        """Whether a function is configured."""
        return bool(self._policy().function)

    def review(
        self, ctx: Context, kind: str, messages: Sequence[Mapping[str, Any]]
    ) -> list[Verdict]:
        """What becomes of messages that one user sends, or of one that is edited.

        Args:
            ctx: Of the request.
            kind: ``send`` or ``edit``.
            messages: As they would be stored.

        Returns:
            For each what is to be altered of it (``content``, ``metadata``), or an error.

        Raises:
            UnavailableError: The function does not answer, and the policy does not let pass.
        """
        policy = self._policy()
        payload = {
            "kind": kind,
            "trace_id": ctx.trace_id,
            "messages": [{k: v for k, v in one.items() if k != "seq"} for one in messages],
        }
        try:
            answer = self._invoke(
                policy.function, payload, timeout_seconds=policy.timeout_ms / 1000
            )
            return _verdicts(answer, len(messages))
        except UnavailableError as error:
            fields = {"error": str(error), "accepted": policy.accepts_on_failure}
            logger.warning("messages were not reviewed", extra=fields)
            if not policy.accepts_on_failure:
                raise
            return [{}] * len(messages)


def parse_acceptance(text: str) -> AcceptancePolicy:
    """Reads the document.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = json.loads(text)
    if not isinstance(document, dict) or document.keys() - _MEMBERS:
        raise ValueError(f"expected a JSON object of {', '.join(sorted(_MEMBERS))}")
    function = document.get("function", "")
    if function and not (isinstance(function, str) and _FUNCTION.fullmatch(function)):
        raise ValueError("function: expected the name or ARN of a Lambda function")
    timeout_ms = document.get("timeout_ms", AcceptancePolicy().timeout_ms)
    if type(timeout_ms) is not int or not 1 <= timeout_ms <= _MAX_TIMEOUT_MS:
        raise ValueError(f"timeout_ms: expected a whole number, 1 to {_MAX_TIMEOUT_MS}")
    on_failure = document.get("on_failure", "accept")
    if on_failure not in ("accept", "refuse"):
        raise ValueError("on_failure: expected accept or refuse")
    return AcceptancePolicy(
        function=function or "",
        timeout_ms=timeout_ms,
        accepts_on_failure=on_failure == "accept",
    )


def _verdicts(answer: Any, count: int) -> list[Verdict]:
    found = answer.get("messages") if isinstance(answer, dict) else None
    if not isinstance(found, list) or len(found) != count:
        raise UnavailableError(f"the function answered no list of {count} messages")
    return [_verdict(one) for one in found]


def _verdict(one: Any) -> Verdict:
    if not isinstance(one, dict) or one.keys() - {"refuse", "content", "metadata"}:
        raise UnavailableError("the function answered something else than a verdict")
    if "refuse" in one:
        return RefusedError(str(one["refuse"])[:_MAX_REASON_CHARACTERS])
    content, metadata = one.get("content", ""), one.get("metadata", {})
    if not isinstance(content, str) or len(content.encode()) > MAX_CONTENT_BYTES:
        raise UnavailableError(f"content: expected at most {MAX_CONTENT_BYTES} bytes of text")
    if not isinstance(metadata, dict) or len(json.dumps(metadata).encode()) > MAX_METADATA_BYTES:
        raise UnavailableError(f"metadata: expected an object of {MAX_METADATA_BYTES} bytes")
    return one
