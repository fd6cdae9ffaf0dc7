import assert from "node:assert/strict";
import { test } from "node:test";
import { Conversations } from "../conversations.js";
import { sizeOf } from "../format.js";
import { choicesOf } from "../message_menu.js";
import { partsOf, rowsOf } from "../message_rows.js";
import { localTime } from "../schedule.js";
import { Sending } from "../sending.js";
import { Timeline } from "../timeline.js";

const message = (more = {}) => ({
  seq: 2, conversation_id: "g1", sender_id: "other", type: "text", content: "Hi", created_at: "2026-01-01T12:00:00Z", ...more,
});
const personOf = (id) => ({ id, nickname: id === "other" ? "Olga" : "", username: id });
const context = {
  myId: "me", isDirect: false, unreadAfter: null, personOf, statusOf: () => "sent", problemOf: () => "",
  messageOf: (seq) => (seq === 1 ? message({ seq: 1, sender_id: "me", content: "Ready?" }) : undefined),
};
const row = (more) => rowsOf([message(more)], context).at(-1);
const names = (more, conversation = {}, isPinned = false) => (
  choicesOf(message(more), { myId: "me", conversation: { id: "g1", type: "group", ...conversation }, isPinned })
    .map(([name]) => name));

test("a reply quotes what it answers, as far as it is here", () => {
  assert.deepEqual(row({ reply_to: { seq: 1, sender_id: "me" } }).reply, { seq: 1, name: "You", text: "Ready?" });
  assert.deepEqual(
    row({ reply_to: { seq: 9, sender_id: "other" } }).reply, { seq: 9, name: "Olga", text: "An earlier message" });
});

test("who is mentioned is marked in the text, and I most of all", () => {
  const called = row({ content: "@Olga, look", mentions: ["other"] });

  assert.equal(called.mentionsMe, false);
  assert.deepEqual(partsOf(called.text, called.mentioned), [
    { text: "@Olga", isMention: true }, { text: ", look", isMention: false }]);
  assert.equal(row({ mentions: ["all"] }).mentionsMe, true);
  assert.equal(row({ mentions: ["me"] }).mentionsMe, true);
});

test("reactions say whose they are", () => {
  const { reactions } = row({ reactions: { "👍": { count: 2, user_ids: ["me", "other"] } } });

  assert.deepEqual(reactions, [{ emoji: "👍", count: 2, isMine: true, names: "You, Olga" }]);
});

test("nothing is left of a message that was recalled or deleted but its place", () => {
  const rest = { content: "", reactions: { "👍": { count: 1, user_ids: [] } }, reply_to: { seq: 1 } };

  for (const [mark, text] of [["recalled", "This message was recalled."], ["deleted", "You deleted this message."]]) {
    const gone = row({ ...rest, [mark]: true });
    assert.deepEqual([gone.text, gone.isFaint, gone.reply, gone.reactions], [text, true, undefined, undefined]);
  }
});

test("an attachment needs no text", () => {
  const attachment = { id: "a1", name: "cat.png", size: 4, content_type: "image/png" };

  const shown = row({ type: "image", content: "", attachment });

  assert.deepEqual([shown.text, shown.isFaint, shown.attachment], ["", false, attachment]);
  assert.deepEqual([999, 1500, 20_000, 3_200_000].map(sizeOf), ["999 B", "1.5 kB", "20 kB", "3.2 MB"]);
});

test("what can be done with a message depends on whose it is and on one's role", () => {
  const mine = { sender_id: "me" };

  assert.deepEqual(names(mine), ["reply", "forward", "copy", "edit", "readers", "recall", "delete"]);
  assert.deepEqual(names({}), ["reply", "forward", "copy", "delete"]);
  assert.deepEqual(names({}, { group: { role: "admin" } }), ["reply", "forward", "copy", "pin", "recall", "delete"]);
  assert.deepEqual(names({}, { type: "direct" }, true), ["reply", "forward", "copy", "unpin", "delete"]);
  assert.deepEqual(names({ ...mine, recalled: true, content: "" }), ["delete"]);
});

test("a forwarded message is shown as such before the server has it, and forwarded again as a copy", () => {
  const timeline = new Timeline(async () => ({ items: [] }));
  const sends = [];
  const client = { send: (...all) => { sends.push(all); return { client_msg_id: "x1", sent: new Promise(() => {}) }; } };
  const sending = new Sending({ client, timelineOf: () => timeline, onChange: () => {} });
  const forward_of = { conversation_id: "g1", seq: 2 };

  sending.forward("c2", message({ type: "image", content: "", attachment: { name: "lake.png" } }));
  const [shown] = rowsOf(timeline.entries(), context).slice(-1);
  sending.retry("c2", "x1");

  assert.deepEqual([shown.text, shown.isForwarded, shown.status], ["Picture: lake.png", true, "sending"]);
  assert.deepEqual(sends, [["c2", "", { forward_of }], ["c2", "", { forward_of, client_msg_id: "x1" }]]);
});

test("a time is written as the browser's field wants it", () => {
  const time = new Date(2026, 0, 2, 3, 4).getTime();

  assert.equal(localTime(time), "2026-01-02T03:04");
});

test("what is pinned comes first, what is muted does not count", () => {
  const all = new Conversations("me");
  const add = (id, minute, settings) => all.merge({
    id, type: "group", last_seq: 1, read_seq: 0, unread_count: 1, settings,
    last_message: message({ conversation_id: id, created_at: `2026-01-01T12:0${minute}:00Z` }),
  });
  add("old", 1, { pinned: true });
  add("new", 3, { muted: true });
  add("middle", 2, {});

  assert.deepEqual(all.sorted().map(({ id }) => id), ["old", "new", "middle"]);
  assert.equal(all.unread, 2);
  all.delete("old");
  all.change("new", { settings: { muted: false } });
  assert.equal(all.unread, 2);
});
