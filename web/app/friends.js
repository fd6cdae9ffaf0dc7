const LISTS = {
  friends: (api, page) => api.friends(page),
  received: (api, page) => api.friendRequests({ direction: "received", ...page }),
  sent: (api, page) => api.friendRequests({ direction: "sent", ...page }),
  blocked: (api, page) => api.blocks(page),
};
const CHANGED_BY = {
  "friend.requested": ["received", "sent"],
  "friend.accepted": ["received", "sent", "friends"],
  "friend.rejected": ["received", "sent"],
  "friend.deleted": ["friends"],
  "block.changed": ["received", "sent", "blocked"],
};

/** What the page knows of friends, requests and blocks: the server's lists, read again as they change. */
export class Friends {
  #lists = { friends: [], received: [], sent: [], blocked: [] };
  #waiting = new Map();
  #reading = new Map();
  #problems = new Map();

  /** @param {{api: import("../sdk/people.js").People, onChange: () => void}} ports */
  constructor({ api, onChange }) {
    Object.assign(this, { api, onChange });
  }

  get friends() {
    return this.#lists.friends;
  }

  get blocked() {
    return this.#lists.blocked;
  }

  /** Requests that wait for my answer. */
  get received() {
    return this.#lists.received.filter(({ status }) => status === "pending");
  }

  /** My latest request to each user, unless it was accepted. */
  get sent() {
    const latest = new Map();
    for (const request of this.#lists.sent) { // the newest first
      if (!latest.has(request.receiver_id)) latest.set(request.receiver_id, request);
    }
    return [...latest.values()].filter(({ status, receiver_id: id }) => status !== "accepted" && !this.#friend(id));
  }

  /** Why a list could not be read, or nothing. */
  get problem() {
    return [...this.#problems.values()][0] ?? "";
  }

  /** How I stand with a user. */
  with(userId) {
    return {
      friend: this.#friend(userId),
      received: this.received.find(({ sender_id: id }) => id === userId),
      sent: this.sent.find(({ receiver_id: id }) => id === userId),
      isBlocked: this.blocked.some(({ user_id: id }) => id === userId),
    };
  }

  /** Reads these lists; never rejects, `problem` says what failed. */
  async load(names = Object.keys(LISTS)) {
    await Promise.all(names.map((name) => this.#load(name)));
  }

  /** Takes note of an `event` frame. */
  async heard(event) {
    await this.load(CHANGED_BY[event] ?? []);
  }

  /** Changes something on the server, and shows what came of it, also where it was refused. */
  async change(work) {
    try {
      await work(this.api);
    } catch (error) {
      this.load();
      throw error;
    }
    await this.load();
  }

  #friend(userId) {
    return this.friends.find(({ user_id: id }) => id === userId);
  }

  /** A read that has not begun yet will see what was just heard of; one under way may not. */
  #load(name) {
    if (!this.#waiting.has(name)) {
      const reading = (this.#reading.get(name) ?? Promise.resolve()).then(() => {
        this.#waiting.delete(name);
        return this.#read(name);
      });
      this.#waiting.set(name, reading);
      this.#reading.set(name, reading);
    }
    return this.#waiting.get(name);
  }

  async #read(name) {
    try {
      const items = [];
      for (let cursor; cursor !== null; ) {
        const page = await LISTS[name](this.api, { cursor, limit: 100 });
        items.push(...page.items);
        cursor = page.next_cursor ?? null;
      }
      this.#lists[name] = items;
      this.#problems.delete(name);
    } catch (error) {
      this.#problems.set(name, error.message);
    }
    this.onChange();
  }
}
