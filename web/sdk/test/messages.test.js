import assert from "node:assert/strict";
import { test } from "node:test";
import { Attachments } from "../attachments.js";
import { answerAll, message } from "./fakes.js";
import { signedIn } from "./client.js";

/** A client whose server answers the frames that change a message with `answer`. */
async function changing(answer) {
  const setup = await signedIn();
  setup.server.answer = (frame) => (
    ["edit", "recall", "react", "presence"].includes(frame.type) ? { ...answer, ref: frame.ref } : answerAll(frame));
  return setup;
}

const without = ({ ref, ...frame }) => frame;

test("a message is edited, recalled and reacted to by frames", async () => {
  const { client, server } = await changing({ type: "ok" });

  await client.messages.edit("c1", 3, "better");
  await client.messages.recall("c1", 3);
  await client.messages.react("c1", 3, "👍");
  await client.messages.react("c1", 3, "👍", { remove: true });
  await client.look("away");

  const place = { conversation_id: "c1", seq: 3 };
  assert.deepEqual(server.frames.slice(-5).map(without), [
    { type: "edit", ...place, content: "better" },
    { type: "recall", ...place },
    { type: "react", ...place, emoji: "👍", remove: false },
    { type: "react", ...place, emoji: "👍", remove: true },
    { type: "presence", status: "away" },
  ]);
});

test("a change that the server refuses says why", async () => {
  const { client } = await changing({ type: "error", code: "too_late", message: "the message is older" });

  await assert.rejects(client.messages.edit("c1", 3, "better"), { code: "too_late", message: "the message is older" });
});

test("a changed message is told as such, and is no new one", async () => {
  const { client, server, clock, seqs } = await signedIn();
  const updated = [];
  client.on("updated", (one) => updated.push(one.content));

  server.push({ type: "messages", messages: [message(1)] });
  await clock.advance(500);
  server.push({ type: "updated", message: message(1, { content: "better" }) });

  assert.deepEqual(seqs(), [1]);
  assert.deepEqual(updated, ["better"]);
});

test("typing waits for no answer, and for no connection", async () => {
  const { client, server } = await signedIn();

  client.typing("c1");
  client.disconnect();
  client.typing("c1");

  assert.deepEqual(server.sent("typing"), [{ type: "typing", conversation_id: "c1" }]);
});

const UPLOAD = {
  method: "PUT", url: "http://files.test/1",
  headers: { "Content-Type": "image/png", "Content-Length": "4", "x-amz-tagging": "state=pending" },
};
const FILE = { name: "cat.png", size: 4, type: "image/png" };

/** An upload that ends as `end` says, and what the browser was told to send. */
function uploading(end) {
  const sent = { headers: {} };
  const posted = [];
  class XMLHttpRequest {
    upload = {};
    status = 200;
    open(method, url) { Object.assign(sent, { method, url }); }
    setRequestHeader(name, value) { sent.headers[name] = value; }
    send(file) { sent.file = file; end(this); }
    abort() { this.onabort(); }
  }
  const rest = {
    post: async (path, body) => {
      posted.push([path, body]);
      return { attachment: { id: "a1" }, upload: UPLOAD };
    },
  };
  return { sent, posted, attachments: new Attachments({ rest, XMLHttpRequest }) };
}

test("a file is put where the server says, as the server says", async () => {
  const { sent, posted, attachments } = uploading((request) => {
    request.upload.onprogress({ loaded: 2, total: 4 });
    request.onload();
  });
  const parts = [];

  const attachment = await attachments.upload(FILE, { onProgress: (part) => parts.push(part) });

  assert.deepEqual(attachment, { id: "a1" });
  assert.deepEqual(posted, [["/v1/attachments", { name: "cat.png", size: 4, content_type: "image/png" }]]);
  assert.deepEqual(sent, {
    method: "PUT", url: UPLOAD.url, file: FILE,
    headers: { "Content-Type": "image/png", "x-amz-tagging": "state=pending" },
  });
  assert.deepEqual(parts, [0.5]);
});

test("a file of no known type is bytes", async () => {
  const { posted, attachments } = uploading((request) => request.onload());

  await attachments.upload({ name: "x", size: 1, type: "" });

  assert.equal(posted[0][1].content_type, "application/octet-stream");
});

test("an upload that is refused, lost or stopped says so", async () => {
  const stop = new AbortController();
  const ends = {
    upload_refused: (request) => request.onload(Object.assign(request, { status: 403 })),
    network: (request) => request.onerror(),
    aborted: () => stop.abort(),
  };

  for (const [code, end] of Object.entries(ends)) {
    await assert.rejects(uploading(end).attachments.upload(FILE, { signal: stop.signal }), { code });
  }
});
