const PAGE = 50;
const KEPT = 600; // more than this slows the page; older ones are loaded again on scrolling

/** The messages of one conversation as far as they are loaded, and those on their way out. */
export class Timeline {
  #messages = new Map();
  #outgoing = new Map();
  #loading = null;

  isLoaded = false;
  isComplete = false; // the first message is here

  /**
   * @param {(options: {beforeSeq?: number, limit: number}) => Promise<{items: object[]}>} fetchPage
   */
  constructor(fetchPage) {
    this.fetchPage = fetchPage;
  }

  /** Loads the newest page at first, then the page before the oldest message. */
  loadEarlier() {
    this.#loading ??= this.#load().finally(() => { this.#loading = null; });
    return this.#loading;
  }

  get isLoading() {
    return this.#loading !== null;
  }

  /** Adds or replaces a message; one of my own takes the place of its outgoing copy. */
  add(message) {
    this.#messages.set(message.seq, message);
    this.#outgoing.delete(message.client_msg_id);
  }

  /** Replaces a message that was changed, if it is here. */
  update(message) {
    if (this.#messages.has(message.seq)) this.#messages.set(message.seq, message);
  }

  /** The message with this number, if it is loaded. */
  get(seq) {
    return this.#messages.get(seq);
  }

  /** Shows a message before the server has it; `draft` is what it has beside its content. */
  addOutgoing({ client_msg_id, content, draft = {} }) {
    const { content_type: type = "text", mentions, attachment, reply_to: seq, forward_of } = draft;
    this.#outgoing.set(client_msg_id, {
      client_msg_id, content, draft, type, mentions, attachment, reply_to: seq && { seq },
      forwarded_from: forward_of, created_at: new Date().toISOString(), status: "sending",
    });
  }

  accepted(clientMsgId) {
    this.#setStatus(clientMsgId, { status: "sent" });
  }

  failed(clientMsgId, reason) {
    this.#setStatus(clientMsgId, { status: "failed", reason });
  }

  retrying(clientMsgId) {
    this.#setStatus(clientMsgId, { status: "sending", reason: undefined });
  }

  /** The stored messages by `seq`, then the outgoing ones as they were written. */
  entries() {
    const stored = [...this.#messages.values()].sort((one, other) => one.seq - other.seq);
    return [...stored, ...this.#outgoing.values()];
  }

  /** Forgets old messages of a long conversation; whoever scrolls up loads them again. */
  trim() {
    if (this.#messages.size <= KEPT) return;
    const seqs = [...this.#messages.keys()].sort((one, other) => one - other);
    seqs.slice(0, -KEPT / 2).forEach((seq) => this.#messages.delete(seq));
    this.isComplete = false;
  }

  /** Forgets everything stored: too much was missed to fetch it piece by piece. */
  reset() {
    this.#messages.clear();
    this.isLoaded = false;
    this.isComplete = false;
  }

  async #load() {
    const beforeSeq = this.isLoaded ? Math.min(...this.#messages.keys()) : undefined;
    if (this.isComplete || beforeSeq === Infinity) return;
    const { items } = await this.fetchPage({ beforeSeq, limit: PAGE });
    for (const message of items) if (!this.#messages.has(message.seq)) this.add(message);
    this.isLoaded = true;
    this.isComplete = items.length === 0 || items.some(({ seq }) => seq === 1);
  }

  #setStatus(clientMsgId, change) {
    const entry = this.#outgoing.get(clientMsgId);
    if (entry) this.#outgoing.set(clientMsgId, { ...entry, ...change });
  }
}
