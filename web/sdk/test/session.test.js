import assert from "node:assert/strict";
import { test } from "node:test";
import { Lambchat } from "../lambchat.js";
import { PAIR, signedIn } from "./client.js";
import { FakeClock, fakeFetch } from "./fakes.js";

const SECOND = { access_token: "access-2", refresh_token: "refresh-2", expires_in: 900 };

function refreshing() {
  const routes = {
    "POST /v1/auth/refresh": ({ body }) => (body.refresh_token === "refresh-1"
      ? [200, SECOND] : [401, { code: "token_reused" }]),
    "GET /v1/conversations": ({ headers }) => (headers.Authorization === "Bearer access-2"
      ? [200, { items: [], next_cursor: null }] : [401, { code: "token_expired" }]),
  };
  return signedIn({ routes, connect: false });
}

const refreshes = (calls) => calls.filter(({ path }) => path === "/v1/auth/refresh").length;

test("a refused token is refreshed once, for all requests that met it", async () => {
  const { client, calls } = await refreshing();

  const pages = await Promise.all([client.conversations(), client.conversations(), client.conversations()]);

  assert.equal(pages.length, 3);
  assert.equal(refreshes(calls), 1);
  assert.equal(client.user.id, "me");
});

test("a token is refreshed before it expires", async () => {
  const { client, clock, calls } = await refreshing();

  await clock.advance(871_000);
  await client.conversations();

  assert.deepEqual(calls.slice(1).map(({ path }) => path), ["/v1/auth/refresh", "/v1/conversations"]);
});

test("two tabs spend a refresh token once", async () => {
  const { client, calls, storage, routes } = await refreshing();
  let last = Promise.resolve();
  const locks = { request: (_, task) => (last = last.then(task)) };
  const options = { baseUrl: "http://chat.test", storage, locks, clock: new FakeClock() };
  const tabs = [1, 2].map(() => new Lambchat({ ...options, fetch: fakeFetch(routes, calls) }));

  await Promise.all(tabs.map((tab) => tab.conversations()));

  assert.equal(refreshes(calls), 1);
  assert.equal(client.session.current.refresh_token, "refresh-2");
});

test("a tab that still sees the old pair does not spend it again", async () => {
  const { client, calls, storage, routes } = await refreshing();
  const old = storage.getItem("lambchat.session");
  const lagging = { ...storage, getItem: () => old, latest: async (key) => storage.getItem(key) };
  const late = new Lambchat({
    baseUrl: "http://chat.test", storage: lagging, clock: new FakeClock(), fetch: fakeFetch(routes, calls), locks: undefined,
  });

  await client.conversations();
  await late.conversations();

  assert.equal(refreshes(calls), 1);
});

test("a refused refresh token ends the session, a lost network does not", async () => {
  const { client, routes, events } = await refreshing();
  const refused = routes["POST /v1/auth/refresh"];
  routes["POST /v1/auth/refresh"] = () => { throw new TypeError("network"); };
  await assert.rejects(client.rest.post("/v1/x"), { code: "not_found" });
  routes["POST /v1/x"] = () => [401, { code: "token_expired" }];

  await assert.rejects(client.rest.post("/v1/x"), { code: "network" });
  const kept = client.user;
  await client.session.save({ ...PAIR, refresh_token: "spent" });
  routes["POST /v1/auth/refresh"] = refused;
  await assert.rejects(client.rest.post("/v1/x"), { code: "signed_out" });

  assert.equal(kept.id, "me");
  assert.equal(client.user, null);
  assert.equal(events.at(-1).detail.reason.code, "token_reused");
});

test("a problem document becomes an error with its code and fields", async () => {
  const errors = [{ field: "username", message: "too short" }];
  const { client } = await signedIn({
    connect: false,
    routes: { "POST /v1/auth/register": () => [422, { code: "invalid_field", detail: "no", errors }] },
  });

  const attempt = client.register({ username: "a", password: "b" });

  await assert.rejects(attempt, { code: "invalid_field", status: 422, message: "no", errors });
});

test("reads are tried again while the server is in trouble, writes are not", async () => {
  const answers = [[503, {}], [429, {}, { "Retry-After": "2" }], [200, { items: [] }]];
  const { client, clock, calls } = await signedIn({
    connect: false,
    routes: {
      "GET /v1/users": () => answers.shift(),
      "POST /v1/conversations": () => [503, { code: "unavailable" }],
    },
  });

  const found = client.people.search({ query: "ann" });
  await clock.advance(10_000);
  await assert.rejects(client.openDirect("u1"), { code: "unavailable" });

  assert.deepEqual(await found, { items: [] });
  assert.equal(calls.at(-2).search, "?query=ann");
  assert.equal(calls.filter(({ method }) => method === "POST").length, 2); // login and this one
});

test("logging out tells the server and forgets the tokens, also without a network", async () => {
  const { client, calls, routes, events, storage } = await signedIn();
  routes["POST /v1/auth/logout"] = () => { throw new TypeError("network"); };

  await client.logout();

  assert.equal(calls.at(-1).path, "/v1/auth/logout");
  assert.equal(storage.getItem("lambchat.session"), null);
  assert.deepEqual(events.at(-1), { type: "signed_out", detail: { reason: null } });
});
