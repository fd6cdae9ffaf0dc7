import assert from "node:assert/strict";
import { test } from "node:test";
import { PAIR, signedIn } from "./client.js";

const told = ({ method, path, search, body }) => [`${method} ${path}${search}`, ...(body ? [body] : [])];

/** Each call of the client, and the request that it is. */
const REQUESTS = [
  [(people) => people.get("a/b"), "GET /v1/users/a%2Fb"],
  [(people) => people.presence("u1"), "GET /v1/users/u1/presence"],
  [(people) => people.friends({ cursor: "x" }), "GET /v1/friends?cursor=x"],
  [(people) => people.setRemark("u1", "Sis"), "PATCH /v1/friends/u1", { remark: "Sis" }],
  [(people) => people.removeFriend("u1"), "DELETE /v1/friends/u1"],
  [(people) => people.friendRequests({ direction: "sent" }), "GET /v1/friend-requests?direction=sent"],
  [(people) => people.requestFriend("u1", "hi"), "POST /v1/friend-requests", { user_id: "u1", message: "hi" }],
  [(people) => people.acceptRequest("r1"), "POST /v1/friend-requests/r1/accept"],
  [(people) => people.rejectRequest("r1"), "POST /v1/friend-requests/r1/reject"],
  [(people) => people.blocks(), "GET /v1/blocks"],
  [(people) => people.block("u1"), "PUT /v1/blocks/u1"],
  [(people) => people.unblock("u1"), "DELETE /v1/blocks/u1"],
  [(people) => people.sessions(), "GET /v1/auth/sessions"],
  [(people) => people.endSession("d2"), "DELETE /v1/auth/sessions/d2"],
  [(people) => people.exportData(), "GET /v1/users/me/data"],
  [(people) => people.report("u1", "spam"), "POST /v1/reports", { user_id: "u1", reason: "spam" }],
  [
    (people) => people.changeEmail({ email: "a@b.example", password: "secret" }),
    "PUT /v1/auth/email", { email: "a@b.example", password: "secret" },
  ],
  [(people) => people.requestPasswordReset("ann"), "POST /v1/auth/password-reset", { username: "ann" }],
  [
    (people) => people.resetPassword({ token: "t", newPassword: "new" }),
    "POST /v1/auth/password-reset/confirm", { token: "t", new_password: "new" },
  ],
  [
    (people) => people.changePassword({ oldPassword: "old", newPassword: "new" }),
    "POST /v1/auth/password", { old_password: "old", new_password: "new" },
  ],
];

test("each call is the request of the contract", async () => {
  const routes = Object.fromEntries(REQUESTS.map(([, request]) => [request.split("?")[0], () => [200, {}]]));
  const { client, calls } = await signedIn({ connect: false, routes });
  calls.length = 0;

  for (const [call] of REQUESTS) await call(client.people);

  assert.deepEqual(calls.map(told), REQUESTS.map(([, ...request]) => request));
});

test("a changed profile is the signed-in user's from then on, and the tokens stay", async () => {
  const renamed = { ...PAIR.user, nickname: "Me" };
  const { client } = await signedIn({
    connect: false,
    routes: {
      "PATCH /v1/users/me": ({ body }) => [200, { ...PAIR.user, ...body }],
      "GET /v1/users/me": () => [200, { ...renamed, signature: "from elsewhere" }],
    },
  });

  await client.people.changeMe({ nickname: "Me" });
  const changed = client.user;
  await client.people.me();

  assert.deepEqual(changed, renamed);
  assert.equal(client.user.signature, "from elsewhere");
  assert.equal(client.session.current.refresh_token, PAIR.refresh_token);
});

test("an answer that comes after signing out does not sign in again", async () => {
  const { client } = await signedIn({ connect: false });

  const late = client.people.me();
  await client.logout();
  await late;

  assert.equal(client.user, null);
});

test("a wrong password is refused once, without a new pair of tokens", async () => {
  const refusal = { code: "invalid_credentials", detail: "the old password is wrong" };
  const { client, calls } = await signedIn({
    connect: false, routes: { "POST /v1/auth/password": () => [401, refusal] },
  });

  const attempt = client.people.changePassword({ oldPassword: "x", newPassword: "long enough" });

  await assert.rejects(attempt, { code: "invalid_credentials", message: "the old password is wrong" });
  assert.equal(calls.filter(({ path }) => path !== "/v1/auth/login").length, 1);
});

test("all devices are logged out only if the server says so", async () => {
  const { client, routes, calls, events } = await signedIn({ connect: false });
  routes["POST /v1/auth/logout"] = () => [503, { code: "unavailable" }];
  await assert.rejects(client.logout({ allDevices: true }), { code: "unavailable" });
  const kept = client.user;

  routes["POST /v1/auth/logout"] = () => [200, {}];
  await client.logout({ allDevices: true });

  assert.equal(kept.id, "me");
  assert.deepEqual(calls.at(-1).body, { all_devices: true });
  assert.equal(client.user, null);
  assert.deepEqual(events.at(-1), { type: "signed_out", detail: { reason: null } });
});

test("a deleted account is signed out, one that the server keeps is not", async () => {
  const { client, routes, events } = await signedIn({ connect: false });
  routes["DELETE /v1/users/me/data"] = () => [403, { code: "forbidden" }];
  await assert.rejects(client.deleteAccount(), { code: "forbidden" });
  const kept = client.user;

  routes["DELETE /v1/users/me/data"] = () => [202, {}];
  await client.deleteAccount();

  assert.equal(kept.id, "me");
  assert.equal(client.user, null);
  assert.deepEqual(events.at(-1), { type: "signed_out", detail: { reason: null } });
});
