import { avatar, byId, el, faceOf } from "./dom.js";
import { nameOf } from "./format.js";

const PAUSE_MS = 250;

/** The dialog that finds a person, to write to or to look at. */
export class Search {
  #timer = null;
  #latest = 0;
  #open = null;

  /** @param {(query: string) => Promise<object[]>} find */
  constructor(find) {
    this.find = find;
    this.dialog = byId("search");
    this.query = byId("query");
    this.results = byId("results");
    byId("search-close").addEventListener("click", () => this.dialog.close());
    this.dialog.addEventListener("click", (event) => {
      if (event.target === this.dialog) this.dialog.close(); // beside the dialog
    });
    this.dialog.addEventListener("keydown", (event) => this.#moveWithArrows(event));
    this.query.addEventListener("input", () => this.#later());
  }

  /** @param {(user: object) => Promise<void>} open What to do with the one who was chosen. */
  show(title, open) {
    byId("search-title").textContent = title;
    this.#open = open;
    this.query.value = "";
    this.#showResults([], "");
    this.dialog.showModal();
    this.query.focus();
  }

  #later() {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#search(), PAUSE_MS);
  }

  async #search() {
    const query = this.query.value.trim();
    const number = this.#latest += 1; // an answer may be late
    if (!query) {
      this.#showResults([], "");
      return;
    }
    byId("search-note").textContent = "Searching…";
    const [users, problem] = await this.find(query).then((found) => [found, ""], (error) => [[], error.message]);
    if (number !== this.#latest) return;
    const count = users.length === 1 ? "1 person found" : `${users.length} people found`;
    this.#showResults(users, problem || (users.length > 0 ? count : `Nobody is called “${query}”.`));
  }

  #showResults(users, note) {
    byId("search-note").textContent = note;
    this.results.replaceChildren(...users.map((user) => el("li", {}, this.#choice(user))));
  }

  #choice(user) {
    const name = nameOf(user);
    const button = el(
      "button", { type: "button", class: "entry", "data-user": user.id },
      avatar(faceOf(user, name)),
      el("span", { class: "title", dir: "auto" }, name),
      el("span", { class: "preview" }, `@${user.username}`),
    );
    button.addEventListener("click", () => this.#choose(user));
    return button;
  }

  async #choose(user) {
    try {
      await this.#open(user);
      this.dialog.close();
    } catch (error) {
      byId("search-note").textContent = error.message;
    }
  }

  #moveWithArrows(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const stops = [this.query, ...this.results.querySelectorAll("button")];
    stops[stops.indexOf(document.activeElement) + step]?.focus();
  }
}
