import { avatar, faceOf } from "./avatar.js";
import { byId, el } from "./dom.js";
import { Form } from "./form.js";
import { nameOf } from "./format.js";

const PAUSE_MS = 250;

/** The dialog in which people are chosen, from friends and by a search: for a new group, or one that is there. */
export class PeoplePicker {
  #chosen = new Map();
  #found = [];
  #latest = 0;
  #timer = null;
  #submit = null;
  #without = new Set();

  /**
   * @param {object} ports
   * @param {() => object[]} ports.friends
   * @param {(query: string) => Promise<object[]>} ports.find
   */
  constructor({ friends, find }) {
    Object.assign(this, { friends, find });
    this.dialog = byId("picker");
    this.form = new Form(byId("picker-form"), async ({ name }) => {
      await this.#submit({ name: name.trim(), ids: [...this.#chosen.keys()] });
      this.dialog.close();
    });
    byId("picker-query").addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(), PAUSE_MS);
    });
    byId("picker-query").addEventListener("keydown", (event) => {
      if (event.key === "Enter") event.preventDefault(); // it searches as one types
    });
  }

  /**
   * @param {object} options
   * @param {boolean} options.withName Whether a name is asked for.
   * @param {string[]} [options.without] Who is not offered.
   * @param {(chosen: {name: string, ids: string[]}) => Promise<void>} options.submit
   */
  show({ title, action, withName, without = [], submit }) {
    this.form.reset();
    this.#chosen.clear();
    this.#found = [];
    this.#without = new Set(without);
    this.#submit = submit;
    byId("picker-title").textContent = title;
    byId("picker-submit").textContent = action;
    byId("group-name-field").hidden = !withName;
    byId("group-name").required = withName;
    byId("picker-note").textContent = "";
    this.#draw();
    this.dialog.showModal();
    byId(withName ? "group-name" : "picker-query").focus();
  }

  async #search() {
    const query = byId("picker-query").value.trim();
    const number = this.#latest += 1;
    const [found, problem] = query
      ? await this.find(query).then((all) => [all, ""], (error) => [[], error.message]) : [[], ""];
    if (number !== this.#latest) return;
    this.#found = found;
    byId("picker-note").textContent = problem || (query && found.length === 0 ? `Nobody is called “${query}”.` : "");
    this.#draw();
  }

  /** Who was found comes first, then who is chosen, then friends. */
  #draw() {
    const all = new Map([...this.#found, ...this.#chosen.values(), ...this.friends()].map((user) => [user.id, user]));
    const users = [...all.values()].filter(({ id }) => !this.#without.has(id));
    byId("picker-list").replaceChildren(...users.map((user) => el("li", {}, this.#choice(user))));
  }

  #choice(user) {
    const name = nameOf(user);
    const box = el("input", { type: "checkbox", value: user.id });
    box.checked = this.#chosen.has(user.id);
    box.addEventListener("change", () => {
      if (box.checked) this.#chosen.set(user.id, user);
      else this.#chosen.delete(user.id);
    });
    return el("label", { class: "entry pick" }, avatar(faceOf(user, name)),
      el("span", { class: "title", dir: "auto" }, name), box,
      el("span", { class: "preview" }, `@${user.username}`));
  }
}
