const one = (id) => encodeURIComponent(id);
const conversation = (id) => `/v1/conversations/${one(id)}`;
const SCHEDULED = "/v1/scheduled-messages";

/**
 * What can be done with messages once they are there; `client.messages`. A change that was accepted
 * comes back as `updated` to everybody, oneself too.
 */
export class Messages {
  constructor({ rest, request }) {
    Object.assign(this, { rest, request });
  }

  /** Sends without a connection, as a script would: over REST. `client.send` keeps order and sends again. */
  post(conversationId, content, more = {}) {
    const idempotencyKey = crypto.randomUUID();
    return this.rest.post(`${conversation(conversationId)}/messages`, { content, ...more }, { idempotencyKey });
  }

  /** Marks everything up to `seq` as read, without a connection; says what is still unread. */
  read(conversationId, seq) {
    return this.rest.post(`${conversation(conversationId)}/read`, { seq });
  }

  /** How much is unread, in total and by conversation; of muted ones apart. */
  unread() {
    return this.rest.get("/v1/unread");
  }

  /** Tells moderators of a message. */
  report(conversationId, seq, reason) {
    const idempotencyKey = crypto.randomUUID();
    return this.rest.post("/v1/reports", { conversation_id: conversationId, seq, reason }, { idempotencyKey });
  }

  edit(conversationId, seq, content) {
    return this.request({ type: "edit", conversation_id: conversationId, seq, content });
  }

  /** Takes a message back, for everybody. */
  recall(conversationId, seq) {
    return this.request({ type: "recall", conversation_id: conversationId, seq });
  }

  /** Gives a reaction, or takes it back. */
  react(conversationId, seq, emoji, { remove = false } = {}) {
    return this.request({ type: "react", conversation_id: conversationId, seq, emoji, remove });
  }

  /** Deletes a message for me; the others keep it. */
  deleteForMe(conversationId, seq) {
    return this.rest.delete(`${conversation(conversationId)}/messages/${seq}`);
  }

  /** The pinned messages, the newest first. */
  pins(conversationId) {
    return this.rest.get(`${conversation(conversationId)}/pins`);
  }

  pin(conversationId, seq) {
    return this.rest.put(`${conversation(conversationId)}/pins/${seq}`);
  }

  unpin(conversationId, seq) {
    return this.rest.delete(`${conversation(conversationId)}/pins/${seq}`);
  }

  /** How far the other members have come; with `seq`, who got and who read that message. */
  receipts(conversationId, { seq, cursor, limit } = {}) {
    return this.rest.get(`${conversation(conversationId)}/receipts`, { seq, cursor, limit });
  }

  /** Messages with all of these words; a page may be empty although there are more. */
  search({ query, conversationId, cursor, limit }) {
    return this.rest.get("/v1/messages", { query, conversation_id: conversationId, cursor, limit });
  }

  /** Has a message sent at a time (RFC 3339). */
  schedule({ conversationId, content, deliverAt, ...more }) {
    const idempotencyKey = crypto.randomUUID();
    const draft = { conversation_id: conversationId, content, deliver_at: deliverAt, ...more };
    return this.rest.post(SCHEDULED, draft, { idempotencyKey });
  }

  scheduled({ cursor, limit } = {}) {
    return this.rest.get(SCHEDULED, { cursor, limit });
  }

  cancelScheduled(id) {
    return this.rest.delete(`${SCHEDULED}/${one(id)}`);
  }
}
