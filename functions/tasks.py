"""Kafka trigger on TASKS, every command but `deliver`."""

from __future__ import annotations

from functions._trigger import trigger

handler = trigger("tasks")
