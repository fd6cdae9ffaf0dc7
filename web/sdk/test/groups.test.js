import assert from "node:assert/strict";
import { test } from "node:test";
import { signedIn } from "./client.js";

const told = ({ method, path, search, body }) => [`${method} ${path}${search}`, ...(body ? [body] : [])];

/** Each call of the client, and the request that it is. */
const REQUESTS = [
  [
    ({ groups }) => groups.create({ name: "Hikers", joinPolicy: "invite", memberIds: ["u1"] }),
    "POST /v1/groups", { name: "Hikers", join_policy: "invite", member_ids: ["u1"] },
  ],
  [({ groups }) => groups.get("g/1"), "GET /v1/groups/g%2F1"],
  [({ groups }) => groups.change("g1", { name: "New" }), "PATCH /v1/groups/g1", { name: "New" }],
  [({ groups }) => groups.dismiss("g1"), "DELETE /v1/groups/g1"],
  [({ groups }) => groups.transfer("g1", "u1"), "POST /v1/groups/g1/transfer", { user_id: "u1" }],
  [({ groups }) => groups.leave("g1"), "POST /v1/groups/g1/leave"],
  [({ groups }) => groups.members("g1", { cursor: "x", limit: 5 }), "GET /v1/groups/g1/members?cursor=x&limit=5"],
  [({ groups }) => groups.add("g1", ["u1"]), "POST /v1/groups/g1/members", { user_ids: ["u1"] }],
  [({ groups }) => groups.remove("g1", "u1"), "DELETE /v1/groups/g1/members/u1"],
  [({ groups }) => groups.setRole("g1", "u1", "admin"), "PATCH /v1/groups/g1/members/u1", { role: "admin" }],
  [({ groups }) => groups.mute("g1", "u1", null), "PATCH /v1/groups/g1/members/u1", { muted_until: null }],
  [({ groups }) => groups.join("g1", "hi"), "POST /v1/groups/g1/join", { message: "hi" }],
  [({ groups }) => groups.joinByLink("t"), "POST /v1/groups/join-by-link", { token: "t" }],
  [({ groups }) => groups.joinRequests("g1"), "GET /v1/groups/g1/join-requests"],
  [({ groups }) => groups.acceptJoin("g1", "u1"), "POST /v1/groups/g1/join-requests/u1/accept"],
  [({ groups }) => groups.rejectJoin("g1", "u1"), "POST /v1/groups/g1/join-requests/u1/reject"],
  [({ groups }) => groups.inviteLinks("g1"), "GET /v1/groups/g1/invite-links"],
  [({ groups }) => groups.makeInviteLink("g1", { maxUses: 3 }), "POST /v1/groups/g1/invite-links", { max_uses: 3 }],
  [({ groups }) => groups.revokeInviteLink("g1", "l1"), "DELETE /v1/groups/g1/invite-links/l1"],
  [({ messages }) => messages.deleteForMe("c1", 3), "DELETE /v1/conversations/c1/messages/3"],
  [({ messages }) => messages.pins("c1"), "GET /v1/conversations/c1/pins"],
  [({ messages }) => messages.pin("c1", 3), "PUT /v1/conversations/c1/pins/3"],
  [({ messages }) => messages.unpin("c1", 3), "DELETE /v1/conversations/c1/pins/3"],
  [({ messages }) => messages.receipts("c1", { seq: 3 }), "GET /v1/conversations/c1/receipts?seq=3"],
  [({ messages }) => messages.search({ query: "a b", conversationId: "c1" }), "GET /v1/messages?query=a+b&conversation_id=c1"],
  [
    ({ messages }) => messages.schedule({ conversationId: "c1", content: "later", deliverAt: "t", reply_to: 2 }),
    "POST /v1/scheduled-messages", { conversation_id: "c1", content: "later", deliver_at: "t", reply_to: 2 },
  ],
  [({ messages }) => messages.scheduled(), "GET /v1/scheduled-messages"],
  [({ messages }) => messages.cancelScheduled("s1"), "DELETE /v1/scheduled-messages/s1"],
  [({ messages }) => messages.post("c1", "hi"), "POST /v1/conversations/c1/messages", { content: "hi" }],
  [({ messages }) => messages.read("c1", 3), "POST /v1/conversations/c1/read", { seq: 3 }],
  [({ messages }) => messages.unread(), "GET /v1/unread"],
  [
    ({ messages }) => messages.report("c1", 3, "spam"),
    "POST /v1/reports", { conversation_id: "c1", seq: 3, reason: "spam" },
  ],
  [({ settings }) => settings.change("c1", { muted: true }), "PUT /v1/conversations/c1/settings", { muted: true }],
  [({ settings }) => settings.saveDraft("c1", "so far"), "PUT /v1/conversations/c1/draft", { content: "so far" }],
  [({ settings }) => settings.saveDraft("c1", ""), "DELETE /v1/conversations/c1/draft"],
  [({ settings }) => settings.hide("c1"), "DELETE /v1/conversations/c1"],
  [
    ({ people }) => people.registerPushToken("d1", "fcm", "t"),
    "PUT /v1/users/me/push-tokens/d1", { platform: "fcm", token: "t" },
  ],
  [({ people }) => people.removePushToken("d1"), "DELETE /v1/users/me/push-tokens/d1"],
  [({ people }) => people.presences(["u1", "u2"]), "GET /v1/presence?user_ids=u1%2Cu2"],
];
const CREATING = ["POST /v1/groups", "POST /v1/groups/g1/members", "POST /v1/groups/g1/invite-links", "POST /v1/scheduled-messages",
  "POST /v1/conversations/c1/messages", "POST /v1/reports"];

test("each call is the request of the contract", async () => {
  const routes = Object.fromEntries(REQUESTS.map(([, request]) => [request.split("?")[0], () => [200, {}]]));
  const { client, calls } = await signedIn({ connect: false, routes });
  calls.length = 0;

  for (const [call] of REQUESTS) await call(client);

  assert.deepEqual(calls.map(told), REQUESTS.map(([, ...request]) => request));
});

test("what creates something may be repeated", async () => {
  const routes = Object.fromEntries(REQUESTS.map(([, request]) => [request.split("?")[0], () => [200, {}]]));
  const { client, calls } = await signedIn({ connect: false, routes });
  calls.length = 0;

  for (const [call] of REQUESTS) await call(client);

  const keyed = calls.filter(({ headers }) => headers["Idempotency-Key"]);
  assert.deepEqual(keyed.map(({ method, path }) => `${method} ${path}`), CREATING);
});
