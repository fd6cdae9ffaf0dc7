import { avatar, faceOf } from "./avatar.js";
import { byId, el, hiddenText, icon } from "./dom.js";
import { badge, nameOf, shortTime, titleOf } from "./format.js";
import { KeyedList } from "./keyed_list.js";
import { briefOf } from "./message_rows.js";

/** The list of conversations; its entries are links, so that keyboard and Back work by themselves. */
export class ListView {
  /**
   * @param {object} context
   * @param {(id: string) => object} context.personOf
   * @param {(id: string) => object | undefined} context.presenceOf
   */
  constructor({ myId, personOf, presenceOf }) {
    Object.assign(this, { myId, personOf, presenceOf });
    this.entries = new KeyedList(byId("conversations"), draw);
  }

  render(conversations, selectedId) {
    this.entries.render(conversations.map((conversation) => this.#facts(conversation, selectedId)));
  }

  #facts(conversation, selectedId) {
    const { id, last_message: last, unread_count: unread, unread_mentions: mentions, user, settings = {} } = conversation;
    const isSelected = id === selectedId;
    const draft = isSelected ? "" : conversation.draft?.content ?? "";
    return {
      id,
      title: titleOf(conversation),
      face: faceOf(conversation, titleOf(conversation)),
      time: last ? shortTime(last.created_at) : "",
      preview: last ? this.#authorOf(conversation, last) + briefOf(last, this) : "No messages yet",
      draft: draft.slice(0, 200),
      unread,
      isMentioned: mentions > 0,
      isSelected,
      isMuted: settings.muted ?? false,
      isPinned: settings.pinned ?? false,
      presence: (user && this.presenceOf(user.id)?.status) ?? "offline",
    };
  }

  #authorOf({ type }, { sender_id: senderId, type: kind }) {
    if (kind === "system") return "";
    if (senderId === this.myId) return "You: ";
    return type === "direct" ? "" : `${nameOf(this.personOf(senderId))}: `;
  }
}

const marks = (isMuted, isPinned) => [[isMuted, "muted", "Muted "], [isPinned, "pin", "Pinned "]]
  .filter(([is]) => is).flatMap(([, name, text]) => [icon(name), hiddenText(text)]);

function withPresence(face, presence) {
  const dot = presence === "offline" ? null : el("span", { class: "dot", "data-state": presence },
    hiddenText(presence === "online" ? "Online " : "Away "));
  return el("span", { class: "face" }, face, dot);
}

function draw(element, facts) {
  const { id, title, face, time, preview, draft, unread, isSelected, isMuted, isPinned, presence } = facts;
  const called = facts.isMentioned
    ? [el("span", { class: "badge" }, "@", hiddenText(" You are mentioned ")), " "] : [];
  const count = unread > 0 ? el("span", { class: "counts" }, ...called,
    el("span", { class: isMuted ? "badge muted" : "badge" }, badge(unread), hiddenText(" unread"))) : null;
  const parts = [
    withPresence(avatar(face), presence),
    el("span", { class: "title", dir: "auto" }, title),
    el("span", { class: "time" }, ...marks(isMuted, isPinned), time),
    el("span", { class: "preview", dir: "auto" },
      ...(draft ? [el("span", { class: "draft" }, "Draft: "), draft] : [preview.slice(0, 200)])),
    count,
  ].filter(Boolean);
  const attributes = {
    href: `#/c/${encodeURIComponent(id)}`, "data-conversation": id, "aria-current": isSelected && "true",
    class: unread > 0 ? "entry unread" : "entry",
  };
  const link = element.firstChild ?? element.appendChild(el("a"));
  for (const [name, value] of Object.entries(attributes)) {
    if (value) link.setAttribute(name, value);
    else link.removeAttribute(name);
  }
  link.replaceChildren(...parts); // the link itself stays: it may have the focus
}
