"""The commands and events of docs/asyncapi.json are those that the code takes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib import frames
from chalicelib.broker import TASKS, Broker, Command, decode
from chalicelib.broker.records import again
from chalicelib.context import Context
from chalicelib.http.schema import JsonObject
from chalicelib.logic.sync import Undrained
from chalicelib.mq import Message, Producer
from chalicelib.mq.options import collect
from chalicelib.task import (
    commands,
    commands_account,
    commands_changes,
    commands_groups,
    integration,
    listeners,
)
from chalicelib.task.outbox import Outbox
from tests.unit.asyncapi_schemas import CHANNELS, OPERATIONS, RECORDS, messages, named, wrong
from tests.unit.broker_fakes import Fixture, trigger_event
from tests.unit.test_mq import ProducerDriver


@pytest.mark.req("MQ-6")
def test_records_have_the_headers_that_the_document_says() -> None:
    driver = ProducerDriver()

    Producer(driver, collect(())).send_sync(Context(), Message(TASKS, None, b"{}"))

    sent = {name: value.decode() for name, value in driver.sent[0].headers.items()}
    described = [one["headers"] for channel, _, one in messages() if channel != "websocket"]
    assert len(described) == len(RECORDS)
    assert [wrong(one, sent) for one in described] == [[]] * len(described)


def test_a_record_that_is_tried_again_is_as_the_document_says() -> None:
    for topic, name, example in RECORDS:
        command = replace(as_command(topic, example), attempt=2)
        if topic == TASKS:
            message = again(replace(command, idempotency_key="k"))
        else:
            message = again(command, listener="statistics")

        labels = json.loads(message.value).keys() - example.keys()
        schema = CHANNELS[topic]["messages"][name]["payload"]
        assert labels == schema["properties"].keys() - set(schema["required"])
        assert wrong(schema, json.loads(message.value)) == []


GROUP_OF = {"deliver": "fanout", "post_webhook": "webhook_posts"}


class Services:
    """All of those that commands and events are for."""

    def __init__(self) -> None:
        self.calls = 0

    def take(self, found: Sequence[object], **_: object) -> list[Any]:
        self.calls += len(found)
        return []

    deliver = notify = count = record = apply = take

    def spread(self, notice: object) -> None:
        self.take([notice])

    push = spread_changes = spread

    def close(self, *_: object) -> None:
        self.calls += 1

    erase_relations = erase_conversations = erase_exports = carry_out = finish = close
    send_token = send = leave = clear = close

    def groups_of(self, _user_id: str) -> list[str]:
        return []

    def drain(self, found: Sequence[object]) -> Undrained:
        return Undrained(self.take(found), [])


def everything_registered(on: Fixture, services: Services) -> Broker:
    commands.register_deliver(on.broker, lambda: services)
    commands.register_others(
        on.broker,
        sync=lambda: services,
        receipts=lambda: services,
        outbox=Outbox(on.kafka, on.delays),
    )
    asked = SimpleNamespace(tell=services.take, close=services.take)
    commands.register_presence(
        on.broker,
        news=lambda: asked,
        presence=lambda: asked,
        outbox=Outbox(on.kafka, on.delays),
    )
    commands_changes.register_changes(on.broker, lambda: services)
    commands.register_broadcasts(on.broker, lambda: services)
    commands.register_password_resets(on.broker, lambda: services)
    commands.register_scheduled(on.broker, lambda: services)
    files = SimpleNamespace(erase=services.close, clear=services.close)
    commands_account.register_erasure(on.broker, lambda: services, lambda: services, lambda: files)
    commands_account.register_attachments(on.broker, lambda: files)
    commands_groups.register_groups(
        on.broker,
        large_groups=lambda: SimpleNamespace(push=services.take),
        endings=lambda: services,
    )
    commands_account.register_exports(on.broker, lambda: services)
    told = SimpleNamespace(deliver=services.close)
    integration.register_webhooks(on.broker, fanout=lambda: services, delivery=lambda: told)
    integration.register_mobile_push(on.broker, lambda: services)
    listeners.register(on.broker, statistics=lambda: services, breakers=lambda: services)
    return on.broker


def as_command(topic: str, value: JsonObject) -> Command:
    message = Message(topic, b"key", frames.dump(value).encode())
    (command,) = decode(trigger_event(message))
    return command


@pytest.mark.req("TASK-3", "TASK-4")
def test_each_consumer_group_takes_what_the_document_says() -> None:
    services = Services()
    broker = everything_registered(Fixture(), services)
    groups = {name: one for name, one in OPERATIONS.items() if "groupId" in str(one)}

    assert groups.keys() == broker.groups.keys()
    for group, operation in groups.items():
        assert operation["channel"]["$ref"] == f"#/channels/{broker.groups[group]}"
        for topic, name, example in RECORDS:
            before = services.calls
            if topic == broker.groups[group]:
                broker.run(group, [as_command(topic, example)])
            assert services.calls - before == (name in named(operation["messages"]))


@pytest.mark.parametrize(
    ("group", "example", "field"),
    [
        (GROUP_OF.get(name, "tasks"), example, field)
        for topic, name, example in RECORDS
        if topic == TASKS
        for field in example["args"]
    ],
)
def test_each_field_of_a_command_is_needed(group: str, example: JsonObject, field: str) -> None:
    on, services = Fixture(), Services()
    args = {name: value for name, value in example["args"].items() if name != field}

    everything_registered(on, services).run(group, [as_command(TASKS, {**example, "args": args})])

    ((_, error),) = on.parked
    assert field in str(error)
    assert services.calls == 0


def test_every_task_of_the_code_is_in_the_document() -> None:
    names = []

    class Recording(Broker):
        def batch_task(self, name: str, *, group: str = "tasks") -> Any:
            names.append(name)
            return super().batch_task(name, group=group)

        def task(self, name: str, **declared: Any) -> Any:
            names.append(name)
            return super().task(name, **declared)

    on = Fixture()
    on.broker = Recording(on.kafka, dead_letter=lambda _command, _error: None, delays=on.delays)
    everything_registered(on, Services())

    assert sorted(names) == sorted(CHANNELS[TASKS]["messages"])
