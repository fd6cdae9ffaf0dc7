"""The two Kafka topics: their records, and which consumer group takes what."""

from __future__ import annotations

from collections.abc import Mapping

from chalicelib.asyncapi import account
from chalicelib.asyncapi.commands import commands
from chalicelib.asyncapi.events import events
from chalicelib.asyncapi.fields import message_references
from chalicelib.broker import EVENTS, TASKS
from chalicelib.http.schema import JsonObject, string

SERVER: JsonObject = {
    "host": "{brokers}",
    "protocol": "kafka",
    "description": "Parameter Store says where the brokers are and how to log in, as "
    "`/lambchat/{stage}/mq/lambchat` or `/lambchat/{stage}/mq/default`.",
    "variables": {"brokers": {"description": "Bootstrap addresses, comma separated."}},
}
GROUPS: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "fanout": (TASKS, ("deliver",)),
    "tasks": (
        TASKS,
        (
            "drain",
            "receipt",
            "presence",
            "close",
            "change",
            "broadcast",
            "broadcast_chunk",
            "push_chunk",
            "clear_group",
            "clear_attachment",
            "password_reset",
            "send_scheduled",
            *account.COMMANDS,
        ),
    ),
    "statistics": (EVENTS, ("messages.stored",)),
    "webhooks": (EVENTS, ("messages.stored", "messages.changed")),
    "mobile_push": (EVENTS, ("messages.stored",)),
    "webhook_posts": (TASKS, ("post_webhook",)),
    "breakers": (EVENTS, ("breaker.changed",)),
}


def channels() -> JsonObject:
    """Both topics with the records in them."""
    return {
        TASKS: _channel(TASKS, "Commands, each carried out once.", commands()),
        EVENTS: _channel(EVENTS, "What happened, to every listener.", events()),
    }


def operations() -> JsonObject:
    """Who sends to the topics, and one operation for each consumer group."""
    found: JsonObject = {
        "enqueue": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{TASKS}"},
            "summary": "A service hands on work.",
        },
        "publish": {
            "action": "send",
            "channel": {"$ref": f"#/channels/{EVENTS}"},
            "summary": "Whoever wants to know is told.",
        },
    }
    for group, (topic, names) in GROUPS.items():
        group_id = string(pattern=f"lambchat-.+-{group}")
        found[group] = {
            "action": "receive",
            "channel": {"$ref": f"#/channels/{topic}"},
            "summary": f"functions/{group}.py, or a worker.",
            "messages": message_references(topic, names),
            "bindings": {"kafka": {"groupId": group_id, "bindingVersion": "0.5.0"}},
        }
    return found


def _channel(topic: str, title: str, messages: JsonObject) -> JsonObject:
    return {
        "address": topic,
        "title": title,
        "servers": [{"$ref": "#/servers/kafka"}],
        "messages": messages,
        "bindings": {"kafka": {"topic": topic, "bindingVersion": "0.5.0"}},
    }
