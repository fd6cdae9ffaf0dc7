import { el } from "./dom.js";
import { nameOf, shortTime } from "./format.js";

const MOST_PAGES = 5; // some of them may be empty

/** The search in the messages of a conversation. */
export class MessageSearch {
  /**
   * @param {object} ports
   * @param {import("../sdk/messages.js").Messages} ports.api
   * @param {import("./search.js").Search} ports.search
   * @param {(id: string) => object} ports.personOf
   * @param {(seq: number) => void} ports.onJump
   */
  constructor(ports) {
    Object.assign(this, ports);
  }

  show(conversationId) {
    this.search.show({
      title: "Search in messages", label: "Words of the message",
      find: (query) => this.#find(query, conversationId),
      note: ({ length }, query) => {
        if (length === 0) return `Nothing is found for “${query}”.`;
        return length === 1 ? "1 message found" : `${length} messages found`;
      },
      draw: (message) => this.#choice(message),
      choose: ({ seq }) => {
        this.search.close(); // first: it gives the focus back
        this.onJump(seq);
      },
    });
  }

  async #find(query, conversationId) {
    const found = [];
    let cursor;
    for (let page = 0; page < MOST_PAGES && cursor !== null && found.length < 50; page += 1) {
      const answer = await this.api.search({ query, conversationId, cursor, limit: 50 });
      found.push(...answer.items);
      cursor = answer.next_cursor;
    }
    return found;
  }

  #choice({ sender_id: sender, content, created_at: time }) {
    return el("button", { type: "button", class: "entry plain" },
      el("span", { class: "title", dir: "auto" }, nameOf(this.personOf(sender))),
      el("span", { class: "time" }, shortTime(time)),
      el("span", { class: "preview", dir: "auto" }, content.slice(0, 300)));
  }
}
