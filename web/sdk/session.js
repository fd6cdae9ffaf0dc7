import { LambchatError } from "./errors.js";
import { callJson } from "./rest.js";

const KEY = "lambchat.session";
const MARGIN_MS = 30_000;

/** A stand-in for localStorage where there is none: the session ends with the process. */
export function memoryStorage() {
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, value),
    removeItem: (key) => items.delete(key),
  };
}

/**
 * The user and the tokens, in a storage that several tabs may share. A refresh token can be spent
 * once only (a second use revokes the device), so refreshing happens under a lock, and whoever
 * gets the lock late finds the new pair already there.
 */
export class Session {
  #refreshing = null;

  constructor({ baseUrl, fetch, storage, locks, clock, onEnd }) {
    Object.assign(this, { baseUrl, fetch, storage, locks, clock, onEnd });
  }

  /** What is stored, or null when signed out. */
  get current() {
    return parsed(this.storage.getItem(KEY));
  }

  /** Keeps the answer of login or refresh. */
  async save({ user, device_id, access_token, refresh_token, expires_in = 900 }) {
    const life = expires_in * 1000;
    await this.storage.setItem(KEY, JSON.stringify({
      user,
      device_id,
      access_token,
      refresh_token,
      stale_at: this.clock.now() + life - Math.min(MARGIN_MS, life / 10),
    }));
  }

  /** Keeps a newer profile of the user; not while another tab renews the tokens beside it. */
  async saveUser(user) {
    await this.#locked(async () => {
      const stored = await this.#latest();
      if (stored?.user.id === user.id) await this.storage.setItem(KEY, JSON.stringify({ ...stored, user }));
    });
    return user;
  }

  async clear() {
    await this.storage.removeItem(KEY);
  }

  /**
   * A token that is good for a while.
   * @param {string} [refused] One that the server did not take, however young it looks.
   */
  async accessToken(refused) {
    const stored = this.current ?? this.#signedOut();
    if (this.#isGood(stored, refused)) return stored.access_token;
    this.#refreshing ??= this.#locked(() => this.#refresh(refused))
      .finally(() => { this.#refreshing = null; });
    return this.#refreshing;
  }

  #signedOut() {
    const error = new LambchatError("signed_out", "You are signed out.");
    this.onEnd(error);
    throw error;
  }

  async #latest() {
    return parsed(await this.storage.latest?.(KEY)) ?? this.current;
  }

  #isGood(stored, refused) {
    return stored.access_token !== refused && stored.stale_at > this.clock.now();
  }

  #locked(task) {
    return this.locks ? this.locks.request(`${KEY}.refresh`, task) : task();
  }

  async #refresh(refused) {
    // Read again: another tab may have been here first.
    const stored = await this.#latest() ?? this.#signedOut();
    if (this.#isGood(stored, refused)) return stored.access_token;
    try {
      const pair = await callJson(this.fetch, `${this.baseUrl}/v1/auth/refresh`, {
        method: "POST", body: { refresh_token: stored.refresh_token },
      });
      await this.save({ ...stored, ...pair }); // a pair does not say whose it is
      return pair.access_token;
    } catch (error) {
      if (error.status !== 401 && error.status !== 403) throw error;
      if ((await this.#latest())?.refresh_token === stored.refresh_token) await this.clear();
      this.onEnd(error);
      throw new LambchatError("signed_out", error.message, { status: error.status });
    }
  }
}

function parsed(text) {
  try {
    return JSON.parse(text ?? null);
  } catch {
    return null;
  }
}
