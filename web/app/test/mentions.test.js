import assert from "node:assert/strict";
import { test } from "node:test";
import { offersOf } from "../mention_list.js";
import { Mentions } from "../mentions.js";

const USERS = [["u1", "Ann", "ann"], ["u2", "Ann Lee", "ann_lee"], ["u3", "C. (at)", "cat"], ["me", "Mo", "mo"]]
  .map(([id, nickname, username]) => ({ id, nickname, username }));
const OWN = { id: "g1", type: "group", group: { role: "owner" } };
const OTHERS = { id: "g1", type: "group", group: { role: "member" } };

async function loaded() {
  const api = { members: async () => ({ items: USERS.map((user) => ({ user_id: user.id, user })) }) };
  const mentions = new Mentions({ api, myId: "me", authorsOf: () => [USERS[0], { id: "gone", username: "" }] });
  await mentions.load(OWN);
  return mentions;
}

const names = (begun, { people = USERS.slice(0, 3), mayCallAll = false } = {}) => (
  offersOf({ people, mayCallAll }, begun).map(({ name }) => name));

test("members are called by any of their names, whole words only", async () => {
  const mentions = await loaded();
  const called = (text) => mentions.in(OTHERS, text);

  assert.deepEqual(called("hi @cat and @Ann!"), ["u3", "u1"]);
  assert.deepEqual(called("@C. (at) is here"), ["u3"]);
  assert.deepEqual(called("mail cat@ann.example, @annabel"), []);
  assert.deepEqual(mentions.in({ id: "d-1", type: "direct" }, "@ann"), []);
});

test("a longer name is not the shorter one that it begins with", async () => {
  const mentions = await loaded();

  assert.deepEqual(mentions.in(OTHERS, "@Ann Lee, look"), ["u2"]);
});

test("everybody is called by who may, for others it is a word", async () => {
  const mentions = await loaded();

  assert.deepEqual(mentions.in(OWN, "@all: at nine, @ann"), ["all"]);
  assert.deepEqual(mentions.in(OTHERS, "@all: at nine, @ann"), ["u1"]);
  assert.equal(mentions.mayCallAll({ id: "world", group: { role: "admin" } }), false);
});

test("in the world room who has written there can be called", async () => {
  const mentions = await loaded();

  assert.deepEqual(mentions.people({ id: "world" }).map(({ id }) => id), ["u1"]);
});

test("what is begun is the beginning of a name, or of a word of it", () => {
  assert.deepEqual(names("an"), ["Ann", "Ann Lee"]);
  assert.deepEqual(names("LE"), ["Ann Lee"]);
  assert.deepEqual(names("cat"), ["C. (at)"]);
  assert.deepEqual(names("x"), []);
});

test("everybody is offered first, to who may call them", () => {
  assert.deepEqual(names("a", { mayCallAll: true }), ["all", "Ann", "Ann Lee"]);
  assert.deepEqual(names("b", { mayCallAll: true }), []);
});

test("of two with one nickname each is called by the user name", () => {
  const people = [...USERS.slice(0, 1), { id: "u9", nickname: "Ann", username: "ann9" }];

  assert.deepEqual(names("ann", { people }), ["ann", "ann9"]);
});
