import { textOf } from "./format.js";

/** Messages on their way out: shown at once, followed until the server has them. */
export class Sending {
  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {(id: string) => import("./timeline.js").Timeline} ports.timelineOf
   * @param {() => void} ports.onChange
   */
  constructor({ client, timelineOf, onChange }) {
    Object.assign(this, { client, timelineOf, onChange });
  }

  /** Why this text cannot be sent, or null. */
  problemOf(content) {
    const most = this.client.limits.max_content_bytes;
    const bytes = new TextEncoder().encode(content).length;
    return bytes > most ? `This is too long: ${bytes} of at most ${most} bytes.` : null;
  }

  /**
   * @param {object} [draft] Further members: `reply_to` and `mentions`; `attachment` with its facts,
   *   and `content_type`.
   */
  send(id, content, draft = {}) {
    const { client_msg_id, sent } = this.client.send(id, content, draft);
    this.timelineOf(id).addOutgoing({ client_msg_id, content, draft });
    this.#follow(id, client_msg_id, sent);
  }

  /** Has the server copy a message into another conversation. */
  forward(id, message) {
    const { conversation_id, seq } = message;
    const draft = { forward_of: { conversation_id, seq } };
    const { client_msg_id, sent } = this.client.send(id, "", draft);
    this.timelineOf(id).addOutgoing({ client_msg_id, content: textOf(message), draft });
    this.#follow(id, client_msg_id, sent);
  }

  retry(id, clientMsgId) {
    const entry = this.timelineOf(id).entries().find(({ client_msg_id: one }) => one === clientMsgId);
    this.timelineOf(id).retrying(clientMsgId);
    const content = entry.draft.forward_of ? "" : entry.content;
    const again = this.client.send(id, content, { ...entry.draft, client_msg_id: clientMsgId });
    this.#follow(id, clientMsgId, again.sent);
  }

  async #follow(id, clientMsgId, sent) {
    this.onChange();
    await sent.then(
      () => this.timelineOf(id).accepted(clientMsgId),
      (error) => this.timelineOf(id).failed(clientMsgId, error.message),
    );
    this.onChange();
  }
}
