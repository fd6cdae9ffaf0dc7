"""Kafka trigger on EVENTS, `messages.stored`: receivers that want a message get a post each."""

from __future__ import annotations

from functions._trigger import trigger

handler = trigger("webhooks")
