import { avatar, faceOf } from "./avatar.js";
import { byId, el } from "./dom.js";
import { sentenceOf } from "./form.js";

const PAUSE_MS = 250;

/** The dialog in which something is searched and chosen: a person, a message, a conversation. */
export class Search {
  #timer = null;
  #latest = 0;
  #asked = null;

  constructor() {
    this.dialog = byId("search");
    this.query = byId("query");
    this.results = byId("results");
    this.dialog.addEventListener("keydown", (event) => this.#moveWithArrows(event));
    this.query.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(), PAUSE_MS);
    });
  }

  /**
   * @param {object} asked
   * @param {string} asked.title
   * @param {string} asked.label Of the field.
   * @param {(query: string) => Promise<object[]>} asked.find
   * @param {(found: object[], query: string) => string} asked.note What to say of what was found.
   * @param {(one: object) => HTMLButtonElement} asked.draw
   * @param {(one: object) => Promise<void> | void} asked.choose
   * @param {boolean} [asked.offersAll] Something is offered before one has typed.
   */
  show(asked) {
    this.#asked = asked;
    byId("search-title").textContent = asked.title;
    byId("search-label").textContent = asked.label;
    this.query.value = "";
    this.#draw([], "");
    this.dialog.showModal();
    this.query.focus();
    this.#search();
  }

  close() {
    this.dialog.close();
  }

  async #search() {
    const { find, note, offersAll = false } = this.#asked;
    const query = this.query.value.trim();
    const number = this.#latest += 1; // an answer may be late
    if (!query && !offersAll) {
      this.#draw([], "");
      return;
    }
    byId("search-note").textContent = "Searching…";
    const [found, problem] = await find(query).then((all) => [all, ""], (error) => [[], sentenceOf(error)]);
    if (number === this.#latest) this.#draw(found, problem || note(found, query));
  }

  #draw(found, note) {
    byId("search-note").textContent = note;
    this.results.replaceChildren(...found.map((one) => {
      const button = this.#asked.draw(one);
      button.addEventListener("click", () => this.#choose(one));
      return el("li", {}, button);
    }));
  }

  async #choose(one) {
    try {
      await this.#asked.choose(one);
      this.close();
    } catch (error) {
      byId("search-note").textContent = sentenceOf(error);
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

/** An entry to choose, with a face. */
export const choiceOf = (faced, name, more) => el("button", { type: "button", class: "entry" },
  avatar(faceOf(faced, name)), el("span", { class: "title", dir: "auto" }, name),
  el("span", { class: "preview", dir: "auto" }, more));
