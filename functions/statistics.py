"""Kafka trigger on EVENTS, `messages.stored`: messages are counted."""

from __future__ import annotations

from functions._trigger import trigger

handler = trigger("statistics")
