const conversation = (id) => `/v1/conversations/${encodeURIComponent(id)}`;

/** What I want of conversations, on all my devices; `client.settings`. */
export class Settings {
  constructor(rest) {
    this.rest = rest;
  }

  /** @param {{muted?: boolean, muted_until?: string | null, pinned?: boolean}} changes */
  change(conversationId, changes) {
    return this.rest.put(`${conversation(conversationId)}/settings`, changes);
  }

  /** Keeps what I have begun to write; an empty text forgets it. */
  saveDraft(conversationId, content) {
    const path = `${conversation(conversationId)}/draft`;
    return content ? this.rest.put(path, { content }) : this.rest.delete(path);
  }

  /** Takes a conversation from my list until its next message. */
  hide(conversationId) {
    return this.rest.delete(conversation(conversationId));
  }
}
