import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversations } from "../conversations.js";

const row = (more = {}) => ({
  id: "c1", type: "direct", last_message: null, last_seq: 3, read_seq: 1, unread_count: 2, ...more,
});
const message = (seq, more = {}) => ({
  conversation_id: "c1", seq, sender_id: "other", created_at: `2026-01-01T00:00:0${seq}.000Z`, ...more,
});

function conversations(...rows) {
  const made = new Conversations("me");
  rows.forEach((one) => made.merge(one));
  return made;
}

test("others' messages count as unread once, own ones never", () => {
  const made = conversations(row());

  made.receive(message(4));
  made.receive(message(4));
  made.receive(message(5, { sender_id: "me" }));
  made.receive(message(2)); // was counted by the server

  assert.equal(made.get("c1").unread_count, 3);
  assert.equal(made.get("c1").last_message.seq, 5);
});

test("a message of an unknown conversation says so", () => {
  assert.equal(conversations().receive(message(1)), false);
});

test("the server's row does not undo what has happened since", () => {
  const made = conversations(row());
  made.receive(message(4));
  made.read("c1", 4);

  made.merge(row());

  const { last_seq, read_seq, unread_count } = made.get("c1");
  assert.deepEqual({ last_seq, read_seq, unread_count }, { last_seq: 4, read_seq: 4, unread_count: 0 });
});

test("the server's row wins where it is newer, and what was read here stays read", () => {
  const made = conversations(row());
  made.read("c1", 3);

  made.merge(row({ last_seq: 6, unread_count: 5 }));
  const newer = made.get("c1").unread_count;
  made.merge(row({ last_seq: 6, unread_count: 5, read_seq: 6 }));

  assert.equal(newer, 5);
  assert.equal(made.get("c1").read_seq, 6);
});

test("the most recent conversation comes first, and unread counts add up", () => {
  const made = conversations(row(), row({ id: "c2", unread_count: 1, updated_at: "2025-01-01" }));

  made.receive(message(4));

  assert.deepEqual(made.sorted().map(({ id }) => id), ["c1", "c2"]);
  assert.equal(made.unread, 4);
});

test("a message of mine is sent, then delivered, then read, and never less again", () => {
  const made = conversations(row());
  const mine = message(4, { sender_id: "me" });
  const receipt = (seq, status) => made.receipt({ conversation_id: "c1", user_id: "other", seq, status });
  const seen = [made.statusOf(mine)];

  for (const [seq, status] of [[3, "read"], [4, "delivered"], [4, "read"], [2, "delivered"]]) {
    receipt(seq, status);
    seen.push(made.statusOf(mine));
  }

  assert.deepEqual(seen, ["sent", "sent", "delivered", "read", "read"]);
});

test("receipts of the time before come with the row", () => {
  const made = conversations(row({ receipts: [{ user_id: "other", delivered_seq: 3, read_seq: 2 }] }));

  const statuses = [2, 3, 4].map((seq) => made.statusOf(message(seq)));

  assert.deepEqual(statuses, ["read", "delivered", "sent"]);
});

test("who is mentioned is told until it is read, also by a server that does not count", () => {
  const made = conversations(row());

  made.receive(message(4, { mentions: ["me"] }));
  made.receive(message(5, { mentions: ["all"] }));
  made.receive(message(6, { mentions: ["third"] }));
  const counted = made.get("c1").unread_mentions;
  made.merge(row({ last_seq: 7, unread_count: 6, unread_mentions: 3 }));
  const ofServer = made.get("c1").unread_mentions;
  made.read("c1", 7);

  assert.deepEqual([counted, ofServer, made.get("c1").unread_mentions], [2, 3, 0]);
});
