import { confirmed } from "./confirm.js";
import { sentenceOf } from "./form.js";
import { nameOf } from "./format.js";
import { Menu } from "./menu.js";
import { choicesOf, EMOJI } from "./message_menu.js";

/** What people do with messages that are there. */
export class MessageActions {
  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {import("./chat_view.js").ChatView} ports.chat
   * @param {import("./composer.js").Composer} ports.composer
   * @param {import("./pinned.js").Pinned} ports.pinned
   * @param {import("./readers.js").Readers} ports.readers
   * @param {import("./forward.js").Forward} ports.forward
   */
  constructor(ports) {
    Object.assign(this, ports);
    this.menu = new Menu();
  }

  /** Something of a message was pressed. */
  pressed(act, row, button) {
    const message = this.chat.messageOf(row.seq);
    const { emoji, to } = button.dataset;
    const works = {
      retry: () => this.onRetry(row.clientMsgId),
      jump: () => this.chat.jumpTo(Number(to)),
      menu: () => this.#openMenu(button, message),
      react: () => this.#chosen("react", message, emoji),
      file: () => this.#work(row.seq, () => this.#download(row)),
    };
    works[act]();
  }

  #openMenu(button, message) {
    const { myId, conversation } = this.chat;
    const choices = choicesOf(message, { myId, conversation, isPinned: this.pinned.has(message.seq) });
    const emoji = message.recalled || message.deleted ? [] : EMOJI;
    this.menu.open(button, choices, { emoji, onChoose: (action, one) => this.#chosen(action, message, one) });
  }

  #chosen(action, message, emoji) {
    const { conversation_id: id, seq, sender_id: sender, reactions = {} } = message;
    const api = this.client.messages;
    const mine = reactions[emoji]?.user_ids.includes(this.chat.myId) ?? false;
    const works = {
      react: () => api.react(id, seq, emoji, { remove: mine }),
      reply: () => this.composer.reply(message, sender === this.chat.myId ? "yourself" : this.#nameOf(sender)),
      forward: () => this.forward.show(message),
      copy: () => navigator.clipboard.writeText(message.content),
      edit: () => this.composer.edit(message),
      pin: () => api.pin(id, seq).then(() => this.pinned.load(id)),
      unpin: () => api.unpin(id, seq).then(() => this.pinned.load(id)),
      readers: () => this.readers.show(id, seq),
      recall: () => this.#recall(message),
      delete: () => api.deleteForMe(id, seq).then(() => this.onDeleted(message)),
    };
    return this.#work(seq, works[action]);
  }

  async #recall({ conversation_id: id, seq }) {
    const isSure = await confirmed({
      title: "Recall this message?", text: "Nobody can read it any more, you neither.", action: "Recall",
    });
    if (isSure) await this.client.messages.recall(id, seq);
  }

  async #download(row) {
    const link = document.createElement("a");
    Object.assign(link, { href: await this.linkOf(row), target: "_blank", rel: "noopener noreferrer" });
    link.download = row.attachment.name;
    link.click();
  }

  #nameOf(id) {
    return nameOf(this.chat.personOf(id));
  }

  /** Says beside the message what went wrong with it. */
  async #work(seq, work) {
    this.chat.setProblem(seq, "");
    try {
      await work();
    } catch (error) {
      this.chat.setProblem(seq, error.code ? sentenceOf(error) : "This is not possible in this browser.");
    }
  }
}
