import { LambchatError } from "./errors.js";
import { Backoff } from "./timing.js";

const BATCH = 25;
const ENVELOPE_BYTES = 200; // type, ref, brackets

/**
 * What is waiting to be sent. One frame is in flight per conversation, for API Gateway may run two
 * frames of one client at once; what is typed meanwhile goes into the next one. A message that was
 * not answered is sent again under the same `client_msg_id`, which stores it once.
 */
export class Outbox {
  #lanes = new Map();
  #items = new Map();

  /**
   * @param {object} ports
   * @param {(frame: object) => Promise<object>} ports.request Resolves with the answer frame.
   * @param {() => boolean} ports.isOnline
   * @param {() => {max_frame_bytes: number, max_content_bytes: number}} ports.limits
   */
  constructor({ request, isOnline, limits, clock, random }) {
    Object.assign(this, { request, isOnline, limits, clock, random });
  }

  /**
   * Queues a message.
   * @param {{conversation_id?: string, to?: string, client_msg_id: string, content: string}} message
   * @returns {Promise<object>} What `sent` says of it; rejects when it can never be sent.
   */
  add(message) {
    const oversize = this.#oversize(message);
    if (oversize) return Promise.reject(oversize);
    const lane = this.#lane(message.conversation_id ?? `to:${message.to}`);
    return new Promise((resolve, reject) => {
      const item = { message, lane, resolve, reject };
      lane.queue.push(item);
      this.#items.set(message.client_msg_id, item);
      this.#pump(lane);
    });
  }

  /** Starts again after a reconnect. */
  resume() {
    for (const lane of this.#lanes.values()) this.#pump(lane);
  }

  /** Notes that a message came back from the server; true if it is one of this client's own. */
  confirm({ client_msg_id, id, conversation_id, created_at }) {
    const item = this.#items.get(client_msg_id);
    if (!item) return false;
    this.#settle(item, { client_msg_id, message_id: id, conversation_id, created_at });
    return true;
  }

  /** Drops everything: the session is over. */
  clear(error) {
    for (const item of [...this.#items.values()]) this.#settle(item, { error });
    for (const { timer } of this.#lanes.values()) this.clock.clearTimeout(timer);
    this.#lanes.clear();
  }

  #lane(key) {
    const fresh = { queue: [], busy: false, timer: null, backoff: new Backoff({ random: this.random }) };
    if (!this.#lanes.has(key)) this.#lanes.set(key, fresh);
    return this.#lanes.get(key);
  }

  async #pump(lane) {
    if (lane.busy || lane.timer !== null || lane.queue.length === 0 || !this.isOnline()) return;
    lane.busy = true;
    const batch = this.#takeBatch(lane.queue);
    const trouble = await this.#send(batch);
    lane.busy = false;
    if (!trouble) lane.backoff.reset();
    else if (trouble.code !== "disconnected") this.#pause(lane, trouble);
    this.#pump(lane);
  }

  #pause(lane, { retryAfter }) {
    lane.timer = this.clock.setTimeout(() => {
      lane.timer = null;
      this.#pump(lane);
    }, lane.backoff.next(retryAfter));
  }

  /** Sends one frame; returns the error after which the rest of it is worth another attempt. */
  async #send(batch) {
    try {
      const answer = await this.request(frameOf(batch.map((item) => item.message)));
      return this.#applyAnswer(batch, answer);
    } catch (error) {
      if (error.retryable) return error;
      batch.forEach((item) => this.#settle(item, { error }));
      return null;
    }
  }

  #applyAnswer(batch, answer) {
    let trouble = null;
    const results = new Map((answer.messages ?? [answer]).map((row) => [row.client_msg_id, row]));
    for (const item of batch) {
      const result = results.get(item.message.client_msg_id);
      const error = result?.error && LambchatError.fromFrame(result.error);
      if (!result) trouble ??= new LambchatError("unavailable", "The answer leaves out a message.");
      else if (error?.retryable) trouble ??= error;
      else this.#settle(item, error ? { error } : result);
    }
    return trouble;
  }

  #settle(item, result) {
    if (!this.#items.delete(item.message.client_msg_id)) return;
    item.lane.queue = item.lane.queue.filter((other) => other !== item);
    if (result.error) item.reject(result.error);
    else item.resolve(result);
  }

  #takeBatch(queue) {
    const batch = [];
    let bytes = ENVELOPE_BYTES;
    for (const item of queue.slice(0, BATCH)) {
      bytes += sizeOf(JSON.stringify(item.message)) + 1;
      if (batch.length > 0 && bytes > this.limits().max_frame_bytes) break;
      batch.push(item);
    }
    return batch;
  }

  #oversize(message) {
    const { max_content_bytes: most, max_frame_bytes: frame } = this.limits();
    const fits = sizeOf(message.content) <= most
      && sizeOf(JSON.stringify(message)) + ENVELOPE_BYTES <= frame;
    const text = `A message holds at most ${Math.floor(most / 1024)} KiB of text.`;
    return fits ? null : new LambchatError("too_large", text);
  }
}

function frameOf(messages) {
  if (messages.length === 1) return { type: "send", ref: messages[0].client_msg_id, ...messages[0] };
  return { type: "send", ref: `b-${messages[0].client_msg_id}`.slice(0, 64), messages };
}

const sizeOf = (text) => new TextEncoder().encode(text).length;
