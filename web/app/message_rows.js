import { faceOf } from "./avatar.js";
import { dayOf, nameOf, textOf } from "./format.js";
import { systemText } from "./system_text.js";

const TOGETHER_MS = 5 * 60_000;
const EVERYBODY = "all";

/**
 * What the log shows, as plain rows: days, the line before what is new, messages.
 * @param {object[]} entries Ordered messages.
 * @param {object} context `myId`, `isDirect`, `personOf(id)`, `statusOf(message)`, `messageOf(seq)`,
 *   `problemOf(seq)`, and `unreadAfter`: the `seq` after which others' messages are new, or null.
 */
export function rowsOf(entries, context) {
  const rows = [];
  let before = null;
  let { unreadAfter } = context;
  for (const entry of entries) {
    const isMine = entry.status !== undefined || entry.sender_id === context.myId;
    const day = dayOf(entry.created_at);
    const isNew = unreadAfter !== null && !isMine && entry.seq > unreadAfter;
    if (day !== before?.day) rows.push({ kind: "day", key: `day ${day}`, text: day });
    if (isNew) rows.push({ kind: "new", key: "new", text: "New messages" });
    if (isNew) unreadAfter = null;
    const now = { day, sender: isMine ? context.myId : entry.sender_id, time: Date.parse(entry.created_at) };
    const isSystem = entry.type === "system";
    const more = { isMine, goesOn: !isNew && goesOn(before, now) };
    rows.push(isSystem ? systemRow(entry, context) : messageRow(entry, { ...context, ...more }));
    before = isSystem ? { day } : now;
  }
  return rows;
}

/** What a message says, for lists and quotes. */
export const briefOf = (message, context) => (
  message.type === "system" ? systemText(message, context) : textOf(message));

/** Whether two messages that follow one another are shown as one piece. */
function goesOn(before, now) {
  return before?.sender === now.sender && before.day === now.day && now.time - before.time < TOGETHER_MS;
}

function systemRow(entry, context) {
  return { kind: "system", key: `seq ${entry.seq}`, text: systemText(entry, context) };
}

function messageRow(entry, context) {
  const { isMine, goesOn: follows, isDirect, personOf, statusOf } = context;
  const person = isMine ? null : personOf(entry.sender_id);
  const name = person && nameOf(person);
  const isGone = Boolean(entry.recalled || entry.deleted || (!entry.content && entry.expires_at));
  return {
    kind: "message",
    key: isMine ? `mine ${entry.client_msg_id}` : `seq ${entry.seq}`,
    seq: entry.seq,
    text: entry.attachment && !isGone ? entry.content : textOf(entry),
    isMine,
    isFaint: isGone || (!entry.content && !entry.attachment),
    isEdited: Boolean(entry.edited_at && !isGone),
    goesOn: follows,
    name,
    face: person && !isDirect ? faceOf(person, name) : null,
    time: entry.created_at,
    status: isMine ? entry.status ?? statusOf(entry) : null,
    reason: entry.reason ?? "",
    clientMsgId: entry.client_msg_id,
    problem: context.problemOf?.(entry.seq) ?? "",
    ...(isGone ? {} : extrasOf(entry, context)),
  };
}

/** What a message may have beside its text, where it has not lost it. */
function extrasOf(entry, { myId, personOf, messageOf, isMine }) {
  const { reply_to: reply, mentions: called = [], attachment, reactions = {}, conversation_id: conversationId } = entry;
  const quoted = reply && messageOf?.(reply.seq);
  const author = reply?.sender_id ?? quoted?.sender_id;
  return {
    conversationId,
    attachment,
    isForwarded: Boolean(entry.forwarded_from),
    mentionsMe: !isMine && mentions(entry, myId),
    mentioned: called.flatMap((id) => (id === EVERYBODY ? [id] : callNames(personOf(id)))),
    reply: reply && {
      seq: reply.seq,
      name: author === myId ? "You" : author ? nameOf(personOf(author)) : "",
      text: quoted ? briefOf(quoted, { myId, personOf }).slice(0, 200) : "An earlier message",
    },
    reactions: Object.entries(reactions).map(([emoji, { count, user_ids: ids }]) => ({
      emoji, count, isMine: ids.includes(myId),
      names: ids.map((id) => (id === myId ? "You" : nameOf(personOf(id)))).join(", "),
    })),
  };
}

/** Whether a message calls somebody, or everybody. */
export const mentions = ({ mentions: called = [] }, userId) => called.includes(userId) || called.includes(EVERYBODY);

/** The names that a person may be called by in a text. */
export const callNames = (user) => [...new Set([nameOf(user), user.nickname, user.username])].filter(Boolean);

/** A text in parts, those of them that mention somebody (`@name`) marked. */
export function partsOf(text, names) {
  const called = [...names].sort((one, other) => other.length - one.length).map((name) => `@${name}`);
  const parts = [{ text: "", isMention: false }];
  for (let at = 0; at < text.length; ) {
    const found = called.find((name) => text.startsWith(name, at));
    if (found) parts.push({ text: found, isMention: true }, { text: "", isMention: false });
    else parts.at(-1).text += text[at];
    at += found?.length ?? 1;
  }
  return parts.filter((part) => part.text);
}
