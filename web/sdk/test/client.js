import { Lambchat, memoryStorage } from "../lambchat.js";
import { FakeClock, fakeFetch, FakeServer } from "./fakes.js";

export const PAIR = {
  user: { id: "me", username: "me" }, device_id: "d1", access_token: "access-1",
  refresh_token: "refresh-1", expires_in: 900,
};

/** A signed-in client with a server, a clock and a record of what it emitted. */
export async function signedIn({ routes = {}, limits = {}, connect = true } = {}) {
  const clock = new FakeClock();
  const server = new FakeServer();
  const calls = [];
  const table = {
    "POST /v1/auth/login": () => [200, PAIR],
    "POST /v1/auth/logout": () => [200, {}],
    "GET /v1/users/me": () => [200, PAIR.user],
    "GET /v1/client-config": () => [200, { websocket_url: "ws://chat.test/socket", limits }],
    "GET /v1/conversations/c1": () => [200, { id: "c1", read_seq: 0 }],
    ...routes,
  };
  const storage = memoryStorage();
  const client = new Lambchat({
    baseUrl: "http://chat.test", fetch: fakeFetch(table, calls), WebSocket: server.WebSocket,
    storage, clock, random: () => 0.5, locks: undefined,
  });
  const events = [];
  for (const type of ["message", "state", "receipt", "signed_out"]) {
    client.on(type, (detail) => events.push({ type, detail }));
  }
  await client.login({ username: "me", password: "secret" });
  if (connect) {
    client.connect();
    await clock.advance(1000);
  }
  const seqs = () => events.filter(({ type }) => type === "message").map(({ detail }) => detail.seq);
  return { client, clock, server, calls, routes: table, storage, events, seqs };
}
