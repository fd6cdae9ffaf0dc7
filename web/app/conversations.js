import { mentions } from "./message_rows.js";

/**
 * What the page knows of the conversations: the server's rows, and what has happened since.
 * `unread_count` is the server's at its `last_seq`, plus the others' messages that came after.
 */
export class Conversations {
  #rows = new Map();

  constructor(myId) {
    this.myId = myId;
  }

  get(id) {
    return this.#rows.get(id);
  }

  /** Pinned ones, then the most recent first. */
  sorted() {
    return [...this.#rows.values()].sort((one, other) => (
      isPinned(other) - isPinned(one) || (activity(one) < activity(other) ? 1 : -1)));
  }

  /** How much is unread, but for what is muted. */
  get unread() {
    const loud = [...this.#rows.values()].filter(({ settings }) => !settings?.muted);
    return loud.reduce((sum, { unread_count: count }) => sum + count, 0);
  }

  /** Drops a conversation: it is not mine any more, or not wanted in the list. */
  delete(id) {
    this.#rows.delete(id);
  }

  /** Takes over members of the row that another answer or event has told of. */
  change(id, members) {
    const row = this.#rows.get(id);
    if (row) Object.assign(row, members);
  }

  /** Takes over a row of the server, unless what happened since is newer. */
  merge(row) {
    const known = this.#rows.get(row.id)
      ?? { last_seq: -1, read_seq: 0, unread_count: 0, unread_mentions: 0, receipts: new Map() };
    const { last_seq, last_message, unread_count, unread_mentions, read_seq, receipts } = known;
    const isNewer = row.last_seq >= last_seq;
    const none = read_seq >= row.last_seq ? { unread_count: 0 } : row;
    const counted = isNewer ? none : { unread_count, unread_mentions };
    Object.assign(known, row, {
      last_seq: Math.max(row.last_seq, last_seq),
      last_message: isNewer ? row.last_message : last_message,
      unread_count: counted.unread_count,
      unread_mentions: counted.unread_mentions ?? 0, // an older server does not count them
      read_seq: Math.max(row.read_seq, read_seq),
      receipts,
    });
    this.#rows.set(row.id, known);
    for (const receipt of row.receipts ?? []) this.#noteReceipts(row.id, receipt);
    return known;
  }

  /** Counts a message that has just arrived; false if the conversation is not known. */
  receive(message) {
    const row = this.#rows.get(message.conversation_id);
    if (!row) return false;
    if (message.seq <= row.last_seq) return true;
    row.last_seq = message.seq;
    row.last_message = message;
    if (message.sender_id === this.myId) return true;
    row.unread_count += 1;
    if (mentions(message, this.myId)) row.unread_mentions += 1;
    return true;
  }

  /** Takes over a message that was changed. */
  update(message) {
    const row = this.#rows.get(message.conversation_id);
    if (row?.last_seq === message.seq) row.last_message = message;
  }

  /** Notes that I have read everything up to `seq`. */
  read(id, seq) {
    const row = this.#rows.get(id);
    if (!row || row.read_seq >= seq) return;
    row.read_seq = seq;
    if (seq >= row.last_seq) Object.assign(row, { unread_count: 0, unread_mentions: 0 });
  }

  /** Notes how far somebody else has come. */
  receipt({ conversation_id, user_id, seq, status }) {
    const delivered_seq = seq; // what was read was delivered
    const read_seq = status === "read" ? seq : 0;
    if (this.#rows.has(conversation_id)) {
      this.#noteReceipts(conversation_id, { user_id, delivered_seq, read_seq });
    }
  }

  /** How far a message of mine has come: `sent`, `delivered` or `read`. */
  statusOf(message) {
    const others = [...this.#rows.get(message.conversation_id)?.receipts.values() ?? []];
    if (others.some(({ read }) => read >= message.seq)) return "read";
    return others.some(({ delivered }) => delivered >= message.seq) ? "delivered" : "sent";
  }

  #noteReceipts(id, { user_id, delivered_seq = 0, read_seq = 0 }) {
    if (user_id === this.myId) return;
    const { receipts } = this.#rows.get(id);
    const { delivered = 0, read = 0 } = receipts.get(user_id) ?? {};
    receipts.set(user_id, {
      delivered: Math.max(delivered, delivered_seq, read_seq), read: Math.max(read, read_seq),
    });
  }
}

const isPinned = ({ settings }) => Number(settings?.pinned ?? false);
const activity = (row) => row.last_message?.created_at ?? row.updated_at ?? row.created_at ?? "";
