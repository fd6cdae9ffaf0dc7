import assert from "node:assert/strict";
import { test } from "node:test";
import { signedIn } from "./client.js";
import { answerAll, message, settled } from "./fakes.js";

const ids = (frame) => frame.messages?.map(({ client_msg_id }) => client_msg_id);

test("a message is one frame, and resolves with what the server calls it", async () => {
  const { client, server } = await signedIn();

  const { client_msg_id, sent } = client.send("c1", "hello");

  assert.equal((await sent).message_id, `m-${client_msg_id}`);
  assert.deepEqual(server.sent("send"), [{
    type: "send", ref: client_msg_id, conversation_id: "c1", content_type: "text", content: "hello",
    client_msg_id,
  }]);
});

test("what is typed while a frame is in flight goes into the next one, 25 messages at most", async () => {
  const { client, server } = await signedIn();
  server.answer = () => null;
  client.send("c1", "0", { client_msg_id: "id0" });
  await settled();

  for (let i = 1; i <= 30; i += 1) client.send("c1", `${i}`, { client_msg_id: `id${i}` });
  assert.equal(server.sent("send").length, 1);
  server.answer = answerAll;
  server.push(answerAll(server.sent("send")[0]));
  await settled();

  const [, second, third] = server.sent("send");
  assert.deepEqual(ids(second), Array.from({ length: 25 }, (_, i) => `id${i + 1}`));
  assert.deepEqual(ids(third), ["id26", "id27", "id28", "id29", "id30"]);
});

test("a frame stays below the gateway's size", async () => {
  const { client, server } = await signedIn();
  const large = "é".repeat(6000);

  await Promise.all([1, 2, 3, 4, 5].map(() => client.send("c1", large).sent));

  const sizes = server.sent("send").map((frame) => Buffer.byteLength(JSON.stringify(frame)));
  assert.ok(Math.max(...sizes) <= 32_768, `${sizes}`);
  assert.equal(sizes.length, 3); // one at once, then two and two
});

test("conversations do not wait for each other", async () => {
  const { client, server } = await signedIn();
  server.answer = () => null;

  client.send("c1", "one");
  client.send({ to: "u2" }, "two");

  assert.deepEqual(server.sent("send").map(({ conversation_id, to }) => conversation_id ?? to), ["c1", "u2"]);
});

test("no answer in ten seconds: the same client_msg_id again", async () => {
  const { client, clock, server } = await signedIn();
  server.answer = (frame) => (frame.type === "send" ? null : answerAll(frame));
  const { client_msg_id, sent } = client.send("c1", "hello");

  await clock.advance(10_000);
  server.answer = answerAll;
  await clock.advance(1000);

  assert.equal((await sent).client_msg_id, client_msg_id);
  assert.deepEqual(server.sent("send").map((frame) => frame.client_msg_id), [client_msg_id, client_msg_id]);
});

test("`unavailable` is tried again after what the server names, in order", async () => {
  const { client, clock, server } = await signedIn();
  server.answer = ({ type, ref }) => (type === "send"
    ? { type: "error", code: "unavailable", message: "no", ref, retry_after: 3 } : null);
  client.send("c1", "one", { client_msg_id: "a" });
  await settled();
  client.send("c1", "two", { client_msg_id: "b" });

  await clock.advance(2900);
  const before = server.sent("send").length;
  server.answer = answerAll;
  await clock.advance(1000);

  assert.equal(before, 1);
  assert.deepEqual(ids(server.sent("send")[1]), ["a", "b"]);
});

test("one message of a batch may be refused, and one may be tried again", async () => {
  const { client, clock, server } = await signedIn();
  const results = { b: { code: "blocked", message: "no" }, c: { code: "unavailable", message: "later" } };
  server.answer = (frame) => {
    const answer = answerAll(frame);
    answer?.messages?.forEach((row) => Object.assign(row, { error: results[row.client_msg_id] }));
    return answer;
  };
  client.send("c1", "1", { client_msg_id: "a" });

  const refused = client.send("c1", "2", { client_msg_id: "b" }).sent;
  const later = client.send("c1", "3", { client_msg_id: "c" }).sent;

  await assert.rejects(refused, { code: "blocked" });
  results.c = undefined;
  await clock.advance(1000);
  assert.equal((await later).message_id, "m-c");
});

test("what was in flight when the connection broke is sent again on the next one", async () => {
  const { client, clock, server } = await signedIn();
  server.answer = () => null;
  const { sent } = client.send("c1", "hello", { client_msg_id: "a" });

  server.answer = answerAll;
  server.last.close();
  await clock.advance(1000);

  assert.equal((await sent).message_id, "m-a");
  assert.equal(server.sockets.length, 2);
});

test("what is sent without a connection waits for one", async () => {
  const { client, clock, server } = await signedIn({ connect: false });
  const { sent } = client.send("c1", "hello", { client_msg_id: "a" });

  client.connect();
  await clock.advance(100);

  assert.equal((await sent).message_id, "m-a");
  assert.equal(server.sent("send").length, 1);
});

test("an own message that comes back counts as sent", async () => {
  const { client, server } = await signedIn();
  server.answer = () => null;
  const { sent } = client.send("c1", "hello", { client_msg_id: "a" });

  server.push({ type: "messages", messages: [message(1, { sender_id: "me", client_msg_id: "a" })] });

  assert.equal((await sent).message_id, "m1");
});

test("what can never be sent is refused at once, and the connection lives", async () => {
  const { client, server } = await signedIn();

  await assert.rejects(client.send("c1", "x".repeat(16_385)).sent, { code: "too_large" });
  await assert.rejects(client.send("c1", "\u0001".repeat(6000)).sent, { code: "too_large" });

  assert.equal(server.sent("send").length, 0);
});
