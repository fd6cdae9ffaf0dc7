"""What the code takes and sends is as docs/asyncapi.json says, member by member."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from importlib import import_module
from typing import ClassVar

import pytest

from chalicelib import (
    bootstrap,
    bootstrap_changes,
    bootstrap_data,
    bootstrap_groups,
    bootstrap_limits,
    bootstrap_mentions,
    bootstrap_messaging,
    bootstrap_tasks,
    change_frames,
    frames,
)
from chalicelib import bootstrap_people as people
from chalicelib.broker import TASKS, decode
from chalicelib.broker.records import encode_command, unpack
from chalicelib.context import Context
from chalicelib.errors import IMError
from chalicelib.http.schema import JsonObject
from chalicelib.logic.large_groups import PushChunk
from chalicelib.models import WORLD, Export, Notice, TargetKind, WebhookPost
from chalicelib.mq import Message
from chalicelib.task.events import BreakerChanged
from tests.built import forget_built
from tests.fakes import (
    FakeConnections,
    FakeHeads,
    FakeLog,
    FakeMembers,
    FakeOffline,
    FakePush,
    FakeSessions,
    World,
)
from tests.fakes_accounts import FakeCentre
from tests.fakes_changes import FakeChanges, FakeMentions
from tests.fakes_limits import FakeCounters
from tests.fakes_presence import FakePresenceStates
from tests.fakes_relations import Everybody, FakeRelations
from tests.unit.asyncapi_schemas import (
    CHANNELS,
    EXAMPLES,
    OPERATIONS,
    RECORDS,
    matching,
    named,
    wrong,
)
from tests.unit.broker_fakes import FakeKafka, trigger_event
from tests.unit.test_delivery import ROOM

FRAMES = CHANNELS["websocket"]["messages"]
ASKED = [
    (operation, example["payload"])
    for operation in OPERATIONS.values()
    if "reply" in operation
    for message in named(operation["messages"]).values()
    for example in message["examples"]
]
PARSERS: Mapping[str, Callable[[JsonObject], object]] = {
    "send": frames.parse_send,
    "send.batch": frames.parse_send,
    "ack": frames.parse_ack,
    "sync": frames.parse_sync,
    "edit": change_frames.parse_edit,
    "recall": change_frames.parse_recall,
    "react": change_frames.parse_react,
    "presence": frames.parse_presence,
    "typing": frames.parse_typing,
}
SOCKET = "websocket"
CHANGING = ("edit", "recall", "react")
SEND = {"type": "send", "client_msg_id": "c1", "conversation_id": ROOM, "content": "hello"}
EXPORT = Export(id="", user_id="", started_at=0.0, changed_at=0.0, expires_at=0.0)
LAST_TIME = {"user_id": "ann", "again": True}
CLEAR = {"group_id": "g-1"}
CHUNK = PushChunk(conversation_id="g-1", first_seq=1, last_seq=2, number=0, chunks=3)
POST = WebhookPost(
    target=TargetKind.WEBHOOK,
    target_id="w1",
    event="message.stored",
    conversation_id="g-1",
    conversation_type="group",
    seq=1,
)
ACK = {"type": "ack", "conversation_id": ROOM, "seq": 1, "status": "read"}
EDIT = {"type": "edit", "conversation_id": ROOM, "seq": 1, "content": "Hello!"}
REACT = {"type": "react", "conversation_id": ROOM, "seq": 1}
DRAFT = {"client_msg_id": "c1", "to": "bob", "content": "hello"}
BREAKER = BreakerChanged(name="kafka", old_state="open", new_state="closed", process="p", at=1.5)


class Data:
    """Nothing is kept of anybody: each step is the last of its kind."""

    groups: ClassVar[list[str]] = []

    def nothing(self, *_: object) -> None:
        """Does nothing."""

    erase = close = erase_relations = erase_conversations = erase_exports = nothing
    leave = clear = forget = nothing

    def groups_of(self, _user_id: str) -> list[str]:
        """One, until it is left."""
        Data.groups, groups = [], Data.groups
        return groups

    def carry_out(self, user_id: str, export_id: str, step: int) -> Export:
        return replace(EXPORT, id=export_id, user_id=user_id, step=step + 1, is_read=step > 0)

    def finish(self, user_id: str, export_id: str) -> Export:
        return replace(EXPORT, id=export_id, user_id=user_id)


class Chat:
    """The functions on fakes at the ports: ann and bob are connected."""

    def __init__(self) -> None:
        self.world = World()
        self.world.user("ann", "conn-ann")
        self.world.user("bob", "conn-bob")
        self.relations = FakeRelations(self.world.clock, "ann", "bob")
        strangers = self.relations.get("ann", "bob")
        self.relations.replace(strangers, replace(strangers, friends=True))
        self.kafka = FakeKafka()
        self.records: list[Message] = []

    def say(self, user: str, route: str, frame: JsonObject) -> JsonObject:
        """The answer of a route."""
        request = {"authorizer": {"user_id": user}, "connectionId": f"conn-{user}"}
        name = "change" if route in CHANGING else route.removeprefix("$")
        handler = import_module(f"functions.{name}").handler
        answer = handler({"requestContext": request, "body": json.dumps(frame)}, None)
        return dict(json.loads(answer["body"] or "{}"))

    def carry_out(self) -> None:
        """Commands are carried out until there are none."""
        while sent := list(self.kafka.sent):
            self.kafka.sent.clear()
            self.records.extend(sent)
            event = trigger_event(*(one for one in sent if one.topic == TASKS))
            for group in ("fanout", "tasks"):
                bootstrap_tasks.broker().run(group, decode(event))

    def pushed(self) -> list[JsonObject]:
        return [json.loads(text) for texts in self.world.received.values() for text in texts]


@pytest.fixture
def chat(monkeypatch: pytest.MonkeyPatch) -> Iterator[Chat]:
    made = Chat()
    ports = {
        "messages_table": FakeLog(made.world),
        "conversations_table": FakeHeads(made.world),
        "members_table": FakeMembers(made.world),
        "offline_table": FakeOffline(made.world),
        "connections_table": FakeConnections(made.world),
        "presence_table": FakePresenceStates(made.world),
        "sessions_table": FakeSessions(),
        "pusher": FakePush(made.world),
        "kafka": made.kafka,
        "centre": FakeCentre(),
        "store": None,
    }
    for name, port in ports.items():
        monkeypatch.setattr(bootstrap, name, lambda port=port: port)
    monkeypatch.setattr(bootstrap_changes, "changes_table", lambda: FakeChanges(made.world))
    monkeypatch.setattr(bootstrap_mentions, "mentions_table", lambda: FakeMentions(made.world))
    monkeypatch.setattr(people, "relations_table", lambda: made.relations)
    monkeypatch.setattr(people, "correspondence", lambda: Everybody(bootstrap.directory()))
    monkeypatch.setattr(bootstrap_limits, "counters", FakeCounters)
    monkeypatch.setattr(bootstrap_data, "erasure", Data)
    monkeypatch.setattr(bootstrap_data, "exports", Data)
    monkeypatch.setattr(Data, "groups", ["g-1"])
    monkeypatch.setattr(bootstrap_groups, "group_endings", Data)
    monkeypatch.setattr(bootstrap_messaging, "attachment_references", Data)
    forget_built()
    yield made
    forget_built()


@pytest.mark.req("SHAPE-2")
@pytest.mark.parametrize(("operation", "frame"), ASKED)
def test_every_frame_is_answered_as_its_route_says(
    chat: Chat, operation: JsonObject, frame: JsonObject
) -> None:
    if operation["x-route"] in CHANGING:
        chat.say("ann", "send", SEND)
        chat.carry_out()

    answer = chat.say("ann", operation["x-route"], frame)

    batch = ".batch" if "messages" in frame else ""
    expected = {"ping": "pong", "send": f"sent{batch}", "ack": "acked", "sync": "synced"}
    expected |= dict.fromkeys((*CHANGING, "presence"), "ok")
    assert matching(named(operation["reply"]["messages"]), answer) == [
        expected.get(operation["x-route"], "error")
    ]
    assert answer.get("ref") == frame.get("ref")


def test_refusals_are_as_the_document_says(chat: Chat) -> None:
    chat.kafka.away = True
    refused = [
        chat.say("ann", "$default", {"type": 5}),
        chat.say("ann", "send", {**SEND, "conversation_id": "d-bob-eve"}),
        chat.say("ann", "send", SEND),
    ]
    mixed = chat.say("ann", "send", {"messages": [{"client_msg_id": "c1", "to": "ann"}, "hello"]})

    assert [matching(FRAMES, one) for one in refused] == [["error"]] * 3
    assert "retry_after" in refused[2]
    assert matching(FRAMES, mixed) == ["sent.batch"]


@pytest.mark.parametrize(
    ("name", "frame", "is_valid"),
    [
        *((name, one, True) for at, name, one in EXAMPLES if at == SOCKET and name in PARSERS),
        *(("send", {**SEND, "client_msg_id": one}, False) for one in ("", "x" * 65, 5, None)),
        *(("send", {**SEND, "content": one}, False) for one in ("x" * 16385, 5, None)),
        *(("send", {**SEND, "content_type": one}, False) for one in ("system", 5)),
        *(("send", {**SEND, "conversation_id": one}, False) for one in ("", "x" * 65)),
        *(("send", {**SEND, "content": one}, True) for one in ("", "x" * 16384)),
        ("send", {**SEND, "client_msg_id": "x" * 64}, True),
        ("send", {**SEND, "to": "bob"}, False),
        ("send", {"type": "send", "client_msg_id": "c1", "content": "hello"}, False),
        ("send", {"type": "send", **DRAFT, "to": ""}, False),
        *(("send.batch", {"type": "send", "messages": one}, False) for one in ([], [DRAFT] * 26)),
        ("send.batch", {"type": "send", "messages": [DRAFT] * 25}, True),
        *(("ack", {**ACK, "seq": one}, False) for one in (-1, 2**53, 1.5, "1", True)),
        *(("ack", {**ACK, "seq": one}, True) for one in (0, 2**53 - 1)),
        ("ack", {**ACK, "status": "seen"}, False),
        *(("edit", {**EDIT, "seq": one}, False) for one in (0, -1, 2**53, "1", True)),
        *(("edit", {**EDIT, "content": one}, False) for one in (None, 5, "x" * 16385)),
        *(("react", {**REACT, "emoji": one}, False) for one in ("", "x" * 33, 5, None)),
        ("react", {**REACT, "emoji": "👩‍👩‍👧‍👦"}, True),
        ("react", {**REACT, "emoji": "👍", "remove": 1}, False),
        *(("send", {**SEND, "reply_to": one}, False) for one in (0, "m1", 1.5)),
        *(("send", {**SEND, "mentions": one}, False) for one in ("bob", [""], ["bob"] * 51, [5])),
        *(("send", {**SEND, "attachment": one}, False) for one in ("a1", {}, {"id": ""})),
        ("send", {**SEND, "attachment": {"id": "a1", "name": "a.txt"}}, True),
        *(("send", {**SEND, "expires_in": one}, False) for one in (0, 366 * 86_400 + 1, "1")),
        *(("send", {**SEND, "forward_of": one}, False) for one in (1, {}, {"seq": 1})),
        ("send", {**SEND, "mentions": ["all"], "expires_in": 1, "reply_to": 1}, True),
        ("sync", {"type": "sync", "cursors": {ROOM: -1}}, False),
        ("sync", {"type": "sync", "cursors": [1]}, False),
        *(("presence", {"type": "presence", "status": one}, False) for one in ("offline", 5, None)),
        *(("typing", {"type": "typing", "conversation_id": one}, False) for one in ("", 5, None)),
    ],
)
def test_a_frame_is_valid_here_and_there(name: str, frame: JsonObject, is_valid: bool) -> None:
    try:
        PARSERS[name](frame)
        is_taken = True
    except IMError:
        is_taken = False

    assert is_taken == is_valid
    assert (wrong(FRAMES[name]["payload"], frame) == []) == is_valid


def test_cursors_have_the_limits_of_the_code() -> None:
    cursors = FRAMES["sync"]["payload"]["properties"]["cursors"]

    assert cursors["maxProperties"] == frames.MAX_CURSORS
    assert cursors["propertyNames"]["maxLength"] == frames.MAX_ID_LENGTH


def test_whatever_is_pushed_or_sent_to_kafka_is_in_the_document(chat: Chat) -> None:
    chat.say("ann", "send", SEND)
    chat.carry_out()
    chat.say("bob", "ack", ACK)
    chat.say("bob", "react", {**REACT, "emoji": "👍"})
    assert chat.say("bob", "typing", {"conversation_id": ROOM}) == {}
    chat.say("ann", "presence", {"status": "away"})
    bootstrap.outbox().close([chat.world.connect("bob", "conn-old")])
    for start in range(0, 225, 25):  # more than the backlog of the world room
        ids = [f"w{start + at}" for at in range(25)]
        drafts = [{**SEND, "client_msg_id": one, "conversation_id": WORLD} for one in ids]
        chat.say("ann", "send", {"messages": drafts})
    chat.carry_out()
    bootstrap.outbox().drain([chat.world.connect("bob", "conn-late")])
    bootstrap.notices().tell(["bob"], "friend.deleted", {"user_id": "ann"})
    bootstrap.outbox().broadcast(Context(), Notice(id="n1", content="hello", created_at=""))
    chat.kafka.publish(Context(), BREAKER, key=BREAKER.name)
    chat.kafka.send(Context(), Message(TASKS, b"ann", encode_command("erase_account", LAST_TIME)))
    bootstrap.outbox().export_data(Context(), "ann", "x1", 0)
    chat.carry_out()
    bootstrap.outbox().reset_password(Context(), "ann")
    chat.kafka.send(Context(), unpack(bootstrap.outbox().scheduled_record(Context(), "ann", "1-a")))
    bootstrap.outbox().push_chunks([CHUNK])
    bootstrap.outbox().clear_attachments([("f-1", "m-1")])
    bootstrap.outbox().post_webhooks([("abc", POST)])
    chat.kafka.send(Context(), Message(TASKS, b"g-1", encode_command("clear_group", CLEAR)))
    chat.records.extend(chat.kafka.sent)  # tests of these commands carry them out

    known = named(OPERATIONS["push"]["messages"])
    pushed = [matching(known, one) for one in chat.pushed()]
    assert all(len(names) == 1 for names in pushed)
    assert {name for (name,) in pushed} == known.keys()
    assert {checked(one) for one in chat.records} == {(topic, name) for topic, name, _ in RECORDS}


def checked(record: Message) -> tuple[str, str]:
    """Topic and name of a record that is as the document says, and so is its key."""
    known = CHANNELS[record.topic]["messages"]
    found = json.loads(record.value)
    (name,) = matching(known, found)
    place = known[name]["bindings"]["kafka"]["key"]["description"].partition("#/")[2]
    for part in place.split("/"):
        found = found[part]
    assert record.key is not None
    key, _, chunk = record.key.decode().partition(f"{found}-")
    assert (key == "" and chunk.isdigit()) or record.key == found.encode()
    return record.topic, name
