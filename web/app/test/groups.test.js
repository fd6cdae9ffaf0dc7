import assert from "node:assert/strict";
import { test } from "node:test";
import { memberChoices } from "../group_members.js";
import { systemText } from "../system_text.js";

const NAMES = { u1: "Ann", u2: "Bob", u3: "Cat", u4: "Dan", u5: "Eve" };
const personOf = (id) => ({ id, nickname: NAMES[id] ?? "", username: NAMES[id]?.toLowerCase() ?? "" });
const said = (line) => systemText({ content: JSON.stringify(line) }, { myId: "me", personOf });

test("a system line is a sentence", () => {
  const lines = [
    [{ event: "group.created", actor: "me", users: ["me", "u1"] }, "You created the group with Ann."],
    [{ event: "group.created", actor: "u1", users: ["u1"] }, "Ann created the group."],
    [{ event: "group.member_added", actor: "u1", users: ["me", "u2"] }, "Ann added you and Bob."],
    [{ event: "group.member_added", actor: "u1", users: ["u2", "u3", "u4", "u5", "me"] }, "Ann added Bob, Cat, Dan and 2 more."],
    [{ event: "group.member_joined", actor: "me", users: ["me"] }, "You joined."],
    [{ event: "group.member_joined", actor: "u1", users: ["u2"] }, "Ann let Bob in."],
    [{ event: "group.member_left", actor: "u1", users: ["u1"] }, "Ann left."],
    [{ event: "group.member_removed", actor: "u1", users: ["me"] }, "Ann removed you."],
    [{ event: "group.updated", actor: "u1", users: [], name: "Hikers" }, "Ann called the group “Hikers”."],
    [{ event: "group.updated", actor: "u1", users: [], announcement: "At nine" }, "Ann announced: At nine"],
    [{ event: "group.updated", actor: "u1", users: [], announcement: "" }, "Ann changed the group."],
    [{ event: "group.transferred", actor: "u1", users: ["u1", "u2"], owner_id: "u2" }, "Ann made Bob the owner."],
    [{ event: "group.dismissed", actor: "u1", users: [] }, "Ann dismissed the group."],
    [{ event: "group.of_tomorrow", actor: "u1", users: [] }, "The group was changed."],
  ];

  for (const [line, text] of lines) assert.equal(said(line), text);
});

test("a line that is text already stays as it is", () => {
  assert.equal(systemText({ content: "Hello" }, { myId: "me", personOf }), "Hello");
});

test("whoever stands above a member may do something with them", () => {
  const names = (role, mine, isMuted = false) => memberChoices({ role, isMuted }, mine).map(([name]) => name);

  assert.deepEqual(names("member", "owner"), ["promote", "transfer", "mute", "remove"]);
  assert.deepEqual(names("admin", "owner", true), ["demote", "transfer", "unmute", "remove"]);
  assert.deepEqual(names("member", "admin"), ["mute", "remove"]);
  assert.deepEqual(names("admin", "admin"), []);
  assert.deepEqual(names("member", "member"), []);
});
