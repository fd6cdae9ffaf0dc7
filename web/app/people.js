/** The people whose names are needed: asked for once each, a few at a time. */
export class People {
  #known = new Map();
  #queue = [];
  #busy = 0;

  constructor({ fetchUser, onChange, parallel = 4 }) {
    Object.assign(this, { fetchUser, onChange, parallel });
  }

  add(user) {
    if (user) this.#known.set(user.id, user);
  }

  /** The user, as far as known by now; `onChange` tells of a later answer. */
  get(id) {
    if (!this.#known.has(id)) {
      this.#known.set(id, { id, username: "", nickname: "" });
      this.#queue.push(id);
      this.#next();
    }
    return this.#known.get(id);
  }

  async #next() {
    if (this.#busy >= this.parallel || this.#queue.length === 0) return;
    this.#busy += 1;
    const id = this.#queue.shift();
    const user = await this.fetchUser(id).catch(() => null); // deleted, or not for me to see
    this.#busy -= 1;
    if (user) {
      this.#known.set(id, user);
      this.onChange();
    }
    this.#next();
  }
}
