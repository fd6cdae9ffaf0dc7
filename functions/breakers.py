"""Kafka trigger on EVENTS, `breaker.changed`: circuit breakers' changes are kept."""

from __future__ import annotations

from functions._trigger import trigger

handler = trigger("breakers")
