import { byId, setNote } from "./dom.js";

/** Where messages are written: Enter sends, Shift and Enter make a new line. */
export class Composer {
  #drafts = new Map();
  #conversationId = null;

  /** @param {{onSend: (text: string) => string | null}} ports Returns why it cannot be sent. */
  constructor({ onSend }) {
    this.onSend = onSend;
    this.text = byId("text");
    this.text.addEventListener("input", () => this.#grow());
    this.text.addEventListener("keydown", (event) => {
      // During composition (Chinese, Japanese, …) Enter takes over a word.
      if (event.key !== "Enter" || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      this.#send();
    });
    byId("composer").addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
  }

  /** Changes over to a conversation, with what was begun there. */
  show(conversationId, placeholder) {
    this.#drafts.set(this.#conversationId, this.text.value);
    this.#conversationId = conversationId;
    this.text.value = this.#drafts.get(conversationId) ?? "";
    this.text.placeholder = placeholder;
    this.#grow();
  }

  focus() {
    this.text.focus({ preventScroll: true });
  }

  #send() {
    const text = this.text.value.trim();
    this.text.focus({ preventScroll: true });
    if (!text) return;
    const problem = this.onSend(text);
    if (!problem) this.text.value = "";
    this.#grow();
    setNote(byId("composer-error"), problem);
  }

  #grow() {
    setNote(byId("composer-error"), "");
    byId("send").disabled = this.text.value.trim() === "";
    this.text.style.height = "auto";
    this.text.style.height = `${this.text.scrollHeight}px`;
  }
}
