import { nameOf } from "./format.js";

const MOST_NAMES = 3;

const SENTENCES = {
  "group.created": ({ actor, others }) => `${actor} created the group${others ? ` with ${others}` : ""}.`,
  "group.member_added": ({ actor, users }) => `${actor} added ${users}.`,
  "group.member_joined": ({ actor, users, others }) => (others ? `${actor} let ${others} in.` : `${users} joined.`),
  "group.member_left": ({ users }) => `${users} left.`,
  "group.member_removed": ({ actor, users }) => `${actor} removed ${users}.`,
  "group.updated": ({ actor, line }) => {
    if (line.name) return `${actor} called the group “${line.name}”.`;
    return line.announcement ? `${actor} announced: ${line.announcement}` : `${actor} changed the group.`;
  },
  "group.transferred": ({ actor, users, others }) => `${actor} made ${others || users} the owner.`,
  "group.dismissed": ({ actor }) => `${actor} dismissed the group.`,
};

/**
 * What a system line says, as a sentence.
 * @param {{content: string}} message
 * @param {{myId: string, personOf: (id: string) => object}} context
 */
export function systemText({ content }, { myId, personOf }) {
  const line = parsed(content);
  const sentence = SENTENCES[line?.event];
  if (!sentence) return line ? "The group was changed." : content;
  const call = (id) => (id === myId ? "you" : nameOf(personOf(id)));
  const ids = line.users ?? [];
  const text = sentence({
    line, actor: call(line.actor), users: namesOf(ids, call),
    others: namesOf(ids.filter((id) => id !== line.actor), call),
  });
  return text.replace(/^you\b/, "You");
}

function namesOf(ids, call) {
  const names = ids.slice(0, MOST_NAMES).map(call);
  const more = ids.length - names.length;
  const last = more > 0 ? `${more} more` : names.pop();
  return names.length > 0 ? `${names.join(", ")} and ${last}` : last ?? "";
}

function parsed(content) {
  try {
    return JSON.parse(content);
  } catch {
    return null; // it is text already
  }
}
