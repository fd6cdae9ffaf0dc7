const PAUSE_MS = 1000;

/** Keeps on the server what has been begun, some time after the last key. */
export class Drafts {
  #waiting = new Map();
  #kept = new Map();
  #timer = null;

  /** @param {(conversationId: string, text: string) => Promise<void>} save */
  constructor(save) {
    this.save = save;
  }

  note(id, text) {
    this.#waiting.set(id, text);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.flush(), PAUSE_MS);
  }

  /** What the server has now. */
  known(id, text) {
    this.#kept.set(id, text);
  }

  flush() {
    for (const [id, text] of this.#waiting) {
      if ((this.#kept.get(id) ?? "") === text) continue; // most messages are sent before a draft is kept
      this.#kept.set(id, text);
      this.save(id, text).catch(() => this.#kept.delete(id)); // here it stays
    }
    this.#waiting.clear();
  }
}
