import assert from "node:assert/strict";
import { test } from "node:test";
import { signedIn } from "./client.js";
import { CLIENT_VERSION } from "../rest.js";
import { answerAll, message, settled } from "./fakes.js";

const states = (events) => events.filter(({ type }) => type === "state").map(({ detail }) => detail.state);

test("connecting says so, and passes token and version in the query", async () => {
  const { calls, server, events } = await signedIn();

  assert.deepEqual(states(events), ["connecting", "online"]);
  assert.equal(server.last.url, `ws://chat.test/socket?token=access-1&client_version=${CLIENT_VERSION}`);
  assert.deepEqual(new Set(calls.map(({ headers }) => headers["X-Client-Version"])), new Set([CLIENT_VERSION]));
});

test("a lost connection is opened again, and what was missed is asked for", async () => {
  const { client, clock, server, events, seqs } = await signedIn();
  client.known("c1", 7);
  server.answer = (frame) => {
    if (frame.type === "sync") server.push({ type: "messages", messages: [message(8)] });
    return answerAll(frame);
  };

  server.last.close();
  await clock.advance(1000);

  assert.deepEqual(states(events), ["connecting", "online", "waiting", "connecting", "online"]);
  assert.deepEqual(seqs(), [8]);
});

test("attempts are spread further and further apart", async () => {
  const { clock, server } = await signedIn();
  server.accepts = false;

  server.last.close();
  const counts = [];
  for (let minute = 0; minute < 4; minute += 1) {
    const before = server.sockets.length;
    await clock.advance(60_000);
    counts.push(server.sockets.length - before);
  }

  assert.ok(counts[0] <= 10 && counts[3] <= 5 && counts[3] >= 1, `${counts}`);
});

test("the server names how long to stay away", async () => {
  const { clock, server } = await signedIn();
  server.push({ type: "error", code: "rate_limited", message: "come back later", retry_after: 20 });

  server.last.close();
  await clock.advance(19_900);
  const early = server.sockets.length;
  await clock.advance(1000);

  assert.equal(early, 1);
  assert.equal(server.sockets.length, 2);
});

test("a refused handshake is cleared up by REST, which honours Retry-After", async () => {
  const { clock, server, routes } = await signedIn();
  routes["GET /v1/users/me"] = () => [503, { code: "unavailable" }, { "Retry-After": "30" }];
  server.accepts = false;
  server.last.close();
  await clock.advance(1000); // the handshake fails, then REST says 503 three times
  routes["GET /v1/users/me"] = () => [200, {}];
  server.accepts = true;

  await clock.advance(20_000);
  const early = server.live.length;
  await clock.advance(60_000);

  assert.equal(early, 0);
  assert.equal(server.live.length, 1);
});

test("a session that was revoked ends; there is no further attempt", async () => {
  const { client, clock, server, routes, events } = await signedIn();
  routes["GET /v1/users/me"] = () => [401, { code: "unauthorized" }];
  routes["POST /v1/auth/refresh"] = () => [401, { code: "unauthorized", detail: "revoked" }];
  server.accepts = false;

  server.last.close();
  await clock.advance(120_000);

  assert.equal(events.filter(({ type }) => type === "signed_out").length, 1);
  assert.equal(client.user, null);
  assert.equal(server.sockets.length, 2);
});

test("the next connection is open before the gateway ends this one, and nothing is lost", async () => {
  const { client, clock, server, events, seqs } = await signedIn({ limits: { connection_max_age_s: 100 } });
  client.known("c1", 0);
  server.answer = (frame) => (frame.type === "sync" ? null : answerAll(frame)); // still catching up

  await clock.advance(82_000);
  const [old, next] = server.sockets;
  server.push({ type: "messages", messages: [message(1)] }, old);
  server.push({ type: "messages", messages: [message(1)] }, next);
  const during = server.live.length;
  server.push(answerAll(server.sent("sync")[0]), next);
  await settled();

  assert.equal(during, 2);
  assert.deepEqual(server.live, [next]);
  assert.deepEqual(seqs(), [1]);
  assert.deepEqual(states(events), ["connecting", "online", "online"]);
});

test("the old connection stays until its answers are in", async () => {
  const { client, clock, server } = await signedIn({ limits: { connection_max_age_s: 100 } });
  await clock.advance(81_000);
  server.answer = (frame) => (frame.type === "send" ? null : answerAll(frame));
  const { sent } = client.send("c1", "hello", { client_msg_id: "a" });

  await clock.advance(1000);
  const [old] = server.sockets;
  const during = server.live.length;
  server.push(answerAll(server.sent("send")[0]), old);
  await settled();

  assert.equal(during, 2);
  assert.equal((await sent).message_id, "m-a");
  assert.equal(server.live.length, 1);
});

test("a silent connection is given up after a ping without an answer", async () => {
  const { clock, server } = await signedIn();
  server.answer = () => null;

  await clock.advance(4 * 60_000 + 11_000);
  server.answer = answerAll;
  await clock.advance(1000);

  assert.equal(server.sockets.length, 2);
  assert.equal(server.live.length, 1);
});

test("waking up connects at once", async () => {
  const { client, clock, server } = await signedIn();
  server.accepts = false;
  server.last.close();
  await clock.advance(40_000);
  const before = server.sockets.length;

  server.accepts = true;
  client.wake();
  await settled();

  assert.equal(server.sockets.length, before + 1);
  assert.equal(client.state, "online");
});

test("disconnecting ends everything", async () => {
  const { client, clock, server } = await signedIn();

  client.disconnect();
  await clock.advance(600_000);

  assert.equal(client.state, "offline");
  assert.equal(server.live.length, 0);
  assert.equal(server.sockets.length, 1);
});
