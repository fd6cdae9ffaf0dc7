"""Kafka trigger on TASKS, `post_webhook`: receivers are told, each for itself."""

from __future__ import annotations

from functions._trigger import trigger

handler = trigger("webhook_posts")
