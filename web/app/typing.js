import { byId, setNote } from "./dom.js";
import { nameOf } from "./format.js";

const SHOWN_MS = 5000; // the server repeats it every three seconds

/** Who is writing in the conversation that is shown. */
export class Typing {
  #until = new Map(); // by conversation and user
  #timer = null;
  #shown = null;

  /** @param {(id: string) => object} personOf */
  constructor(personOf) {
    this.personOf = personOf;
  }

  heard({ conversation_id: id, user_id: userId }) {
    this.#until.set(`${id} ${userId}`, { id, userId, until: Date.now() + SHOWN_MS });
    this.#render();
  }

  /** Their message is there: they are not writing it any more. */
  arrived({ conversation_id: id, sender_id: userId }) {
    if (this.#until.delete(`${id} ${userId}`)) this.#render();
  }

  show(conversationId) {
    this.#shown = conversationId;
    this.#render();
  }

  #render() {
    clearTimeout(this.#timer);
    for (const [key, { until }] of this.#until) if (until <= Date.now()) this.#until.delete(key);
    if (this.#until.size > 0) this.#timer = setTimeout(() => this.#render(), SHOWN_MS / 5);
    const names = [...this.#until.values()].filter(({ id }) => id === this.#shown)
      .map(({ userId }) => nameOf(this.personOf(userId)));
    const are = names.length === 1 ? "is" : "are";
    const text = names.length > 3 ? "Several people are writing…" : `${names.join(", ")} ${are} writing…`;
    setNote(byId("typing"), names.length > 0 ? text : "");
  }
}
