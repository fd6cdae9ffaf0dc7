import { Backoff } from "./timing.js";

const COALESCE_MS = 250;

/**
 * Tells the server how far this user has come. Acks are cumulative, so those of a moment are one
 * frame per conversation, and reading says what delivery would.
 */
export class Acks {
  #waiting = new Map();
  #readUpTo = new Map();
  #timer = null;
  #busy = false;
  #notBefore = 0;

  constructor({ request, isOnline, clock, random }) {
    Object.assign(this, { request, isOnline, clock });
    this.backoff = new Backoff({ baseMs: 2 * COALESCE_MS, random });
  }

  delivered(conversationId, seq) {
    this.#note(conversationId, seq, "delivered");
  }

  /** Marks as read up to `seq`; asking again for the same costs nothing. */
  read(conversationId, seq) {
    if ((this.#readUpTo.get(conversationId) ?? 0) >= seq) return;
    this.#readUpTo.set(conversationId, seq);
    this.#note(conversationId, seq, "read");
  }

  /** Sends what is waiting, after a reconnect. */
  resume() {
    if (this.#waiting.size > 0) this.#schedule();
  }

  clear() {
    this.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#waiting.clear();
    this.#readUpTo.clear();
  }

  #note(conversationId, seq, status) {
    const waiting = this.#waiting.get(conversationId) ?? {};
    waiting[status] = Math.max(waiting[status] ?? 0, seq);
    this.#waiting.set(conversationId, waiting);
    this.#schedule();
  }

  #schedule() {
    // The first one goes at once: whoever reads and closes the window has read.
    const delay = Math.max(0, this.#notBefore - this.clock.now());
    this.#timer ??= this.clock.setTimeout(() => this.flush(), delay);
  }

  /** Sends what is waiting now: the page is about to be closed. */
  async flush() {
    this.clock.clearTimeout(this.#timer);
    this.#timer = null;
    this.#notBefore = this.clock.now() + COALESCE_MS;
    if (this.#busy) return this.#schedule();
    this.#busy = true;
    for (const [conversation_id, waiting] of [...this.#waiting]) {
      if (!this.isOnline()) break;
      this.#waiting.delete(conversation_id);
      for (const [status, seq] of framesOf(waiting)) {
        await this.#ack({ type: "ack", conversation_id, seq, status });
      }
    }
    this.#busy = false;
    return undefined;
  }

  async #ack(frame) {
    try {
      await this.request(frame);
      this.backoff.reset();
    } catch (error) {
      if (!error.retryable) return; // it can never succeed, and the next ack says as much
      this.#notBefore = this.clock.now() + this.backoff.next(error.retryAfter);
      this.#note(frame.conversation_id, frame.seq, frame.status);
    }
  }
}

function framesOf({ delivered = 0, read = 0 }) {
  return [["read", read], ["delivered", delivered > read ? delivered : 0]].filter(([, seq]) => seq > 0);
}
