import { avatar, byId, el, faceOf, hiddenText } from "./dom.js";
import { badge, nameOf, shortTime, textOf, titleOf } from "./format.js";
import { KeyedList } from "./keyed_list.js";

/** The list of conversations; its entries are links, so that keyboard and Back work by themselves. */
export class ListView {
  /** @param {{myId: string, personOf: (id: string) => object}} context */
  constructor({ myId, personOf }) {
    this.myId = myId;
    this.personOf = personOf;
    this.entries = new KeyedList(byId("conversations"), draw);
  }

  render(conversations, selectedId) {
    this.entries.render(conversations.map((conversation) => this.#facts(conversation, selectedId)));
  }

  #facts(conversation, selectedId) {
    const { id, last_message: last, unread_count: unread } = conversation;
    return {
      id,
      title: titleOf(conversation),
      face: faceOf(conversation, titleOf(conversation)),
      time: last ? shortTime(last.created_at) : "",
      preview: last ? this.#authorOf(conversation, last) + textOf(last) : "No messages yet",
      unread,
      isSelected: id === selectedId,
    };
  }

  #authorOf({ type }, { sender_id: senderId, type: kind }) {
    if (kind === "system") return "";
    if (senderId === this.myId) return "You: ";
    return type === "direct" ? "" : `${nameOf(this.personOf(senderId))}: `;
  }
}

function draw(element, { id, title, face, time, preview, unread, isSelected }) {
  const count = unread > 0
    ? el("span", { class: "badge" }, badge(unread), hiddenText(" unread")) : null;
  const parts = [
    avatar(face),
    el("span", { class: "title", dir: "auto" }, title),
    el("span", { class: "time" }, time),
    el("span", { class: "preview", dir: "auto" }, preview.slice(0, 200)),
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
