"""Kafka trigger on EVENTS, `messages.stored`: who is offline is notified on their phone."""

from __future__ import annotations

from functions._trigger import trigger

handler = trigger("mobile_push")
