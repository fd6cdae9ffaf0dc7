import { avatar, faceOf } from "./avatar.js";
import { confirmed } from "./confirm.js";
import { byId, el, hiddenText, icon } from "./dom.js";
import { act, into } from "./form.js";
import { nameOf } from "./format.js";
import { KeyedList } from "./keyed_list.js";
import { Menu } from "./menu.js";

const HOUR_MS = 3_600_000;
const ROLES = { owner: "Owner", admin: "Admin", member: "" };
const RANKS = { owner: 2, admin: 1, member: 0 };

/**
 * What I may do with a member.
 * @param {{role: string, isMuted: boolean}} member
 * @param {string} myRole
 * @returns {[string, string][]} Names of actions with their labels.
 */
export function memberChoices({ role, isMuted }, myRole) {
  if (RANKS[myRole] <= RANKS[role]) return [];
  const choices = [
    [myRole === "owner" && role === "member", "promote", "Make admin"],
    [myRole === "owner" && role === "admin", "demote", "Take the admin role away"],
    [myRole === "owner", "transfer", "Make owner"],
    [!isMuted, "mute", "Mute for an hour"],
    [isMuted, "unmute", "Unmute"],
    [true, "remove", "Remove from the group"],
  ];
  return choices.filter(([fits]) => fits).map(([, name, label]) => [name, label]);
}

/** The members of the group that is shown, page by page. */
export class GroupMembers {
  #group = null;
  #rows = [];
  #cursor = null;

  /**
   * @param {object} ports
   * @param {import("../sdk/groups.js").Groups} ports.api
   * @param {import("./people.js").People} ports.people
   * @param {() => Promise<void>} ports.onChange Reads everything again.
   */
  constructor({ api, people, myId, onChange }) {
    Object.assign(this, { api, people, myId, onChange });
    this.menu = new Menu();
    this.list = new KeyedList(byId("members"), (item, facts) => this.#draw(item, facts));
    const more = byId("members-more");
    more.addEventListener("click", () => act(more, into(byId("group-error")), () => this.#more()));
  }

  /** Who is in it, as far as it was read. */
  get ids() {
    return this.#rows.map(({ user_id: id }) => id);
  }

  clear() {
    this.#group = null;
    this.#rows = [];
    this.#cursor = null;
    this.render();
  }

  async load(group) {
    const { items, next_cursor: cursor } = await this.api.members(group.id, { limit: 100 });
    this.#group = group;
    this.#rows = items;
    this.#take(items, cursor);
  }

  render() {
    byId("members-more").hidden = !this.#cursor;
    const rows = this.#rows.map(({ user_id: id, role, muted_until: until }) => {
      const user = this.people.get(id);
      const isMuted = Date.parse(until ?? 0) > Date.now();
      const choices = memberChoices({ role, isMuted }, this.#group.role);
      return { id, role, isMuted, choices, name: nameOf(user), username: user.username, face: faceOf(user, nameOf(user)) };
    });
    this.list.render(rows.sort((one, other) => RANKS[other.role] - RANKS[one.role] || one.name.localeCompare(other.name)));
  }

  async #more() {
    const { items, next_cursor: cursor } = await this.api.members(this.#group.id, { limit: 100, cursor: this.#cursor });
    this.#rows = [...this.#rows, ...items];
    this.#take(items, cursor);
    this.render();
  }

  #take(items, cursor) {
    this.#cursor = cursor;
    items.forEach(({ user }) => this.people.add(user));
  }

  #draw(item, { id, role, isMuted, choices, name, username, face }) {
    const note = el("p", { class: "field-error", role: "alert", hidden: true });
    const notes = [`@${username}`, ROLES[role], isMuted && "muted", id === this.myId && "you"].filter(Boolean);
    const link = el("a", { class: "entry", href: `#/u/${encodeURIComponent(id)}` }, avatar(face),
      el("span", { class: "title", dir: "auto" }, name), el("span", { class: "preview" }, notes.join(" · ")));
    const button = el("button", { type: "button", class: "icon-button", "aria-haspopup": "menu" },
      icon("more"), hiddenText(`What to do with ${name}`));
    const onChoose = (action) => act(button, into(note), () => this.#chosen(action, id, name));
    button.addEventListener("click", () => this.menu.open(button, choices, { onChoose }));
    item.replaceChildren(...[link, choices.length > 0 ? button : null, note].filter(Boolean));
  }

  async #chosen(action, userId, name) {
    const { id } = this.#group;
    const works = {
      promote: () => this.api.setRole(id, userId, "admin"),
      demote: () => this.api.setRole(id, userId, "member"),
      mute: () => this.api.mute(id, userId, new Date(Date.now() + HOUR_MS).toISOString()),
      unmute: () => this.api.mute(id, userId, null),
      transfer: () => this.api.transfer(id, userId),
      remove: () => this.api.remove(id, userId),
    };
    if (["transfer", "remove"].includes(action) && !await this.#isSure(action, name)) return;
    await works[action]();
    await this.onChange();
  }

  #isSure(action, name) {
    return confirmed(action === "remove"
      ? { title: `Remove ${name}?`, text: "They will not be able to read this group any more.", action: "Remove" }
      : { title: `Make ${name} the owner?`, text: "You will be an admin then.", action: "Make owner" });
  }
}
