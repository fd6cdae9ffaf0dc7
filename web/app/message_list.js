import { avatar, el, faceOf, hiddenText, icon } from "./dom.js";
import { dayOf, nameOf, textOf, timeOf } from "./format.js";

const TOGETHER_MS = 5 * 60_000;
const STATUS_TEXT = {
  sending: "Sending", sent: "Sent", delivered: "Delivered", read: "Read", failed: "Not sent",
};

/**
 * What the log shows, as plain rows: days, the line before what is new, messages.
 * @param {object[]} entries Ordered messages.
 * @param {object} context `myId`, `isDirect`, `personOf(id)`, `statusOf(message)`, and `unreadAfter`:
 *   the `seq` after which others' messages are new, or null.
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
    rows.push(messageRow(entry, { ...context, isMine, goesOn: !isNew && goesOn(before, now) }));
    before = entry.type === "system" ? { day } : now;
  }
  return rows;
}

/** Whether two messages that follow one another are shown as one piece. */
function goesOn(before, now) {
  return before?.sender === now.sender && before.day === now.day && now.time - before.time < TOGETHER_MS;
}

function messageRow(entry, { isMine, goesOn, isDirect, personOf, statusOf }) {
  const person = isMine || entry.type === "system" ? null : personOf(entry.sender_id);
  const name = person && nameOf(person);
  return {
    kind: entry.type === "system" ? "system" : "message",
    key: isMine ? `mine ${entry.client_msg_id}` : `seq ${entry.seq}`,
    text: textOf(entry),
    isMine,
    isFaint: Boolean(entry.recalled || !entry.content),
    isEdited: Boolean(entry.edited_at && !entry.recalled),
    goesOn,
    name,
    face: person && !isDirect ? faceOf(person, name) : null,
    time: entry.created_at,
    status: isMine ? entry.status ?? statusOf(entry) : null,
    reason: entry.reason ?? "",
    clientMsgId: entry.client_msg_id,
  };
}

/** Keeps the elements of the log in step with its rows, touching only what changed. */
export class MessageList {
  #shown = new Map();

  /** @param {HTMLElement} root @param {(clientMsgId: string) => void} onRetry */
  constructor(root, onRetry) {
    this.root = root;
    this.onRetry = onRetry;
  }

  clear() {
    this.#shown.clear();
    this.root.replaceChildren();
  }

  render(rows) {
    const keys = new Set(rows.map(({ key }) => key));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    let place = this.root.firstChild;
    for (const row of rows) {
      const element = this.#elementOf(row);
      if (element === place) place = place.nextSibling;
      else this.root.insertBefore(element, place);
    }
  }

  #elementOf(row) {
    const version = JSON.stringify(row);
    const shown = this.#shown.get(row.key) ?? { element: el("div"), version: "" };
    if (shown.version !== version) this.#draw(shown.element, row);
    this.#shown.set(row.key, { element: shown.element, version });
    return shown.element;
  }

  #draw(element, row) {
    if (row.kind !== "message") {
      element.className = `line ${row.kind}`;
      element.replaceChildren(el("span", {}, row.text));
      return;
    }
    element.className = ["message", row.isMine && "mine", row.goesOn && "goes-on", row.face && "with-face"]
      .filter(Boolean).join(" ");
    const author = row.goesOn || row.isMine || !row.face
      ? hiddenText(`${row.isMine ? "You" : row.name}: `) : el("span", { class: "author" }, row.name);
    const text = el("p", { class: row.isFaint ? "text faint" : "text", dir: "auto" }, row.text);
    element.replaceChildren(
      ...(row.face && !row.goesOn ? [avatar(row.face)] : []),
      el("div", { class: "bubble" }, author, text, meta(row)),
      ...(row.status === "failed" ? [this.#failure(row)] : []),
    );
  }

  #failure({ clientMsgId, reason }) {
    const again = el("button", { type: "button", class: "link" }, "Try again");
    again.addEventListener("click", () => this.onRetry(clientMsgId));
    return el("p", { class: "failure" }, `Not sent: ${reason} `, again);
  }
}

function meta({ time, status, isEdited }) {
  const shown = el("time", { datetime: time, title: new Date(time).toLocaleString() }, timeOf(time));
  const parts = status ? [icon(status), hiddenText(STATUS_TEXT[status])] : [];
  const attributes = { class: "meta", "data-status": status };
  return el("span", attributes, isEdited ? "edited " : null, shown, ...parts);
}
