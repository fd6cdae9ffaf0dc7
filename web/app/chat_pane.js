import { AttachmentLinks } from "./attachment_links.js";
import { isPicture } from "./attachment_view.js";
import { ChatHead } from "./chat_head.js";
import { ChatView } from "./chat_view.js";
import { Composer } from "./composer.js";
import { byId, setNote } from "./dom.js";
import { Drafts } from "./drafts.js";
import { FilePicker } from "./file_picker.js";
import { titleOf } from "./format.js";
import { Forward } from "./forward.js";
import { MentionList } from "./mention_list.js";
import { Mentions } from "./mentions.js";
import { MessageActions } from "./message_actions.js";
import { MessageSearch } from "./message_search.js";
import { Pinned } from "./pinned.js";
import { Readers } from "./readers.js";
import { Schedule } from "./schedule.js";
import { Sending } from "./sending.js";
import { Typing } from "./typing.js";

const SMALL = 20; // members: so far everybody learns how far the others have come

/** The open conversation with everything in it: what is read, written and done there. */
export class ChatPane {
  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {import("./conversations.js").Conversations} ports.conversations
   * @param {(id: string) => object} ports.personOf
   * @param {import("./presences.js").Presences} ports.presences
   * @param {(id: string) => import("./timeline.js").Timeline} ports.timelineOf
   * @param {import("./search.js").Search} ports.search
   * @param {() => void} ports.onChange
   */
  constructor({ client, conversations, personOf, presences, timelineOf, search, onChange }) {
    Object.assign(this, { client, conversations, presences, timelineOf, onChange });
    const context = { myId: client.user.id, personOf };
    const links = new AttachmentLinks(client.attachments);
    const linkOf = (row) => links.of(row);
    const onJump = (seq) => this.view.jumpTo(seq);
    this.sending = new Sending({ client, timelineOf, onChange });
    this.typing = new Typing(personOf);
    const authorsOf = (id) => (
      [...new Set(timelineOf(id).entries().map(({ sender_id: sender }) => sender))].filter(Boolean).map(personOf));
    this.mentions = new Mentions({ api: client.groups, myId: client.user.id, authorsOf });
    this.drafts = new Drafts((id, text) => client.settings.saveDraft(id, text));
    this.composer = this.#newComposer();
    this.pinned = new Pinned({ api: client.messages, context, onJump });
    const messageSearch = new MessageSearch({ api: client.messages, search, personOf, onJump });
    this.schedule = new Schedule({ api: client.messages, conversations, onScheduled: () => this.composer.clear() });
    const head = new ChatHead({
      presenceOf: (id) => presences.get(id),
      onSettings: (changes) => this.#change(changes),
      onHide: () => this.#hide(),
      onScheduled: () => this.schedule.show(null),
    });
    this.view = new ChatView({
      ...context, head, linkOf,
      statusOf: (message) => conversations.statusOf(message),
      onSeen: (conversation) => this.#seen(conversation),
      onAct: (act, row, button) => this.actions.pressed(act, row, button),
    });
    this.actions = new MessageActions({
      client, linkOf, chat: this.view, composer: this.composer, pinned: this.pinned,
      readers: new Readers({ api: client.messages, personOf }),
      forward: new Forward({ search, conversations, sending: this.sending }),
      onRetry: (clientMsgId) => this.sending.retry(this.id, clientMsgId),
      onDeleted: (message) => this.deleted(message),
    });
    byId("chat-search").addEventListener("click", () => messageSearch.show(this.id));
    byId("send-later").addEventListener("click", () => this.#sendLater());
  }

  get id() {
    return this.view.conversationId;
  }

  async show(conversation) {
    const { id, user } = conversation;
    setNote(byId("chat-error"), "");
    this.drafts.known(id, conversation.draft?.content ?? "");
    const shown = this.view.show(conversation, this.timelineOf(id));
    this.composer.show(conversation, `Message ${titleOf(conversation)}`);
    this.typing.show(id);
    this.pinned.show(conversation);
    this.#loadMembers(conversation);
    this.#loadReceipts(conversation);
    if (user) this.presences.load([user.id]);
    this.onChange();
    // A keyboard on the screen would cover what there is to read.
    if (matchMedia("(pointer: coarse)").matches) byId("chat-title").focus();
    else this.composer.focus();
    await shown;
  }

  leave() {
    this.drafts.flush();
    this.composer.leave();
    this.view.hide();
    this.typing.show(null);
    this.pinned.show(null);
  }

  /** Takes note of an `event` frame about messages, settings and drafts. */
  heard({ event, data }) {
    const { conversation_id: id } = data;
    if (event === "message.pinned" || event === "message.unpinned") this.pinned.load(id);
    if (event === "message.deleted") this.deleted({ conversation_id: id, seq: data.seq });
    if (event === "scheduled_message.failed") this.schedule.load();
    if (event === "settings.changed") this.conversations.change(id, { settings: data });
    if (event === "draft.changed") {
      this.conversations.change(id, { draft: data.content ? data : undefined });
      this.drafts.known(id, data.content);
      this.composer.drafted(id, data.content);
    }
    if (event.startsWith("group.member_") && data.group_id === this.id) this.#loadMembers(this.view.conversation);
    this.onChange();
  }

  /** A message was deleted for me. */
  deleted({ conversation_id: id, seq }) {
    const message = this.timelineOf(id).get(seq);
    if (!message) return;
    const blank = { ...message, content: "", deleted: true, reactions: {}, attachment: undefined };
    this.timelineOf(id).update(blank);
    this.conversations.update(blank);
    this.onChange();
  }

  #newComposer() {
    return new Composer({
      files: new FilePicker(this.client.attachments),
      mentions: new MentionList(() => this.#callable),
      onSend: (written) => this.#send(written),
      onEdit: ({ conversation_id: id, seq }, text) => this.client.messages.edit(id, seq, text),
      onTyping: (id) => this.client.typing(id),
      onDraft: (id, text) => {
        this.drafts.note(id, text);
        this.conversations.change(id, { draft: text ? { content: text } : undefined });
      },
    });
  }

  async #loadMembers(conversation) {
    await this.mentions.load(conversation);
    this.composer.mentions.offer(); // somebody may have begun to write a name
  }

  get #callable() {
    const conversation = this.view.conversation ?? {};
    return { people: this.mentions.people(conversation), mayCallAll: this.mentions.mayCallAll(conversation) };
  }

  #send(written) {
    const problem = this.sending.problemOf(written.text);
    if (problem) return problem;
    this.sending.send(this.id, written.text, this.#draftOf(written));
    this.view.answered();
    return null;
  }

  #sendLater() {
    const { written } = this.composer;
    this.schedule.show(written && { conversationId: this.id, content: written.text, ...this.#draftOf(written) });
  }

  #draftOf({ text, replyTo, attachment }) {
    const mentions = this.mentions.in(this.view.conversation, text);
    return {
      ...(replyTo ? { reply_to: replyTo.seq } : {}),
      ...(mentions.length > 0 ? { mentions } : {}),
      ...(attachment ? { attachment, content_type: isPicture(attachment) ? "image" : "file" } : {}),
    };
  }

  /** How far the others have come; a direct conversation's row says so itself, larger groups do not. */
  async #loadReceipts({ id, group }) {
    if (!group || group.member_count > SMALL) return;
    const { items } = await this.client.messages.receipts(id, { limit: SMALL }).catch(() => ({ items: [] }));
    for (const { user_id, delivered_seq, read_seq } of items) {
      this.conversations.receipt({ conversation_id: id, user_id, seq: delivered_seq, status: "delivered" });
      this.conversations.receipt({ conversation_id: id, user_id, seq: read_seq, status: "read" });
    }
    this.onChange();
  }

  async #change(changes) {
    const { id } = this;
    const settings = await this.client.settings.change(id, changes);
    this.conversations.change(id, { settings });
    this.onChange();
  }

  async #hide() {
    const { id } = this;
    await this.client.settings.hide(id);
    this.conversations.delete(id);
    if (this.id === id) location.hash = "#/";
  }

  #seen({ id, last_seq: seq }) {
    const row = this.conversations.get(id);
    if (!row || row.read_seq >= seq) return;
    this.client.read(id, seq);
    this.conversations.read(id, seq);
    this.onChange();
  }
}
