"""Many users, random messages, random disconnects; at the end nothing is lost, doubled or wrong.

python -m tests.e2e.smoke --url http://127.0.0.1:8080 --users 20 --messages 400
"""

from __future__ import annotations

import argparse
import asyncio
import json
import random
import sys
import time
import uuid
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import websockets

from tests.e2e.client import Client, Frame, User, call, eventually

ANSWER_SECONDS = 10.0  # the contract: every frame is answered within this time
SETTLE_SECONDS = 90.0
WORLD = "world"


@dataclass
class Accepted:
    """A message that was answered `sent`."""

    sender: str
    conversation_id: str
    client_msg_id: str
    message_id: str
    content: str


@dataclass
class Participant:
    """A user who writes, goes away, and comes back."""

    client: Client
    rng: random.Random
    accepted: list[Accepted] = field(default_factory=list)
    read: dict[str, int] = field(default_factory=dict)
    resends: int = 0
    reconnects: int = 0
    _locks: dict[str, asyncio.Lock] = field(default_factory=lambda: defaultdict(asyncio.Lock))

    @property
    def id(self) -> str:
        return self.client.user.id

    async def connect(self) -> None:
        """Connects, again and again until it works."""
        async with asyncio.timeout(SETTLE_SECONDS):
            while self.client.connection is None:
                try:
                    await self.client.connect()
                except (OSError, TimeoutError, websockets.WebSocketException):
                    await asyncio.sleep(self.rng.uniform(0.05, 0.3))

    async def leave_and_return(self) -> None:
        """Cuts the connection and comes back a little later."""
        await self.client.close()
        await asyncio.sleep(self.rng.uniform(0, 0.5))
        await self.connect()
        self.reconnects += 1

    async def write(self, where: dict[str, str], count: int) -> None:
        """One `send` frame in flight for each conversation, repeated until it is answered."""
        drafts = [
            {"client_msg_id": uuid.uuid4().hex, "content": f"{self.rng.random()} ⚡", **where}
            for _ in range(count)
        ]
        async with self._locks[next(iter(where.values()))]:
            async with asyncio.timeout(SETTLE_SECONDS):
                while (answers := await self._try(drafts)) is None:
                    self.resends += 1
                    await asyncio.sleep(self.rng.uniform(0.05, 0.2))
            if self.rng.random() < 0.1:
                await self._try(drafts)  # a client that did not see the answer sends again
        for draft, answer in zip(drafts, answers, strict=True):
            self.accepted.append(
                Accepted(
                    self.id,
                    answer["conversation_id"],
                    draft["client_msg_id"],
                    answer["message_id"],
                    draft["content"],
                )
            )

    async def _try(self, drafts: list[dict[str, str]]) -> list[Frame] | None:
        ref = uuid.uuid4().hex
        try:
            if self.client.connection is None or self.client.closed.is_set():
                self.client.connection = None
                await self.connect()
            body = {"messages": drafts} if len(drafts) > 1 else drafts[0]
            await self.client.send_raw(json.dumps({"type": "send", "ref": ref, **body}))
            known = {ref, drafts[0]["client_msg_id"]}
            await self.client.until(
                lambda: self.client.closed.is_set() or bool(self._answer(known)), ANSWER_SECONDS
            )
        except (OSError, TimeoutError, AssertionError, websockets.WebSocketException):
            return None
        answer = self._answer(known)
        if answer is None or answer["type"] != "sent":
            return None
        return list(answer["messages"]) if "messages" in answer else [answer]

    def _answer(self, refs: set[str]) -> Frame | None:
        return next((one for one in self.client.frames if one.get("ref") in refs), None)

    async def acknowledge(self) -> None:
        """Reads some conversation up to where it has come without a gap."""
        rooms = [room for room, known in self.client.messages.items() if known]
        if not rooms:
            return
        room = self.rng.choice(rooms)
        seq = max(self.client.messages[room])
        try:
            answer = await self.client.ask("ack", conversation_id=room, seq=seq, status="read")
        except (OSError, TimeoutError, AssertionError, websockets.WebSocketException):
            return
        if answer["type"] == "acked":
            self.read[room] = max(self.read.get(room, 0), answer["seq"])


async def act(person: Participant, people: list[Participant], messages: int) -> None:
    """Writes its share, between coming and going."""
    left = messages
    while left > 0:
        chance = person.rng.random()
        if chance < 0.08:
            await person.leave_and_return()
        elif chance < 0.25:
            await person.acknowledge()
        else:
            other = person.rng.choice([one for one in people if one is not person])
            world = person.rng.random() < 0.3
            where = {"conversation_id": WORLD} if world else {"to": other.id}
            count = min(left, person.rng.choice([1, 1, 1, 5, 25]))
            await person.write(where, count)
            left -= count


async def catch_up(person: Participant, rooms: list[str]) -> None:
    """Asks for what follows the newest message without a gap before it, until all is there."""
    for _ in range(50):
        cursors = {room: _dense(person.client.messages[room]) for room in rooms}
        try:
            if person.client.connection is None or person.client.closed.is_set():
                person.client.connection = None
                await person.connect()
            answer = await person.client.ask("sync", cursors=cursors)
        except (OSError, TimeoutError, AssertionError, websockets.WebSocketException):
            continue
        if answer["type"] == "synced" and not answer["more"]:
            return
    raise SystemExit(f"sync does not come to an end: {answer}")


def _dense(known: dict[int, Frame]) -> int:
    seq = 0
    while seq + 1 in known:
        seq += 1
    return seq


def problems(people: list[Participant], last_seq: dict[str, int]) -> list[str]:
    """Everything that is not as the contract promises."""
    accepted = [one for person in people for one in person.accepted]
    expected = Counter(one.conversation_id for one in accepted)
    found = []
    orders: dict[str, list[str]] = {}
    for person in people:
        for room, count in expected.items():
            if room == WORLD or person.id in room:
                found += _of_one(person, room, count, orders)
    for one in accepted:
        if one.message_id not in orders.get(one.conversation_id, []):
            found.append(f"{one.message_id} was answered `sent` and is lost")
    for room, order in orders.items():
        if last_seq.get(room) != len(order):
            found.append(f"{room} ends at {last_seq.get(room)}, with {len(order)} messages")
    return found


def _of_one(
    person: Participant, room: str, count: int, orders: dict[str, list[str]]
) -> Iterator[str]:
    known = person.client.messages[room]
    if sorted(known) != list(range(1, count + 1)):
        yield f"{person.id} has {len(known)} of {count} in {room}, or holes"
    order = [known[seq]["id"] for seq in sorted(known)]
    if orders.setdefault(room, order) != order:
        yield f"{person.id} sees another order in {room}"
    if len(set(order)) != len(order):
        yield f"{room} has a message twice"


def per_sender_order(people: list[Participant]) -> list[str]:
    """Each sender's messages must be in the order in which they were accepted."""
    found = []
    for person in people:
        for room in {one.conversation_id for one in person.accepted}:
            ids = [one.message_id for one in person.accepted if one.conversation_id == room]
            known = person.client.messages[room]
            seen = [known[seq]["id"] for seq in sorted(known) if known[seq]["id"] in set(ids)]
            if seen != ids:
                found.append(f"messages of {person.id} in {room} are out of order")
    return found


def unread_problems(person: Participant) -> list[str]:
    """Compares the server's unread counts with a naive count of others' messages."""
    found = []
    for one in person.client.user.get("/v1/conversations?limit=100")["items"]:
        room = one["id"]
        known = person.client.messages[room]
        naive = sum(
            message["sender_id"] != person.id
            for seq, message in known.items()
            if seq > one["read_seq"]
        )
        if one["unread_count"] != naive:
            found.append(f"{person.id}: {room} unread {one['unread_count']}, naive {naive}")
        if one["read_seq"] < person.read.get(room, 0):
            found.append(f"{person.id}: {room} read_seq went back")
    return found


async def run(url: str, *, users: int, messages: int, seed: int) -> dict[str, Any]:
    """The whole script; a summary, with a list of problems."""
    websocket_url = call(url, "GET", "/v1/client-config").body["websocket_url"]
    accounts = [await asyncio.to_thread(User.new, url, "smoke") for _ in range(users)]
    begun = time.monotonic()
    world = accounts[0].conversation(WORLD)["last_seq"]
    people = [
        Participant(Client(account, websocket_url), random.Random(f"{seed}-{at}"))
        for at, account in enumerate(accounts)
    ]
    await asyncio.gather(*(person.connect() for person in people))
    share = -(-messages // users)
    await asyncio.gather(*(act(person, people, share) for person in people))
    rooms = {one.conversation_id for person in people for one in person.accepted}
    totals = Counter(one.conversation_id for person in people for one in person.accepted)

    def stored() -> bool:
        return all(
            next(p for p in people if room == WORLD or p.id in room).client.user.conversation(room)[
                "last_seq"
            ]
            >= count + (world if room == WORLD else 0)
            for room, count in totals.items()
        )

    await eventually(stored, SETTLE_SECONDS)
    for person in people:
        mine = [room for room in rooms if room == WORLD or person.id in room]
        if world:  # an older world room: read it whole
            await catch_up(person, mine)
        await catch_up(person, mine)
    for person in people:  # what others wrote into the world room before is not ours to judge
        person.client.messages[WORLD] = {
            seq - world: message
            for seq, message in person.client.messages[WORLD].items()
            if seq > world
        }
    last_seq = {
        room: next(p for p in people if room == WORLD or p.id in room).client.user.conversation(
            room
        )["last_seq"]
        - (world if room == WORLD else 0)
        for room in rooms
    }
    found = problems(people, last_seq) + per_sender_order(people)
    if not world:
        for person in people:
            found += await asyncio.to_thread(unread_problems, person)
    await asyncio.gather(*(person.client.close() for person in people))
    return {
        "users": users,
        "messages": sum(totals.values()),
        "conversations": len(rooms),
        "reconnects": sum(person.reconnects for person in people),
        "resends": sum(person.resends for person in people),
        "seconds": round(time.monotonic() - begun, 1),
        "problems": found,
    }


def main() -> int:
    """Runs it by hand; 1 when something is wrong."""
    parser = argparse.ArgumentParser(prog="smoke", description=__doc__)
    parser.add_argument("--url", default="http://127.0.0.1:8080")
    parser.add_argument("--users", type=int, default=20)
    parser.add_argument("--messages", type=int, default=400)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    summary = asyncio.run(
        run(options.url, users=options.users, messages=options.messages, seed=options.seed)
    )
    for name, value in summary.items():
        print(f"{name}: {value}")
    return 1 if summary["problems"] else 0


if __name__ == "__main__":
    sys.exit(main())
