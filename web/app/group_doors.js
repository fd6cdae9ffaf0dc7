import { byId, el, hiddenText } from "./dom.js";
import { act, into } from "./form.js";
import { dateOf, nameOf } from "./format.js";
import { KeyedList } from "./keyed_list.js";

/** The ways into the group that is shown: who asks to join, and invite links. */
export class GroupDoors {
  #id = null;

  /**
   * @param {object} ports
   * @param {import("../sdk/groups.js").Groups} ports.api
   * @param {import("./people.js").People} ports.people
   * @param {() => Promise<void>} ports.onChange Reads everything again.
   */
  constructor({ api, people, onChange }) {
    Object.assign(this, { api, people, onChange });
    this.requests = new KeyedList(byId("join-requests"), (item, facts) => this.#drawRequest(item, facts));
    this.links = new KeyedList(byId("invite-links"), (item, facts) => this.#drawLink(item, facts));
    const make = byId("invite-make");
    make.addEventListener("click", () => act(make, into(byId("invite-error")), async () => {
      await api.makeInviteLink(this.#id);
      await onChange();
    }));
  }

  /** Reads them where I may. */
  async load({ id, role }) {
    this.#id = id;
    const leads = ["owner", "admin"].includes(role);
    byId("doors").hidden = !leads;
    if (!leads) return;
    const [requests, links] = await Promise.all([
      this.api.joinRequests(id, { limit: 100 }), this.api.inviteLinks(id, { limit: 100 })]);
    requests.items.forEach(({ user }) => this.people.add(user));
    byId("join-requests-part").hidden = requests.items.length === 0;
    this.requests.render(requests.items.map(({ user_id: userId, message }) => (
      { id: userId, name: nameOf(this.people.get(userId)), message })));
    this.links.render(links.items.map(({ id: linkId, token, expires_at: until, uses }) => (
      { id: linkId, token, uses, until: dateOf(until) })));
  }

  #drawRequest(item, { id, name, message }) {
    const note = el("p", { class: "field-error", role: "alert", hidden: true });
    const button = (label, kind, work) => {
      const made = el("button", { type: "button", class: kind }, label, hiddenText(` ${name}`));
      made.addEventListener("click", () => act(made, into(note), () => work().then(this.onChange)));
      return made;
    };
    item.replaceChildren(
      el("div", { class: "device" }, el("span", { class: "title", dir: "auto" }, name),
        el("span", { class: "preview", dir: "auto" }, message || "Wants to join")),
      button("Accept", "secondary", () => this.api.acceptJoin(this.#id, id)),
      button("Decline", "secondary", () => this.api.rejectJoin(this.#id, id)), note);
  }

  #drawLink(item, { id, token, uses, until }) {
    const url = `${location.origin}${location.pathname}#/join/${encodeURIComponent(token)}`;
    const note = el("p", { class: "field-error", role: "alert", hidden: true });
    const revoke = el("button", { type: "button", class: "secondary" }, "Revoke", hiddenText(` the link until ${until}`));
    revoke.addEventListener("click", () => act(revoke, into(note), async () => {
      await this.api.revokeInviteLink(this.#id, id);
      await this.onChange();
    }));
    const used = uses === 1 ? "1 use" : `${uses} uses`;
    const field = el("input", { readonly: true, value: url, "aria-label": `Invite link until ${until}`, class: "link-text" });
    field.addEventListener("focus", () => field.select());
    item.replaceChildren(
      el("div", { class: "device" }, field, el("span", { class: "preview" }, `Until ${until} · ${used}`)), revoke, note);
  }
}
