import { avatar, faceOf } from "./avatar.js";
import { byId } from "./dom.js";
import { act, into } from "./form.js";
import { presenceOf, titleOf } from "./format.js";
import { Menu } from "./menu.js";

/** The head of the open conversation: who it is with, and what I want of it. */
export class ChatHead {
  #settings = {};

  /**
   * @param {object} ports
   * @param {(id: string) => object | undefined} ports.presenceOf
   * @param {(changes: object) => Promise<void>} ports.onSettings
   * @param {() => Promise<void>} ports.onHide
   * @param {() => void} ports.onScheduled
   */
  constructor({ presenceOf: presence, onSettings, onHide, onScheduled }) {
    this.presence = presence;
    const menu = new Menu();
    const button = byId("chat-more");
    const works = {
      mute: () => onSettings({ muted: !this.#settings.muted }),
      pin: () => onSettings({ pinned: !this.#settings.pinned }),
      scheduled: async () => onScheduled(),
      hide: onHide,
    };
    const onChoose = (choice) => act(button, into(byId("chat-error")), works[choice]);
    button.addEventListener("click", () => menu.open(button, choicesOf(this.#settings), { onChoose }));
  }

  render(conversation) {
    const { id, type, user, group, settings = {} } = conversation;
    const name = titleOf(conversation);
    const presence = user && this.presence(user.id);
    const subtitle = byId("chat-subtitle");
    byId("chat-title").textContent = name;
    subtitle.textContent = subtitleOf({ id, type, user, group, presence });
    subtitle.dataset.state = presence?.status ?? "";
    byId("chat-avatar").replaceChildren(avatar(faceOf(conversation, name)));
    const link = byId("chat-person");
    if (user) link.href = `#/u/${encodeURIComponent(user.id)}`;
    else if (type === "group") link.href = `#/g/${encodeURIComponent(id)}`;
    else link.removeAttribute("href");
    this.#settings = settings;
  }
}

const choicesOf = ({ muted = false, pinned = false }) => [
  ["mute", muted ? "Unmute this conversation" : "Mute this conversation"],
  ["pin", pinned ? "Unpin from the top of the list" : "Pin to the top of the list"],
  ["scheduled", "Scheduled messages"],
  ["hide", "Hide until the next message"],
];

function subtitleOf({ id, type, user, group, presence }) {
  if (id === "world") return "Everybody is here";
  if (type === "direct" && !user) return "Deleted";
  const isTold = presence && (presence.status !== "offline" || presence.last_seen);
  if (user) return `${isTold ? `${presenceOf(presence)} · ` : ""}@${user.username}`;
  const count = group?.member_count;
  if (!count) return "Group";
  return count === 1 ? "1 member" : `${count} members`;
}
