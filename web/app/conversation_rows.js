const FAR_BEHIND = 500; // messages; beyond, the newest page is loaded instead of all of them
const GONE = [403, 404];

/** Reads the server's rows of conversations into what the page knows. */
export class ConversationRows {
  #fetching = new Map();

  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {import("./conversations.js").Conversations} ports.conversations
   * @param {import("./people.js").People} ports.people
   * @param {(id: string) => import("./timeline.js").Timeline} ports.timelineOf
   * @param {(id: string) => void} ports.onGone It is not mine any more.
   */
  constructor({ client, conversations, people, timelineOf, onGone }) {
    Object.assign(this, { client, conversations, people, timelineOf, onGone });
  }

  async all() {
    for (let cursor; cursor !== null; ) {
      const page = await this.client.conversations({ cursor, limit: 100 });
      page.items.forEach((row) => this.merge(row));
      cursor = page.next_cursor ?? null;
    }
  }

  merge(row) {
    const cursor = this.client.cursors()[row.id];
    const isFarBehind = cursor !== undefined && row.last_seq - cursor > FAR_BEHIND;
    if (isFarBehind) this.timelineOf(row.id).reset();
    if (cursor === undefined || isFarBehind) this.client.known(row.id, row.last_seq);
    this.people.add(row.user);
    return this.conversations.merge(row);
  }

  /** Reads one row; a burst of news about it asks once. */
  one(id) {
    const fetching = this.#fetching.get(id) ?? this.#read(id).finally(() => this.#fetching.delete(id));
    this.#fetching.set(id, fetching);
    return fetching;
  }

  async #read(id) {
    try {
      this.merge(await this.client.conversation(id));
    } catch (error) {
      if (GONE.includes(error.status)) this.onGone(id);
      return undefined;
    }
    // What arrived meanwhile may be newer than the row.
    const arrived = this.timelineOf(id).entries().filter(({ seq }) => seq !== undefined);
    arrived.forEach((message) => this.conversations.receive(message));
    return this.conversations.get(id);
  }
}
