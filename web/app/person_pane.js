import { avatar, faceOf } from "./avatar.js";
import { confirmed } from "./confirm.js";
import { byId, setNote } from "./dom.js";
import { act, Form, into } from "./form.js";
import { dateOf, nameOf, presenceOf } from "./format.js";
import { Problem } from "./problem.js";

const GENDERS = { female: "Female", male: "Male", other: "Other" };

/** Somebody's profile, and what I can do about them. */
export class PersonPane {
  #id = null;
  #presence = null;

  /**
   * @param {object} ports
   * @param {import("./friends.js").Friends} ports.friends
   * @param {import("./people.js").People} ports.people The profiles known by now.
   * @param {(user: object) => Promise<void>} ports.write Opens the conversation.
   */
  constructor({ api, friends, people, write }) {
    Object.assign(this, { api, friends, people });
    this.ask = new Form(byId("ask-form"), ({ message }) => (
      this.#change((to) => to.requestFriend(this.#id, message.trim()))));
    this.remark = new Form(byId("remark-form"), ({ remark }) => (
      this.#change((to) => to.setRemark(this.#id, remark.trim()))), "Saved.");
    this.#button("person-write", () => write(this.#user));
    this.#button("person-accept", () => this.#change((to) => to.acceptRequest(this.#standing.received.id)));
    this.#button("person-reject", () => this.#change((to) => to.rejectRequest(this.#standing.received.id)));
    this.#button("person-block", () => this.#change((to) => to.block(this.#id)));
    this.#button("person-unblock", () => this.#change((to) => to.unblock(this.#id)));
    this.#button("person-unfriend", () => this.#unfriend());
    this.problem = new Problem("person-problem", () => this.#load());
  }

  get userId() {
    return this.#id;
  }

  async show(id) {
    if (id !== this.#id) {
      this.#id = id;
      this.#presence = null;
      setNote(byId("person-error"), "");
      this.ask.reset();
      this.remark.reset();
    }
    this.render();
    byId("person-name").focus();
    await this.#load();
  }

  hide() {
    this.#id = null;
  }

  /** Takes over what a `presence` frame says. */
  presence(frame) {
    if (frame.user_id !== this.#id) return;
    this.#presence = frame;
    this.render();
  }

  render() {
    if (!this.#id) return;
    const user = this.#user;
    const name = nameOf(user);
    byId("person-avatar").replaceChildren(avatar(faceOf(user, name)));
    byId("person-name").textContent = name;
    const names = [name === user.nickname ? "" : user.nickname, user.username && `@${user.username}`];
    setNote(byId("person-username"), names.filter(Boolean).join(" · "));
    byId("person-presence").dataset.state = this.#presence?.status ?? "";
    setNote(byId("person-presence"), this.#presence && presenceOf(this.#presence));
    setNote(byId("person-signature"), user.signature);
    const facts = [GENDERS[user.gender], user.created_at && `Here since ${dateOf(user.created_at)}`];
    setNote(byId("person-facts"), facts.filter(Boolean).join(" · "));
    this.#renderStanding(this.#standing, name);
  }

  #renderStanding({ friend, received, sent, isBlocked }, name) {
    const isPending = sent?.status === "pending";
    byId("person-block").hidden = isBlocked;
    byId("person-unblock").hidden = !isBlocked;
    byId("ask-form").hidden = Boolean(friend || received || isPending || isBlocked);
    byId("person-asked").hidden = !received;
    byId("asked-text").textContent = `${name} would like to be your friend.`;
    setNote(byId("asked-message"), received?.message);
    const notes = [
      isPending && `You have asked ${name} to be friends. There is no answer yet.`,
      sent?.status === "rejected" && !isBlocked && `${name} declined your last request.`,
      isBlocked && `You have blocked ${name}: their messages and friend requests are refused.`,
    ];
    setNote(byId("person-standing"), notes.filter(Boolean).join(" "));
    byId("person-friend").hidden = !friend;
    byId("remark").defaultValue = friend?.remark ?? ""; // leaves alone what is being written
  }

  get #user() {
    return this.people.get(this.#id);
  }

  get #standing() {
    return this.friends.with(this.#id);
  }

  #change(work) {
    return this.friends.change(work);
  }

  #button(id, work) {
    const tell = into(byId("person-error"));
    byId(id).addEventListener("click", () => act(byId(id), tell, work));
  }

  async #unfriend() {
    const name = nameOf(this.#user);
    const isSure = await confirmed({
      title: `Remove ${name}?`, text: "You will not be friends any more, on both sides. Your conversation stays.",
      action: "Remove friend",
    });
    if (isSure) await this.#change((to) => to.removeFriend(this.#id));
  }

  async #load() {
    const id = this.#id;
    this.problem.show(null);
    const presence = this.api.presence(id).catch(() => null); // the profile is worth showing without
    const [user, problem] = await this.api.get(id).then((found) => [found, null], (error) => [null, error]);
    if (user) this.people.add(user);
    const seen = await presence;
    if (id !== this.#id) return;
    this.#presence = seen;
    this.problem.show(problem);
    byId("person-known").hidden = problem?.status === 404;
    this.render();
  }
}
