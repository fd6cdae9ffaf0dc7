"""Kafka trigger on EVENTS: receivers that want a message, or its change, get a post each."""

from __future__ import annotations

from functions._trigger import trigger

handler = trigger("webhooks")
