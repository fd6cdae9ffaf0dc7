import { avatar, byId, faceOf } from "./dom.js";
import { act, into } from "./form.js";
import { presenceOf, titleOf } from "./format.js";

/** The head of the open conversation: who it is with, and what I want of it. */
export class ChatHead {
  #settings = {};

  /**
   * @param {object} ports
   * @param {(id: string) => object | undefined} ports.presenceOf
   * @param {(changes: object) => Promise<void>} ports.onSettings
   */
  constructor({ presenceOf: presence, onSettings }) {
    this.presence = presence;
    for (const name of ["muted", "pinned"]) {
      const button = byId(`chat-${name}`);
      const change = () => onSettings({ [name]: !this.#settings[name] });
      button.addEventListener("click", () => act(button, into(byId("chat-error")), change));
    }
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
    toggle("chat-muted", settings.muted, "Unmute this conversation", "Mute this conversation");
    toggle("chat-pinned", settings.pinned, "Unpin from the top of the list", "Pin to the top of the list");
  }
}

function subtitleOf({ id, type, user, group, presence }) {
  if (id === "world") return "Everybody is here";
  if (type === "direct" && !user) return "Deleted";
  const isTold = presence && (presence.status !== "offline" || presence.last_seen);
  if (user) return `${isTold ? `${presenceOf(presence)} · ` : ""}@${user.username}`;
  const count = group?.member_count;
  if (!count) return "Group";
  return count === 1 ? "1 member" : `${count} members`;
}

function toggle(id, isOn = false, on = "", off = "") {
  const button = byId(id);
  button.setAttribute("aria-pressed", String(isOn));
  button.setAttribute("aria-label", isOn ? on : off);
  button.title = isOn ? on : off;
}
