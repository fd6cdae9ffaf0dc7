import { byId, setNote } from "./dom.js";
import { act, into } from "./form.js";

const TYPING_MS = 3000; // the server tells no more often

/**
 * Where messages are written: Enter sends, Shift and Enter make a new line, Escape gives up a reply
 * or an edit.
 */
export class Composer {
  #drafts = new Map();
  #conversationId = null;
  #about = null; // { kind: "reply" | "edit", message }
  #toldAt = 0;
  #isWaiting = false; // sent as soon as its file is uploaded

  /**
   * @param {object} ports
   * @param {(written: {text: string, replyTo?: object, attachment?: object}) => string | null} ports.onSend
   *   Returns why it cannot be sent.
   * @param {(message: object, text: string) => Promise<void>} ports.onEdit
   * @param {(conversationId: string) => void} ports.onTyping
   * @param {(conversationId: string, text: string) => void} ports.onDraft
   * @param {import("./file_picker.js").FilePicker} ports.files
   * @param {import("./mention_list.js").MentionList} ports.mentions
   */
  constructor({ onSend, onEdit, onTyping, onDraft, files, mentions }) {
    Object.assign(this, { onSend, onEdit, onTyping, onDraft, files, mentions });
    this.text = byId("text");
    files.onChange = () => this.#fileChanged();
    this.text.addEventListener("input", () => this.#written());
    this.text.addEventListener("keydown", (event) => this.#pressed(event));
    byId("about-cancel").addEventListener("click", () => this.#cancel());
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** Changes over to a conversation, with what was begun there, here or on another device. */
  show({ id, draft }, placeholder) {
    if (id !== this.#conversationId) {
      this.leave();
      this.#conversationId = id;
      this.text.value = this.#drafts.get(id) ?? draft?.content ?? "";
    }
    this.text.placeholder = placeholder;
    this.#grow();
  }

  /** What could be sent now, or null. */
  get written() {
    if (this.#about?.kind === "edit" || this.files.isBusy || !this.#isReady) return null;
    return { text: this.text.value.trim(), replyTo: this.#about?.message, attachment: this.files.attachment };
  }

  /** What was written is on its way. */
  clear() {
    this.text.value = "";
    this.#toldAt = 0;
    this.files.clear();
    this.#setAbout(null);
    this.onDraft(this.#conversationId, "");
    this.#grow();
  }

  /** Keeps what was begun: the conversation is left. */
  leave() {
    this.mentions.close();
    if (this.#about?.kind === "edit") this.#cancel();
    if (this.#conversationId) this.#drafts.set(this.#conversationId, this.text.value);
    this.#setAbout(null);
    this.files.clear();
    this.#conversationId = null;
  }

  /** Takes over what another device has kept, unless something is being written here. */
  drafted(id, content) {
    this.#drafts.delete(id);
    if (id !== this.#conversationId || this.#about || document.activeElement === this.text) return;
    this.text.value = content;
    this.#grow();
  }

  reply(message, label) {
    if (this.#about?.kind === "edit") this.#cancel();
    this.#setAbout({ kind: "reply", message }, `Reply to ${label}`);
    this.focus();
  }

  edit(message) {
    if (this.#about?.kind !== "edit") this.#drafts.set(this.#conversationId, this.text.value);
    this.#setAbout({ kind: "edit", message }, "Edit your message");
    this.text.value = message.content;
    this.#grow();
    this.focus();
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }

  #pressed(event) {
    if (this.mentions.pressed(event)) return;
    if (event.key === "Escape" && this.#about) this.#cancel();
    // During composition (Chinese, Japanese, …) Enter takes over a word.
    if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
    event.preventDefault();
    this.#send();
  }

  #written() {
    this.#grow();
    if (this.#about?.kind === "edit") return;
    this.onDraft(this.#conversationId, this.text.value.trim());
    if (!this.text.value.trim() || Date.now() - this.#toldAt < TYPING_MS) return;
    this.#toldAt = Date.now();
    this.onTyping(this.#conversationId);
  }

  #send() {
    const text = this.text.value.trim();
    this.focus();
    if (this.#about?.kind === "edit") this.#sendEdit(text);
    else if (this.files.isBusy) this.#isWaiting = true;
    else if (this.#isReady) this.#sendNew();
  }

  #fileChanged() {
    this.#grow();
    if (this.files.isBusy) return;
    const isDue = this.#isWaiting && this.files.attachment;
    this.#isWaiting = false;
    if (isDue) this.#sendNew();
  }

  #sendNew() {
    const problem = this.onSend(this.written);
    if (!problem) this.clear();
    setNote(byId("composer-error"), problem);
  }

  #sendEdit(text) {
    if (!text) return;
    const { message } = this.#about;
    act(byId("send"), into(byId("composer-error")), async () => {
      if (text !== message.content) await this.onEdit(message, text);
      if (this.#about?.message === message) this.#cancel();
    }).finally(() => { byId("send").disabled = !this.#isReady; });
  }

  #cancel() {
    if (this.#about?.kind === "edit") this.text.value = this.#drafts.get(this.#conversationId) ?? "";
    this.#setAbout(null);
    this.#grow();
    this.focus();
  }

  #setAbout(about, label = "") {
    this.#about = about;
    byId("about").hidden = !about;
    byId("about-text").textContent = label;
  }

  get #isReady() {
    return Boolean(this.text.value.trim() || this.files.isBusy || this.files.attachment);
  }

  #grow() {
    setNote(byId("composer-error"), "");
    byId("send").disabled = !this.#isReady;
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
  }
}
