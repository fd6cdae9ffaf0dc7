const OVERTAKING_MS = 250; // frames of one burst may overtake each other by this much
const PATIENCE = 3;

/**
 * Puts what arrives into order: every message once, by `seq`, without a gap. What is missing is
 * asked for.
 */
export class Inbox {
  #conversations = new Map();

  /**
   * @param {object} ports
   * @param {(message: object) => void} ports.deliver Called in order, once per message.
   * @param {(conversationId: string) => Promise<number>} ports.startOf Where reading starts in a
   *   conversation without a cursor.
   * @param {(conversationIds: string[]) => Promise<void>} ports.catchUp Asks for what is missing.
   */
  constructor({ deliver, startOf, catchUp, clock }) {
    Object.assign(this, { deliver, startOf, catchUp, clock });
  }

  /** The `seq` up to which everything has been delivered, by conversation. */
  cursors() {
    const known = [...this.#conversations].filter(([, { cursor }]) => cursor !== null);
    return Object.fromEntries(known.map(([id, { cursor }]) => [id, cursor]));
  }

  cursor(conversationId) {
    return this.#conversations.get(conversationId)?.cursor ?? null;
  }

  /** Says that everything up to `seq` is known; never goes back. */
  advanceTo(conversationId, seq) {
    const state = this.#state(conversationId);
    if (state.cursor !== null && state.cursor >= seq) return;
    state.cursor = seq;
    this.#release(state);
  }

  receive(message) {
    const state = this.#state(message.conversation_id);
    if (state.cursor !== null && message.seq <= state.cursor) return;
    state.held.set(message.seq, message);
    if (state.cursor === null) this.#findStart(message.conversation_id, state);
    else this.#release(state);
    this.#watchGap(message.conversation_id, state);
  }

  /** Drops a conversation that is not this user's any more. */
  forget(conversationId) {
    this.clock.clearTimeout(this.#conversations.get(conversationId)?.timer);
    this.#conversations.delete(conversationId);
  }

  clear() {
    for (const { timer } of this.#conversations.values()) this.clock.clearTimeout(timer);
    this.#conversations.clear();
  }

  #state(id) {
    const fresh = { cursor: null, held: new Map(), timer: null, tries: 0, answers: 0, finding: false };
    if (!this.#conversations.has(id)) this.#conversations.set(id, fresh);
    return this.#conversations.get(id);
  }

  async #findStart(id, state) {
    if (state.held.has(1)) return this.advanceTo(id, 0);
    if (state.finding) return undefined;
    state.finding = true;
    const start = await this.startOf(id).catch(() => Infinity);
    this.advanceTo(id, Math.min(start, Math.min(...state.held.keys()) - 1));
    this.#watchGap(id, state);
    return this.catchUp([id]).catch(() => {}); // a long backlog arrives in part only
  }

  #release(state) {
    for (const seq of state.held.keys()) if (seq <= state.cursor) state.held.delete(seq);
    for (let next; (next = state.held.get(state.cursor + 1)); ) {
      state.held.delete(next.seq);
      state.cursor = next.seq;
      state.tries = 0;
      state.answers = 0;
      this.deliver(next);
    }
  }

  #watchGap(id, state) {
    if (state.held.size === 0 || state.cursor === null || state.timer !== null) return;
    const delay = OVERTAKING_MS * 2 ** Math.min(state.tries, 6);
    state.timer = this.clock.setTimeout(() => this.#fillGap(id, state), delay);
  }

  async #fillGap(id, state) {
    if (state.held.size > 0) {
      const answers = state.answers + await this.catchUp([id]).then(() => 1, () => 0);
      if (state.held.size > 0) Object.assign(state, { tries: state.tries + 1, answers });
    }
    state.timer = null;
    // The server says again and again that there is nothing in between: do not wait for ever.
    if (state.held.size > 0 && state.answers > PATIENCE) {
      state.cursor = Math.min(...state.held.keys()) - 1;
      this.#release(state);
    }
    this.#watchGap(id, state);
  }
}
