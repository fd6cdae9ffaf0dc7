"""A dead letter as the record that it was."""

from __future__ import annotations

import json

from chalicelib.broker import EVENTS
from chalicelib.broker.records import encode_command, encode_event, traced
from chalicelib.models import DeadLetter
from chalicelib.mq import Message


def record(letter: DeadLetter) -> Message:
    """The record to be sent again: with its key, in its trace, its attempts counted anew."""
    return Message(
        letter.topic, letter.key.encode() or None, _value(letter), traced(letter.trace_id)
    )


def _value(letter: DeadLetter) -> bytes:
    if letter.raw:
        return letter.raw
    args = json.loads(letter.args)
    if letter.topic == EVENTS:
        version = letter.version or "1.0"
        return encode_event(letter.name, version, args, listener=letter.listener)
    return encode_command(letter.name, args, idempotency_key=letter.idempotency_key)
