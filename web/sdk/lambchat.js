/**
 * The JavaScript client of lambchat, for browsers and Node.js; an ES module without dependencies.
 * README.md beside this file has an example; docs/02_http_api.md the protocol.
 * @module
 */
import { Acks } from "./acks.js";
import { Attachments } from "./attachments.js";
import { BrowserStorage } from "./browser_storage.js";
import { CatchUp } from "./catch_up.js";
import { Emitter } from "./emitter.js";
import { LambchatError } from "./errors.js";
import { Groups } from "./groups.js";
import { Inbox } from "./inbox.js";
import { Messages } from "./messages.js";
import { Outbox } from "./outbox.js";
import { People } from "./people.js";
import { Rest } from "./rest.js";
import { ServerConfig } from "./server_config.js";
import { memoryStorage, Session } from "./session.js";
import { Settings } from "./settings.js";
import { Socket } from "./socket.js";
import { systemClock } from "./timing.js";

export { BrowserStorage, LambchatError, memoryStorage };

/**
 * One user's client. Events (`on`):
 * - `message`: a message, every one once and in order of `seq` within its conversation
 * - `updated`: a message that was edited, recalled or reacted to
 * - `receipt`, `typing`, `presence`, `notify`, `event`: the server's frames of that type
 * - `state`: `{state: "offline" | "connecting" | "online" | "waiting", retryAt?}`
 * - `signed_out`: the session ended; `{reason}` is the error, or null after `logout`
 */
export class Lambchat {
  #emitter = new Emitter();
  #signedIn = false; // so that the end of a session is told once

  /** @param {object} [options] All but `baseUrl` and `storage` are for tests and old runtimes. */
  constructor({
    baseUrl = globalThis.location?.origin ?? "",
    storage = memoryStorage(),
    fetch = (...args) => globalThis.fetch(...args),
    WebSocket = globalThis.WebSocket,
    XMLHttpRequest = globalThis.XMLHttpRequest,
    locks = globalThis.navigator?.locks,
    clock = systemClock,
    random = Math.random,
  } = {}) {
    const common = { clock, random };
    const http = { baseUrl: baseUrl.replace(/\/+$/, ""), fetch, clock };
    const request = (frame) => this.socket.request(frame);
    const isOnline = () => this.socket.isOnline;
    const onEnd = (reason) => this.#end(reason);
    this.session = new Session({ ...http, storage, locks, onEnd });
    this.rest = new Rest({ ...http, random, session: this.session });
    this.config = new ServerConfig({ rest: this.rest, session: this.session });
    this.people = new People({ rest: this.rest, session: this.session });
    this.groups = new Groups(this.rest);
    this.messages = new Messages({ rest: this.rest, request });
    this.attachments = new Attachments({ rest: this.rest, XMLHttpRequest });
    this.settings = new Settings(this.rest);
    this.outbox = new Outbox({ request, isOnline, limits: () => this.limits, ...common });
    this.acks = new Acks({ request, isOnline, ...common });
    this.catchUp = new CatchUp({
      request, ...common, cursors: () => this.inbox.cursors(), onRefused: (id) => this.inbox.forget(id),
    });
    this.inbox = new Inbox({
      clock, deliver: (message) => this.#deliver(message),
      startOf: async (id) => (await this.conversation(id)).read_seq,
      catchUp: (ids) => this.catchUp.of(ids),
    });
    this.socket = new Socket({
      WebSocket, ...common, onStop: onEnd,
      address: (failedAttempts) => this.config.address(failedAttempts),
      onPush: (frame) => this.#push(frame),
      onState: (state) => this.#emitter.emit("state", state),
      onOnline: () => this.#online(),
    });
  }

  on(type, listener) {
    return this.#emitter.on(type, listener);
  }

  /** The signed-in user, or null. */
  get user() {
    return this.session.current?.user ?? null;
  }

  get state() {
    return this.socket.state;
  }

  /** The server's limits, as `/v1/client-config` has them. */
  get limits() {
    return this.config.limits;
  }

  register({ username, password, nickname }) {
    return this.rest.open("POST", "/v1/auth/register", { username, password, nickname });
  }

  /** Without `deviceId` it is a new device. */
  async login({ username, password, deviceName, deviceId }) {
    const account = { username, password, device_name: deviceName, device_id: deviceId };
    const answer = await this.rest.open("POST", "/v1/auth/login", account);
    await this.session.save(answer);
    this.#signedIn = true;
    return answer.user;
  }

  /** Ends the session, here also when the server cannot be reached; of all devices only if it says so. */
  async logout({ allDevices = false } = {}) {
    if (allDevices) await this.rest.post("/v1/auth/logout", { all_devices: true });
    this.socket.stop();
    if (!allDevices) await this.rest.post("/v1/auth/logout").catch(() => {});
    await this.#forget();
  }

  /** Deletes the account, for good. */
  async deleteAccount() {
    await this.rest.delete("/v1/users/me/data");
    await this.#forget();
  }

  /** Opens the connection and keeps it open; `state` tells how it fares. */
  connect() {
    this.#signedIn = true;
    this.socket.start();
  }

  disconnect() {
    this.socket.stop();
  }

  /** The network or the tab came back: do not wait for the next attempt. */
  wake() {
    this.socket.wake();
  }

  /**
   * Sends a message, now or when the connection is back.
   * @param {string | {to: string}} target A conversation's id, or the user to write to.
   * @param {string} content
   * @param {object} [more] Further members of the message: `content_type`, `reply_to`, …
   * @returns {{client_msg_id: string, sent: Promise<object>}} `sent` rejects with the reason when
   *   the message can never be sent.
   */
  send(target, content, more = {}) {
    const client_msg_id = more.client_msg_id ?? newId();
    const where = typeof target === "string" ? { conversation_id: target } : { to: target.to };
    const sent = this.outbox.add({ ...where, content_type: "text", ...more, client_msg_id, content });
    return { client_msg_id, sent };
  }

  /** Marks everything up to `seq` as read. */
  read(conversationId, seq) {
    this.acks.read(conversationId, seq);
  }

  /** Says that the caller knows everything up to `seq`, from a cursor kept or from history. */
  known(conversationId, seq) {
    this.inbox.advanceTo(conversationId, seq);
  }

  /** The cursors, to be kept by a client that wants each message once over restarts. */
  cursors() {
    return this.inbox.cursors();
  }

  /** Tells the others that I am writing; worth saying every three seconds at most. */
  typing(conversationId) {
    this.socket.post({ type: "typing", conversation_id: conversationId });
  }

  /** Says whether somebody looks at this device: `online` or `away`. */
  look(status) {
    return this.socket.request({ type: "presence", status });
  }

  /** Fetches what a `notify` only announced. */
  fetchMissing(conversationId) {
    return this.catchUp.of([conversationId]);
  }

  conversations({ cursor, limit } = {}) {
    return this.rest.get("/v1/conversations", { cursor, limit });
  }

  conversation(id) {
    return this.rest.get(`/v1/conversations/${encodeURIComponent(id)}`);
  }

  /** The direct conversation with a user, found again or made. */
  openDirect(userId) {
    return this.rest.post("/v1/conversations", { user_id: userId }, { idempotencyKey: newId() });
  }

  history(conversationId, { beforeSeq, afterSeq, limit } = {}) {
    return this.rest.get(`/v1/conversations/${encodeURIComponent(conversationId)}/messages`, {
      before_seq: beforeSeq, after_seq: afterSeq, limit,
    });
  }

  async #online() {
    this.outbox.resume();
    this.acks.resume();
    await this.catchUp.of(Object.keys(this.inbox.cursors()));
  }

  #push(frame) {
    if (frame.type === "messages") this.#messages(frame.messages);
    else this.#emitter.emit(frame.type, frame.type === "updated" ? frame.message : frame);
    if (frame.type === "notify") this.catchUp.announced(frame);
  }

  #messages(messages) {
    const touched = new Set();
    for (const message of messages) {
      if (!this.outbox.confirm(message)) touched.add(message.conversation_id);
      this.inbox.receive(message);
    }
    // What came once more is acknowledged once more: the server did not know that it had arrived.
    for (const id of touched) if (this.inbox.cursor(id)) this.acks.delivered(id, this.inbox.cursor(id));
  }

  #deliver(message) {
    this.#emitter.emit("message", message);
    if (message.sender_id !== this.user?.id) this.acks.delivered(message.conversation_id, message.seq);
  }

  async #forget() {
    await this.session.clear();
    this.#end(null);
  }

  #end(reason) {
    if (!this.#signedIn) return;
    this.#signedIn = false;
    this.socket.stop();
    this.outbox.clear(new LambchatError("signed_out", "You are signed out."));
    this.acks.clear();
    this.inbox.clear();
    this.#emitter.emit("signed_out", { reason });
  }
}

const newId = () => crypto.randomUUID();
