"""Kafka trigger on TASKS, `deliver` commands: messages are numbered, stored and delivered."""

from __future__ import annotations

from functions._trigger import trigger

handler = trigger("fanout")
