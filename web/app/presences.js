const MOST = 100; // in one request

/** Where people are, as far as this page has asked or was told. */
export class Presences {
  #known = new Map();

  /** @param {{api: import("../sdk/people.js").People, onChange: () => void}} ports */
  constructor({ api, onChange }) {
    Object.assign(this, { api, onChange });
  }

  /** The latest, or undefined. */
  get(userId) {
    return this.#known.get(userId);
  }

  heard(presence) {
    this.#known.set(presence.user_id, presence);
    this.onChange();
  }

  /** Asks anew: at the start, after an absence, and for whom one looks at. */
  async load(userIds) {
    const ids = [...new Set(userIds)];
    for (let at = 0; at < ids.length; at += MOST) {
      const { items } = await this.api.presences(ids.slice(at, at + MOST)).catch(() => ({ items: [] }));
      items.forEach((presence) => this.#known.set(presence.user_id, presence));
    }
    this.onChange();
  }
}
