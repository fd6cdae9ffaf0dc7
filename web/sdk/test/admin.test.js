import assert from "node:assert/strict";
import { test } from "node:test";
import { Admin } from "../admin.js";
import { signedIn } from "./client.js";

/** Each call of an operator, and the request that it is. */
const REQUESTS = [
  [(admin) => admin.bans({ limit: 5 }), "GET /v1/admin/bans?limit=5"],
  [(admin) => admin.ban("u1", { reason: "spam" }), "PUT /v1/admin/bans/u1", { reason: "spam" }],
  [(admin) => admin.unban("u1"), "DELETE /v1/admin/bans/u1"],
  [(admin) => admin.broadcast("Back at noon."), "POST /v1/admin/broadcasts", { content: "Back at noon." }],
  [(admin) => admin.deadLetters(), "GET /v1/admin/dead-letters"],
  [(admin) => admin.replay("l1"), "POST /v1/admin/dead-letters/l1/replay"],
  [(admin) => admin.breakers(), "GET /v1/admin/breakers"],
  [(admin) => admin.counters({ days: 3 }), "GET /v1/admin/counters?days=3"],
  [(admin) => admin.auditLog(), "GET /v1/admin/audit-log"],
  [(admin) => admin.reports({ status: "open" }), "GET /v1/admin/reports?status=open"],
  [(admin) => admin.answerReport("r1", { status: "dismissed" }), "PATCH /v1/admin/reports/r1", { status: "dismissed" }],
];

test("each call of an operator is the request of the contract", async () => {
  const routes = Object.fromEntries(REQUESTS.map(([, request]) => [request.split("?")[0], () => [200, {}]]));
  const { client, calls } = await signedIn({ connect: false, routes });
  const admin = new Admin(client.rest);
  calls.length = 0;

  for (const [call] of REQUESTS) await call(admin);

  const told = calls.map(({ method, path, search, body }) => [`${method} ${path}${search}`, ...(body ? [body] : [])]);
  assert.deepEqual(told, REQUESTS.map(([, ...request]) => request));
});
