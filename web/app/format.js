const DAY_MS = 86_400_000;
const clock = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit" });
const weekday = new Intl.DateTimeFormat(undefined, { weekday: "short" });
const date = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short", year: "numeric" });
const longDate = new Intl.DateTimeFormat(undefined, {
  weekday: "long", day: "numeric", month: "long", year: "numeric",
});

const midnight = (time) => new Date(time).setHours(0, 0, 0, 0);
const daysAgo = (time, now) => Math.round((midnight(now) - midnight(time)) / DAY_MS);

/** The time of day. */
export const timeOf = (time) => clock.format(new Date(time));

/** The day, briefly. */
export const dateOf = (time) => date.format(new Date(time));

/** How the list says when: the time today, else the day. */
export function shortTime(time, now = Date.now()) {
  const days = daysAgo(time, now);
  if (days <= 0) return timeOf(time);
  if (days === 1) return "Yesterday";
  return days < 7 ? weekday.format(new Date(time)) : date.format(new Date(time));
}

/** How a day is called between messages. */
export function dayOf(time, now = Date.now()) {
  const days = daysAgo(time, now);
  if (days === 0) return "Today";
  return days === 1 ? "Yesterday" : longDate.format(new Date(time));
}

/** A number that fits into a badge. */
export const badge = (count) => (count > 99 ? "99+" : `${count}`);

const UNITS = [["GB", 1e9], ["MB", 1e6], ["kB", 1e3]];

/** How large a file is. */
export function sizeOf(bytes) {
  const [unit, factor] = UNITS.find(([, least]) => bytes >= least) ?? ["B", 1];
  return `${Number((bytes / factor).toFixed(bytes / factor < 10 && factor > 1 ? 1 : 0))} ${unit}`;
}

/** What I call my friends, by their ids. */
export const remarks = new Map();

/** The name to show for a user. */
export const nameOf = (user) => remarks.get(user?.id) || user?.nickname || user?.username || "Unknown";

/** Where somebody is, in words. */
export function presenceOf({ status, last_seen: seen }, now = Date.now()) {
  if (status === "online") return "Online";
  if (status === "away") return "Away";
  return seen ? `Last seen: ${dayOf(seen, now)}, ${timeOf(seen)}` : "Offline";
}

/** What a conversation is called. */
export function titleOf(conversation) {
  if (conversation.type === "direct") return nameOf(conversation.user);
  return conversation.group?.name || (conversation.id === "world" ? "World" : "Group");
}

const KINDS = {
  image: "Picture", file: "File", audio: "Voice message", video: "Video", location: "Location", card: "Card",
  custom: "Message",
};

/** A message's text, or what stands for it where the page cannot show it. */
export function textOf(message) {
  if (message.recalled) return "This message was recalled.";
  if (message.deleted) return "You deleted this message.";
  if (!message.content && message.expires_at) return "This message has expired.";
  const kind = KINDS[message.type];
  return kind ? `${kind}: ${message.content || (message.attachment?.name ?? "")}` : message.content;
}
