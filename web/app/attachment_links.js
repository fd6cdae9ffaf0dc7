const GOOD_MS = 10 * 60_000; // the server's are good for longer

/** Links to attachments, asked for once in a while. */
export class AttachmentLinks {
  #known = new Map();

  /** @param {import("../sdk/attachments.js").Attachments} api */
  constructor(api) {
    this.api = api;
  }

  /** @param {{attachment: {id: string}, conversationId?: string, seq?: number}} row */
  of({ attachment: { id }, conversationId, seq }) {
    const known = this.#known.get(id);
    if (known?.until > Date.now()) return known.link;
    // One that is not stored yet is mine, and needs no message to be shown.
    const link = this.api.link(id, seq ? { conversationId, seq } : {}).then(({ url }) => url);
    this.#known.set(id, { link, until: Date.now() + GOOD_MS });
    link.catch(() => this.#known.delete(id));
    return link;
  }
}
