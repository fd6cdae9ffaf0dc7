import { LambchatError } from "./errors.js";

const OPEN_TIMEOUT_MS = 15_000;
const DRAIN_MS = 10_000;

/** One WebSocket: requests that are answered by `ref`, pushes, and an end that is told once. */
export class Connection {
  #pending = new Map();
  #refs = 0;
  #ended = false;
  #finishing = false;
  #settleOpen;

  constructor({ url, WebSocket, clock, onPush, onEnd }) {
    Object.assign(this, { clock, onPush, onEnd });
    this.ws = new WebSocket(url);
    this.opened = new Promise((resolve, reject) => {
      const timer = clock.setTimeout(() => this.abandon("timeout"), OPEN_TIMEOUT_MS);
      this.#settleOpen = (error) => {
        clock.clearTimeout(timer);
        this.openedAt ??= clock.now();
        if (error) reject(error);
        else resolve();
      };
    });
    this.ws.onopen = () => this.#settleOpen();
    this.ws.onmessage = (event) => this.#receive(event.data);
    this.ws.onclose = () => this.#end("disconnected");
    this.ws.onerror = () => {}; // a close follows, and says as much
  }

  /**
   * Sends a frame and resolves with its answer.
   * @throws {LambchatError} What the server refused, `timeout`, or `disconnected`.
   */
  request(frame, timeoutMs = 10_000) {
    const ref = frame.ref ?? frame.client_msg_id ?? `r${this.#refs += 1}`;
    return new Promise((resolve, reject) => {
      if (this.#ended) return reject(this.#lost("disconnected"));
      const timer = this.clock.setTimeout(
        () => this.#settle(ref, (wait) => wait.reject(this.#lost("timeout"))), timeoutMs);
      this.#pending.set(ref, { resolve, reject, timer });
      return this.post({ ...frame, ref });
    });
  }

  /** Sends a frame that has no answer. */
  post(frame) {
    if (this.ws.readyState === 1) this.ws.send(JSON.stringify(frame));
  }

  /** Closes once everything asked has been answered: the next connection has taken over. */
  finish() {
    this.#finishing = true;
    if (this.#pending.size > 0) this.clock.setTimeout(() => this.close(), DRAIN_MS);
    this.#closeIfDrained();
  }

  close() {
    if (!this.#ended) this.ws.close(1000);
  }

  /** Gives it up at once; a close frame over a dead network could take minutes. */
  abandon(code = "disconnected") {
    this.ws.onopen = null;
    this.ws.onmessage = null;
    this.ws.onclose = null;
    this.ws.close();
    this.#end(code);
  }

  #receive(data) {
    let frame;
    try {
      frame = JSON.parse(data);
    } catch {
      return;
    }
    const ref = frame.ref ?? (frame.type === "sent" ? frame.client_msg_id : undefined);
    const settled = ref !== undefined && this.#settle(ref, (wait) => {
      if (frame.type === "error") wait.reject(LambchatError.fromFrame(frame));
      else wait.resolve(frame);
    });
    if (!settled && typeof frame.type === "string") this.onPush(frame);
  }

  #settle(ref, how) {
    const wait = this.#pending.get(ref);
    if (!wait) return false;
    this.#pending.delete(ref);
    this.clock.clearTimeout(wait.timer);
    how(wait);
    this.#closeIfDrained();
    return true;
  }

  #closeIfDrained() {
    if (this.#finishing && this.#pending.size === 0) this.close();
  }

  #end(code) {
    if (this.#ended) return;
    this.#ended = true;
    this.#settleOpen(this.#lost(code));
    for (const ref of [...this.#pending.keys()]) {
      this.#settle(ref, (wait) => wait.reject(this.#lost(code)));
    }
    this.onEnd(this);
  }

  #lost(code) {
    const why = code === "timeout" ? "The server did not answer in time." : "The connection was lost.";
    return new LambchatError(code, why);
  }
}
