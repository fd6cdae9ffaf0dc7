import assert from "node:assert/strict";
import { test } from "node:test";
import { rowsOf } from "../message_rows.js";
import { Timeline } from "../timeline.js";

const at = (minute) => new Date(Date.UTC(2026, 0, 1, 12, minute)).toISOString();
const message = (seq, more = {}) => ({
  seq, sender_id: "other", type: "text", content: `text ${seq}`, created_at: at(seq % 60), client_msg_id: `x${seq}`, ...more,
});

/** A server with `count` messages, and the pages that were asked for. */
function history(count) {
  const asked = [];
  const fetchPage = async ({ beforeSeq = count + 1, limit }) => {
    asked.push(beforeSeq);
    const seqs = Array.from({ length: limit }, (_, i) => beforeSeq - 1 - i).filter((seq) => seq > 0);
    return { items: seqs.map((seq) => message(seq)) };
  };
  return { asked, timeline: new Timeline(fetchPage) };
}

const seqs = (timeline) => timeline.entries().map(({ seq }) => seq);

test("pages are loaded backwards until the first message", async () => {
  const { asked, timeline } = history(120);

  for (let i = 0; i < 5; i += 1) await timeline.loadEarlier();

  assert.deepEqual(asked, [121, 71, 21]);
  assert.deepEqual(seqs(timeline), Array.from({ length: 120 }, (_, i) => i + 1));
  assert.equal(timeline.isComplete, true);
});

test("one page is loaded at a time", async () => {
  const { asked, timeline } = history(120);

  await Promise.all([timeline.loadEarlier(), timeline.loadEarlier()]);

  assert.equal(asked.length, 1);
});

test("a conversation without messages is complete", async () => {
  const { timeline } = history(0);

  await timeline.loadEarlier();
  await timeline.loadEarlier();

  assert.equal(timeline.isComplete, true);
});

test("what arrived before the first page takes its place in it", async () => {
  const { timeline } = history(3);
  timeline.add(message(4));

  await timeline.loadEarlier();

  assert.deepEqual(seqs(timeline), [1, 2, 3, 4]);
});

test("an outgoing message is shown at the end until the stored one takes its place", () => {
  const { timeline } = history(0);
  timeline.add(message(1));
  timeline.addOutgoing({ client_msg_id: "a", content: "hello" });
  timeline.accepted("a");
  const during = timeline.entries().at(-1).status;

  timeline.add(message(2, { sender_id: "me", client_msg_id: "a" }));

  assert.equal(during, "sent");
  assert.deepEqual(seqs(timeline), [1, 2]);
});

test("a failed message says why, and may be sent again", () => {
  const { timeline } = history(0);
  timeline.addOutgoing({ client_msg_id: "a", content: "hello" });

  timeline.failed("a", "blocked");
  const failed = timeline.entries()[0];
  timeline.retrying("a");

  assert.deepEqual([failed.status, failed.reason], ["failed", "blocked"]);
  assert.equal(timeline.entries()[0].status, "sending");
});

test("a long conversation is trimmed, and loaded again on scrolling up", async () => {
  const { timeline } = history(2000);
  for (let i = 0; i < 14; i += 1) await timeline.loadEarlier();

  timeline.trim();
  const kept = seqs(timeline);
  await timeline.loadEarlier();

  assert.deepEqual([kept[0], kept.length], [1701, 300]);
  assert.equal(seqs(timeline)[0], 1651);
});

const rows = (entries, more = {}) => rowsOf(entries, {
  myId: "me", unreadAfter: null, isDirect: true, personOf: (id) => ({ id, nickname: id }), statusOf: () => "read", ...more,
});

test("rows have a day, a line before what is new, and pieces that belong together", () => {
  const made = rows([message(1), message(2), message(3, { sender_id: "me" }), message(4), message(30)], { unreadAfter: 2 });

  assert.deepEqual(made.map(({ kind }) => kind), ["day", "message", "message", "message", "new", "message", "message"]);
  const pieces = made.filter(({ kind }) => kind === "message").map(({ goesOn }) => goesOn);
  assert.deepEqual(pieces, [false, true, false, false, false]);
});

test("a row keeps its element while a message goes from outgoing to stored", () => {
  const outgoing = { client_msg_id: "a", content: "hi", created_at: at(1), type: "text", status: "sending" };

  const [, before] = rows([outgoing]);
  const [, after] = rows([message(1, { sender_id: "me", client_msg_id: "a" })]);

  assert.equal(before.key, after.key);
  assert.deepEqual([before.status, after.status], ["sending", "read"]);
});

test("recalled and expired messages say so", () => {
  const made = rows([message(1, { recalled: true, content: "" }), message(2, { content: "", expires_at: at(2) })]);

  assert.deepEqual(made.slice(1).map(({ text }) => text), ["This message was recalled.", "This message has expired."]);
});
