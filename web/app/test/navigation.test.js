import assert from "node:assert/strict";
import { test } from "node:test";
import { placeOf } from "../navigation.js";

test("an address names a section, or something to show beside it", () => {
  assert.deepEqual(placeOf("#/friends"), { page: "friends", id: undefined });
  assert.deepEqual(placeOf("#/c/d-a-b"), { page: "c", id: "d-a-b" });
  assert.deepEqual(placeOf("#/u/a%2Fb"), { page: "u", id: "a/b" });
});

test("an address that names nothing is that of the chats", () => {
  for (const hash of ["", "#", "#/", "#/c/%", "#nonsense"]) {
    assert.deepEqual(placeOf(hash), { page: "chats", id: undefined });
  }
});
