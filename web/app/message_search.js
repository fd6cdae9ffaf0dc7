import { byId, el } from "./dom.js";
import { sentenceOf } from "./form.js";
import { nameOf, shortTime } from "./format.js";

const PAUSE_MS = 300;
const MOST_PAGES = 5; // some of them may be empty

/** The dialog that searches the messages of a conversation. */
export class MessageSearch {
  #timer = null;
  #latest = 0;
  #id = null;

  /**
   * @param {object} ports
   * @param {import("../sdk/messages.js").Messages} ports.api
   * @param {(id: string) => object} ports.personOf
   * @param {(seq: number) => void} ports.onJump
   */
  constructor({ api, personOf, onJump }) {
    Object.assign(this, { api, personOf, onJump });
    this.dialog = byId("message-search");
    this.query = byId("message-query");
    byId("message-search-close").addEventListener("click", () => this.dialog.close());
    this.query.addEventListener("input", () => {
      clearTimeout(this.#timer);
      this.#timer = setTimeout(() => this.#search(), PAUSE_MS);
    });
  }

  show(conversationId) {
    this.#id = conversationId;
    this.query.value = "";
    this.#draw([], "");
    this.dialog.showModal();
    this.query.focus();
  }

  async #search() {
    const query = this.query.value.trim();
    const number = this.#latest += 1; // an answer may be late
    if (!query) {
      this.#draw([], "");
      return;
    }
    byId("message-search-note").textContent = "Searching…";
    const [found, problem] = await this.#find(query).then((all) => [all, ""], (error) => [[], sentenceOf(error)]);
    if (number !== this.#latest) return;
    const count = found.length === 1 ? "1 message found" : `${found.length} messages found`;
    this.#draw(found, problem || (found.length > 0 ? count : `Nothing is found for “${query}”.`));
  }

  async #find(query) {
    const found = [];
    let cursor;
    for (let page = 0; page < MOST_PAGES && cursor !== null && found.length < 50; page += 1) {
      const answer = await this.api.search({ query, conversationId: this.#id, cursor, limit: 50 });
      found.push(...answer.items);
      cursor = answer.next_cursor;
    }
    return found;
  }

  #draw(found, note) {
    byId("message-search-note").textContent = note;
    byId("message-results").replaceChildren(...found.map((message) => el("li", {}, this.#choice(message))));
  }

  #choice({ seq, sender_id: sender, content, created_at: time }) {
    const button = el("button", { type: "button", class: "entry plain" },
      el("span", { class: "title", dir: "auto" }, nameOf(this.personOf(sender))),
      el("span", { class: "time" }, shortTime(time)),
      el("span", { class: "preview", dir: "auto" }, content.slice(0, 300)));
    button.addEventListener("click", () => {
      this.dialog.close();
      this.onJump(seq);
    });
    return button;
  }
}
