import assert from "node:assert/strict";
import { test } from "node:test";
import { Friends } from "../friends.js";

const request = (id, sender_id, receiver_id, status = "pending") => ({ id, sender_id, receiver_id, status });

/** A server's lists, and what was read of them. */
function fakeApi(lists = {}) {
  const reads = [];
  const read = (name) => async ({ cursor }) => {
    reads.push(name);
    if (lists[name] instanceof Error) throw lists[name];
    const [page = [], ...more] = lists[name] ?? [];
    const items = cursor ? lists[name][cursor] : page;
    const next = (cursor ?? 0) + 1;
    return { items, next_cursor: next <= more.length ? next : null };
  };
  const requests = { received: read("received"), sent: read("sent") };
  return {
    reads, lists, friends: read("friends"), blocks: read("blocked"),
    friendRequests: ({ direction, ...page }) => requests[direction](page),
  };
}

async function loaded(lists) {
  const api = fakeApi(lists);
  let changes = 0;
  const friends = new Friends({ api, onChange: () => { changes += 1; } });
  await friends.load();
  api.reads.length = 0;
  return { api, friends, changes: () => changes };
}

test("all pages of a list are read", async () => {
  const { friends } = await loaded({ friends: [[{ user_id: "a" }], [{ user_id: "b" }], [{ user_id: "c" }]] });

  assert.deepEqual(friends.friends.map(({ user_id }) => user_id), ["a", "b", "c"]);
});

test("how I stand with somebody", async () => {
  const { friends } = await loaded({
    friends: [[{ user_id: "friend", remark: "Sis" }]],
    received: [[request("1", "asker", "me"), request("2", "friend", "me", "accepted")]],
    sent: [[request("3", "me", "asked")]],
    blocked: [[{ user_id: "pest" }]],
  });

  assert.equal(friends.with("friend").friend.remark, "Sis");
  assert.equal(friends.with("asker").received.id, "1");
  assert.equal(friends.with("asked").sent.id, "3");
  assert.equal(friends.with("pest").isBlocked, true);
  assert.deepEqual(
    friends.with("nobody"), { friend: undefined, received: undefined, sent: undefined, isBlocked: false });
});

test("answered requests are gone, but for my latest one that was declined", async () => {
  const { friends } = await loaded({
    received: [[request("1", "a", "me", "rejected")]],
    sent: [[request("4", "me", "b"), request("3", "me", "b", "rejected"), request("2", "me", "c", "rejected"),
      request("1", "me", "d", "accepted")]],
  });

  assert.deepEqual(friends.received, []);
  assert.deepEqual(friends.sent.map(({ id }) => id), ["4", "2"]);
});

test("a declined request is forgotten when the two are friends all the same", async () => {
  const { friends } = await loaded({
    friends: [[{ user_id: "b" }]], sent: [[request("1", "me", "b", "rejected")]],
  });

  assert.deepEqual(friends.sent, []);
});

test("an event reads the lists that it concerns, and others none", async () => {
  const { api, friends } = await loaded();

  await friends.heard("friend.deleted");
  await friends.heard("group.changed");

  assert.deepEqual(api.reads, ["friends"]);
});

test("a burst of events is read once while waiting, and once more after a read under way", async () => {
  const { api, friends } = await loaded();

  const burst = ["friend.deleted", "friend.deleted", "friend.deleted"].map((event) => friends.heard(event));
  await new Promise((resolve) => { queueMicrotask(resolve); });
  await Promise.all([...burst, friends.heard("friend.deleted"), friends.heard("friend.deleted")]);

  assert.deepEqual(api.reads, ["friends", "friends"]);
});

test("a list that cannot be read keeps what was known, and says why", async () => {
  const { api, friends, changes } = await loaded({ friends: [[{ user_id: "a" }]] });
  const before = changes();
  api.lists.friends = new Error("no network");

  await friends.load();
  const { problem, friends: known } = friends;
  api.lists.friends = [[]];
  await friends.load();

  assert.equal(problem, "no network");
  assert.equal(friends.problem, "");
  assert.deepEqual(known, [{ user_id: "a" }]);
  assert.deepEqual(friends.friends, []);
  assert.ok(changes() > before);
});

test("a change is shown when it is done, also when it was refused", async () => {
  const { api, friends } = await loaded();
  const refused = Object.assign(new Error("already friends"), { code: "already_friends" });

  await friends.change(async () => { api.lists.blocked = [[{ user_id: "pest" }]]; });
  const isBlocked = friends.with("pest").isBlocked;
  const attempt = friends.change(async () => { throw refused; });

  await assert.rejects(attempt, refused);
  await new Promise((resolve) => { setImmediate(resolve); });
  assert.equal(isBlocked, true);
  assert.equal(api.reads.filter((name) => name === "friends").length, 2);
});
