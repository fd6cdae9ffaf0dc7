import { Connection } from "./connection.js";
import { LambchatError } from "./errors.js";
import { Backoff } from "./timing.js";

const PING_MS = 4 * 60_000; // API Gateway closes after ten idle minutes
const PONG_TIMEOUT_MS = 10_000;
const STABLE_MS = 5_000;

/**
 * Keeps one connection alive: reconnects with backoff, pings, and opens the next connection before
 * the gateway ends this one, closing the old one only after the new one has caught up.
 *
 * States told to `onState`: `offline`, `connecting`, `online`, `waiting` (with `retryAt`).
 */
export class Socket {
  #current = null;
  #opening = null; // identifies the attempt under way
  #failedAttempts = 0;
  #timers = {};
  #running = false;
  #slot = null; // seconds that the server asked to stay away

  /**
   * @param {object} ports
   * @param {(failedAttempts: number) => Promise<{url: string, maxAgeMs: number}>} ports.address
   * @param {() => Promise<void>} ports.onOnline Catches up; the old connection closes after it.
   */
  constructor({ address, WebSocket, clock, random, onPush, onState, onOnline, onStop }) {
    Object.assign(this, { address, WebSocket, clock, random, onPush, onState, onOnline, onStop });
    this.backoff = new Backoff({ random });
    this.state = "offline";
  }

  get isOnline() {
    return this.#current !== null;
  }

  start() {
    if (this.#running) return;
    this.#running = true;
    this.#open();
  }

  stop() {
    this.#running = false;
    this.#opening = null;
    for (const name of Object.keys(this.#timers)) this.#clear(name);
    const last = this.#current;
    this.#current = null;
    last?.close();
    this.backoff.reset();
    this.#setState("offline");
  }

  /** The network or the tab came back: connect now, or find out whether the connection lives. */
  wake() {
    if (!this.#running) return;
    if (this.#current) this.#ping();
    else if (!this.#opening) this.#open();
  }

  /** Sends a frame over the current connection and resolves with its answer. */
  async request(frame) {
    const connection = this.#current;
    if (!connection) throw new LambchatError("disconnected", "There is no connection.");
    try {
      return await connection.request(frame);
    } catch (error) {
      if (error.code === "timeout" && connection === this.#current) this.#ping();
      throw error;
    }
  }

  /** Sends a frame that has no answer, if there is a connection. */
  post(frame) {
    this.#current?.post(frame);
  }

  async #open() {
    this.#clear("retry");
    const attempt = this.#opening = {};
    if (!this.#current) this.#setState("connecting");
    let connection;
    let maxAgeMs;
    try {
      const address = await this.address(this.#failedAttempts);
      if (this.#opening !== attempt) return;
      maxAgeMs = address.maxAgeMs;
      connection = this.#connect(address.url);
      await connection.opened;
    } catch (error) {
      if (this.#opening === attempt) this.#openFailed(error);
      return;
    }
    if (this.#opening === attempt) this.#adopt(connection, maxAgeMs);
    else connection.close();
  }

  #connect(url) {
    return new Connection({
      url,
      WebSocket: this.WebSocket,
      clock: this.clock,
      onPush: (frame) => {
        if (frame.type === "error" && frame.retry_after) this.#slot = frame.retry_after;
        this.onPush(frame);
      },
      onEnd: (connection) => this.#ended(connection),
    });
  }

  #openFailed(error) {
    this.#opening = null;
    this.#failedAttempts += 1;
    if (error.code === "signed_out") {
      this.stop();
      this.onStop(error);
      return;
    }
    this.#retryLater(error.retryAfter);
  }

  #retryLater(retryAfter = null) {
    const delay = this.backoff.next(retryAfter ?? this.#slot);
    this.#slot = null;
    this.#timer("retry", () => this.#open(), delay);
    if (!this.#current) this.#setState("waiting", { retryAt: this.clock.now() + delay });
  }

  async #adopt(connection, maxAgeMs) {
    const previous = this.#current;
    this.#current = connection;
    this.#opening = null;
    this.#failedAttempts = 0;
    // Spread, so that clients that came together do not come together again.
    this.#timer("rotate", () => this.#open(), maxAgeMs * (0.75 + 0.15 * this.random()));
    this.#schedulePing();
    this.#setState("online");
    await this.onOnline().catch(() => {}); // a failed catch-up is tried again by whoever does it
    previous?.finish();
  }

  #ended(connection) {
    if (connection !== this.#current) return;
    this.#current = null;
    this.#clear("ping");
    this.#clear("rotate");
    if (this.clock.now() - connection.openedAt > STABLE_MS) this.backoff.reset();
    if (this.#opening) this.#setState("connecting");
    else if (this.#running) this.#retryLater();
  }

  #schedulePing() {
    this.#timer("ping", () => this.#ping(), PING_MS);
  }

  async #ping() {
    const connection = this.#current;
    this.#schedulePing();
    await connection?.request({ type: "ping" }, PONG_TIMEOUT_MS).catch((error) => {
      if (error.code === "timeout") connection.abandon();
    });
  }

  #timer(name, callback, ms) {
    this.#clear(name);
    // Node.js and browsers fire at once what is more than 24.8 days away.
    this.#timers[name] = this.clock.setTimeout(callback, Math.min(ms, 2 ** 31 - 1));
  }

  #clear(name) {
    this.clock.clearTimeout(this.#timers[name]);
    delete this.#timers[name];
  }

  #setState(state, details = {}) {
    this.state = state;
    this.onState({ state, ...details });
  }
}
