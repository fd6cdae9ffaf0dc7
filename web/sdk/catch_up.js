import { Backoff, sleep } from "./timing.js";

const CHUNK = 200; // cursors per frame: a frame is at most 32 KiB
const PATIENCE = 3;
const MOST_ANNOUNCED = 1000; // messages: what one `sync` brings
const SPREAD_MS = 2000;

/** Asks for missing messages by `sync`, one frame at a time, until the server has no more. */
export class CatchUp {
  #wanted = new Set();
  #running = null;
  #announced = new Set();

  /**
   * @param {object} ports
   * @param {(frame: object) => Promise<object>} ports.request
   * @param {() => Record<string, number>} ports.cursors Read anew for each frame.
   * @param {(conversationId: string) => void} ports.onRefused It is not this user's (any more).
   */
  constructor({ request, cursors, onRefused, clock, random }) {
    Object.assign(this, { request, cursors, onRefused, clock, random });
  }

  /** Resolves when everything that the server has for these conversations has arrived. */
  of(conversationIds) {
    conversationIds.forEach((id) => this.#wanted.add(id));
    this.#running ??= this.#run().finally(() => { this.#running = null; });
    return this.#running;
  }

  /**
   * Asks, soon, for what a `notify` announced: all who are online heard of it at the same moment.
   * A conversation without a cursor, or far behind, is fetched when it is shown.
   */
  announced({ conversation_id: id, last_seq: last }) {
    const missing = last - (this.cursors()[id] ?? -Infinity);
    if (missing <= 0 || missing > MOST_ANNOUNCED || this.#announced.has(id)) return;
    this.#announced.add(id);
    this.clock.setTimeout(() => {
      this.#announced.delete(id);
      this.of([id]).catch(() => {}); // the next announcement, or connection, asks again
    }, SPREAD_MS * this.random());
  }

  async #run() {
    const backoff = new Backoff({ random: this.random });
    for (let failures = 0; this.#wanted.size > 0; ) {
      const ids = [...this.#wanted].slice(0, CHUNK);
      ids.forEach((id) => this.#wanted.delete(id));
      try {
        const progressed = await this.#askOrSplit(ids);
        failures = progressed ? 0 : failures + 1;
      } catch (error) {
        failures += 1;
        if (!error.retryable || error.code === "disconnected" || failures > PATIENCE) throw error;
        ids.forEach((id) => this.#wanted.add(id));
        await sleep(this.clock, backoff.next(error.retryAfter));
      }
      if (failures > PATIENCE) return;
    }
  }

  /** One conversation that is not this user's makes the server refuse them all: find it. */
  async #askOrSplit(ids) {
    try {
      return await this.#ask(ids);
    } catch (error) {
      if (error.retryable) throw error;
      if (ids.length > 1) {
        const middle = Math.ceil(ids.length / 2);
        const first = await this.#askOrSplit(ids.slice(0, middle));
        return await this.#askOrSplit(ids.slice(middle)) && first;
      }
      this.onRefused(ids[0]);
      return true;
    }
  }

  /** One frame; false when there is more to come although nothing came. */
  async #ask(ids) {
    const cursors = this.#pick(ids);
    if (Object.keys(cursors).length === 0) return true;
    const { more } = await this.request({ type: "sync", cursors });
    if (!more) return true;
    ids.forEach((id) => this.#wanted.add(id));
    return JSON.stringify(this.#pick(ids)) !== JSON.stringify(cursors);
  }

  #pick(ids) {
    const known = this.cursors();
    return Object.fromEntries(ids.filter((id) => id in known).map((id) => [id, known[id]]));
  }
}
