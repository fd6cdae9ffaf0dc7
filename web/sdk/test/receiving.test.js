import assert from "node:assert/strict";
import { test } from "node:test";
import { signedIn } from "./client.js";
import { answerAll, message } from "./fakes.js";

const push = (server, ...messages) => server.push({ type: "messages", messages });

test("messages come out in order and once, however their frames overtake each other", async () => {
  const { client, clock, server, seqs } = await signedIn();
  client.known("c1", 0);

  push(server, message(3));
  push(server, message(1), message(2));
  push(server, message(2), message(3), message(4));
  await clock.advance(5000);

  assert.deepEqual(seqs(), [1, 2, 3, 4]);
  assert.deepEqual(client.cursors(), { c1: 4 });
  assert.equal(server.sent("sync").length, 0);
});

test("a gap is asked for", async () => {
  const { client, clock, server, seqs } = await signedIn();
  client.known("c1", 5);
  server.answer = (frame) => {
    if (frame.type === "sync") push(server, message(6), message(7));
    return answerAll(frame);
  };

  push(server, message(8));
  await clock.advance(300);

  assert.deepEqual(server.sent("sync")[0].cursors, { c1: 5 });
  assert.deepEqual(seqs(), [6, 7, 8]);
});

test("a gap that the server does not know is not waited for without end", async () => {
  const { client, clock, server, seqs } = await signedIn();
  client.known("c1", 5);

  push(server, message(8));
  await clock.advance(60_000);

  assert.deepEqual(seqs(), [8]);
  assert.equal(server.sent("sync").length, 4);
});

test("a conversation without a cursor starts where the user's reading stands", async () => {
  const routes = { "GET /v1/conversations/c1": () => [200, { id: "c1", read_seq: 2 }] };
  const { clock, server, seqs } = await signedIn({ routes });
  server.answer = (frame) => {
    if (frame.type === "sync") push(server, message(3));
    return answerAll(frame);
  };

  push(server, message(4), message(5));
  await clock.advance(1000);

  assert.deepEqual(seqs(), [3, 4, 5]);
  assert.equal(server.sent("ack").at(-1).seq, 5);
});

test("a conversation that the server refuses does not keep the others from catching up", async () => {
  const { client, clock, server } = await signedIn();
  ["c1", "gone", "c2", "c3"].forEach((id) => client.known(id, 5));
  server.answer = (frame) => ("gone" in (frame.cursors ?? {})
    ? { type: "error", code: "not_member", message: "", ref: frame.ref } : answerAll(frame));

  server.last.close();
  await clock.advance(1000);

  const answered = server.sent("sync").filter(({ cursors }) => !("gone" in cursors));
  assert.deepEqual(answered.flatMap(({ cursors }) => Object.keys(cursors)), ["c1", "c2", "c3"]);
  assert.deepEqual(Object.keys(client.cursors()), ["c1", "c2", "c3"]);
});

test("`more` is asked again from where the messages got to", async () => {
  const { client, clock, server, seqs } = await signedIn();
  client.known("c1", 0);
  server.answer = (frame) => {
    if (frame.type !== "sync") return answerAll(frame);
    const next = frame.cursors.c1 + 1;
    push(server, message(next));
    return { type: "synced", more: next < 3, ref: frame.ref };
  };

  client.fetchMissing("c1");
  await clock.advance(1000);

  assert.deepEqual(seqs(), [1, 2, 3]);
  assert.deepEqual(server.sent("sync").map(({ cursors }) => cursors.c1), [0, 1, 2]);
});

test("acks of a moment are one cumulative frame, and reading says what delivery would", async () => {
  const { client, clock, server } = await signedIn();
  client.known("c1", 0);

  push(server, message(1));
  push(server, message(2), message(3));
  await clock.advance(1000);
  push(server, message(4));
  client.read("c1", 4);
  await clock.advance(1000);

  const acks = server.sent("ack").map(({ seq, status }) => `${status} ${seq}`);
  assert.deepEqual(acks, ["delivered 3", "read 4"]);
});

test("a backlog that comes once more is acknowledged once more", async () => {
  const { client, clock, server, seqs } = await signedIn();
  client.known("c1", 9);

  push(server, message(8), message(9));
  await clock.advance(1000);

  assert.deepEqual(seqs(), []);
  assert.deepEqual(server.sent("ack").map(({ seq }) => seq), [9]);
});

test("own messages from this client are not acknowledged, and are emitted", async () => {
  const { client, clock, server, seqs } = await signedIn();
  client.known("c1", 0);
  const { client_msg_id } = client.send("c1", "hello");

  push(server, message(1, { sender_id: "me", client_msg_id }));
  await clock.advance(1000);

  assert.deepEqual(seqs(), [1]);
  assert.equal(server.sent("ack").length, 0);
});

test("an ack that got no answer is sent again", async () => {
  const { client, clock, server } = await signedIn();
  server.answer = (frame) => (frame.type === "ack"
    ? { type: "error", code: "unavailable", message: "", ref: frame.ref } : answerAll(frame));
  client.read("c1", 4);
  await clock.advance(100);

  server.answer = answerAll;
  await clock.advance(1000);

  assert.deepEqual(server.sent("ack").map(({ seq }) => seq), [4, 4]);
});

test("receipts and other pushes are passed on; rubbish is not", async () => {
  const { server, events } = await signedIn();

  server.push({ type: "receipt", conversation_id: "c1", user_id: "other", seq: 3, status: "read" });
  server.push({ message: "Internal server error", connectionId: "x", requestId: "y" });
  server.last.onmessage({ data: "not json" });

  assert.equal(events.filter(({ type }) => type === "receipt")[0].detail.seq, 3);
});

test("what is announced is fetched once, and a little later than by others", async () => {
  const { client, clock, server, seqs } = await signedIn();
  client.known("c1", 5);
  server.answer = (frame) => {
    if (frame.type === "sync") push(server, message(6), message(7));
    return answerAll(frame);
  };

  for (const last_seq of [6, 7]) server.push({ type: "notify", conversation_id: "c1", last_seq });
  await clock.advance(500);
  assert.equal(server.sent("sync").length, 0);
  await clock.advance(1000);

  assert.deepEqual(server.sent("sync").map(({ cursors }) => cursors), [{ c1: 5 }]);
  assert.deepEqual(seqs(), [6, 7]);
});

test("what is known, far behind or never shown is not fetched by itself", async () => {
  const { client, clock, server } = await signedIn();
  client.known("c1", 5);

  for (const [id, last_seq] of [["c1", 5], ["c1", 5000], ["c2", 3]]) {
    server.push({ type: "notify", conversation_id: id, last_seq });
  }
  await clock.advance(5000);

  assert.equal(server.sent("sync").length, 0);
});
