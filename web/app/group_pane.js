import { avatar } from "./avatar.js";
import { confirmed } from "./confirm.js";
import { byId, setNote } from "./dom.js";
import { act, Form, into } from "./form.js";
import { GroupDoors } from "./group_doors.js";
import { GroupMembers } from "./group_members.js";
import { Problem } from "./problem.js";

const ROLES = { owner: "You own this group", admin: "You are an admin" };
const FIELDS = { name: "edit-group-name", announcement: "edit-announcement", join_policy: "edit-join-policy" };
const FOR_EVER = "9999-12-31T23:59:59Z";

/** A group: what it is, who is in it, and what I can do about that. */
export class GroupPane {
  #id = null;
  #group = null;

  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {import("./people.js").People} ports.people
   * @param {import("./people_picker.js").PeoplePicker} ports.picker
   */
  constructor({ client, people, picker }) {
    Object.assign(this, { people, picker, api: client.groups });
    const ports = { api: client.groups, people, myId: client.user.id, onChange: () => this.load() };
    this.members = new GroupMembers(ports);
    this.doors = new GroupDoors(ports);
    this.form = new Form(byId("group-form"), (values) => this.#save(values), "Saved.");
    this.#button("group-add", () => this.#pick());
    this.#button("group-mute", () => this.#change({ muted_until: this.#isMuted ? null : FOR_EVER }));
    this.#button("group-leave", () => this.#leave());
    this.#button("group-dismiss", () => this.#dismiss());
    this.problem = new Problem("group-problem", () => this.load());
  }

  get groupId() {
    return this.#id;
  }

  async show(id) {
    if (id !== this.#id) {
      this.#id = id;
      this.#group = null;
      this.form.reset();
      setNote(byId("group-error"), "");
      this.members.clear();
    }
    this.render();
    byId("group-title").focus();
    await this.load();
  }

  hide() {
    this.#id = null;
  }

  async load() {
    const id = this.#id;
    if (!id) return;
    this.problem.show(null);
    try {
      const group = await this.api.get(id);
      if (id !== this.#id) return;
      this.#take(group);
      await Promise.all([this.members.load(group), this.doors.load(group)]);
    } catch (error) {
      if (id === this.#id) this.problem.show(error);
    }
    this.render();
  }

  render() {
    byId("group-known").hidden = !this.#group;
    if (!this.#id || !this.#group) return;
    const { id, name, avatar: picture, announcement, member_count: count, role } = this.#group;
    const leads = this.#leads;
    byId("group-avatar").replaceChildren(avatar({ id, name: name || "World", picture }));
    byId("group-title").textContent = name || "World";
    const members = count === null ? "Everybody is here" : count === 1 ? "1 member" : `${count} members`;
    byId("group-facts").textContent = [members, ROLES[role]].filter(Boolean).join(" · ");
    setNote(byId("group-announcement"), announcement);
    setNote(byId("group-muted"), this.#isMuted && "Only owner and admins may write at the moment.");
    byId("group-open").href = `#/c/${encodeURIComponent(id)}`;
    byId("group-form").hidden = !leads;
    byId("group-mute").textContent = this.#isMuted ? "Let everybody write" : "Mute everybody";
    byId("group-mute").hidden = !leads;
    byId("group-add").hidden = !leads && this.#group.join_policy !== "open";
    byId("group-leave").hidden = role === "owner";
    byId("group-dismiss").hidden = role !== "owner";
    this.members.render();
  }

  get #leads() {
    return ["owner", "admin"].includes(this.#group.role);
  }

  get #isMuted() {
    return Date.parse(this.#group.muted_until ?? 0) > Date.now();
  }

  /** Shows what the server has; not over what is being written here. */
  #take(group) {
    for (const [field, id] of Object.entries(FIELDS)) {
      const input = byId(id);
      if (!this.#group || input.value === this.#group[field]) input.value = group[field];
    }
    this.#group = group;
  }

  async #save({ name, announcement, join_policy: policy }) {
    const values = { name: name.trim(), announcement: announcement.trim(), join_policy: policy };
    const changes = Object.entries(values).filter(([field, value]) => value !== this.#group[field]);
    if (changes.length > 0) await this.#change(Object.fromEntries(changes));
  }

  async #change(changes) {
    this.#take(await this.api.change(this.#id, changes));
    this.render();
  }

  #pick() {
    this.picker.show({
      title: "Add members", action: "Add", withName: false, without: this.members.ids,
      submit: async ({ ids }) => {
        if (ids.length > 0) await this.api.add(this.#id, ids);
        await this.load();
      },
    });
  }

  async #leave() {
    const isSure = await confirmed({
      title: `Leave ${this.#group.name}?`, text: "You will not be able to read this group any more.", action: "Leave group",
    });
    if (isSure) await this.api.leave(this.#id);
  }

  async #dismiss() {
    const isSure = await confirmed({
      title: `Dismiss ${this.#group.name}?`, text: "Nobody will be able to read or write in it any more.",
      action: "Dismiss group",
    });
    if (isSure) await this.api.dismiss(this.#id);
  }

  #button(id, work) {
    byId(id).addEventListener("click", () => act(byId(id), into(byId("group-error")), work));
  }
}
