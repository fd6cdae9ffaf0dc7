"""``Idempotency-Key``: a repeated request is answered as the first one was.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
from collections.abc import Callable

from chalicelib import bootstrap_accounts as accounts
from chalicelib.errors import InvalidFieldError
from chalicelib.http.schema import JsonObject, Schema, string

HEADER = "Idempotency-Key"
KEY: Schema = string(
    min_length=1,
    max_length=128,
    pattern=r"[!-~]+",
    description="A repetition with the same key and body within 24 hours gets the same answer.",
)
_KEY = re.compile(r"[\x21-\x7e]{1,128}")

StatusAndText = tuple[int, str]


def once(
    key: str, *, caller: str, route: str, body: JsonObject, work: Callable[[str], StatusAndText]
) -> StatusAndText:
    """Does the work unless it was done before.

    Args:
        key: The header's value.
        caller: Whose key it is: two callers may use the same one.
        route: Method and path.
        body: What is asked for.
        work: Takes the operation id; its answer is kept, an error it raises is not.

    Raises:
        InvalidFieldError: The key is not 1 to 128 visible ASCII characters.
        IdempotencyConflictError: The key belongs to another request, or to one that is running.
    """
    if not _KEY.fullmatch(key):
        raise InvalidFieldError.at(HEADER, "expected 1 to 128 visible ASCII characters")
    table = accounts.idempotency_table()
    attempt = table.begin(_digest(caller, key), _fingerprint(key, route, body))
    if attempt.status:
        return attempt.status, attempt.answer
    try:
        status, text = work(attempt.operation_id)
    except BaseException:
        table.abandon(attempt)
        raise
    table.finish(attempt, status, text)
    return status, text


def _digest(caller: str, key: str) -> str:
    return hashlib.sha256(f"{caller}\0{key}".encode()).hexdigest()


def _fingerprint(key: str, route: str, body: JsonObject) -> str:
    """Keyed, for a body may hold a password: without the key, which is not stored, none fits."""
    text = json.dumps([route, body], sort_keys=True)
    return hmac.digest(key.encode(), text.encode(), "sha256").hex()
