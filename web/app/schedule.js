import { byId, el, hiddenText, setNote } from "./dom.js";
import { act, Form, into, sentenceOf } from "./form.js";
import { dayOf, textOf, timeOf, titleOf } from "./format.js";
import { KeyedList } from "./keyed_list.js";

const HOUR_MS = 3_600_000;

/** The dialog for what is sent later: a time for what stands in the composer, and all that waits. */
export class Schedule {
  #written = null;

  /**
   * @param {object} ports
   * @param {import("../sdk/messages.js").Messages} ports.api
   * @param {import("./conversations.js").Conversations} ports.conversations
   * @param {() => void} ports.onScheduled The composer's text is taken.
   */
  constructor({ api, conversations, onScheduled }) {
    Object.assign(this, { api, conversations, onScheduled });
    this.dialog = byId("schedule");
    this.form = new Form(byId("schedule-form"), (values) => this.#schedule(values));
    this.list = new KeyedList(byId("scheduled"), (item, facts) => this.#draw(item, facts));
  }

  /** @param {{conversationId: string, content: string} | null} written What could be sent later. */
  async show(written) {
    this.#offer(written);
    setNote(byId("scheduled-note"), "Loading…");
    this.list.render([]);
    this.dialog.showModal();
    byId(written ? "schedule-at" : "schedule-title").focus();
    await this.load();
  }

  /** Reads what waits, if it is looked at. */
  async load() {
    if (!this.dialog.open) return;
    try {
      const { items } = await this.api.scheduled({ limit: 100 });
      setNote(byId("scheduled-note"), items.length === 0 && "No messages wait to be sent.");
      this.list.render(items.map((one) => this.#facts(one)));
    } catch (error) {
      setNote(byId("scheduled-note"), sentenceOf(error));
    }
  }

  #offer(written) {
    this.#written = written;
    this.form.reset();
    this.form.form.hidden = !written;
    byId("schedule-title").textContent = written ? "Send later" : "Scheduled messages";
    if (!written) return;
    byId("schedule-text").textContent = textOf({ ...written, type: written.content_type }).slice(0, 200);
    byId("schedule-at").min = localTime(Date.now());
    byId("schedule-at").value = localTime(Date.now() + HOUR_MS);
  }

  async #schedule({ deliver_at: at }) {
    await this.api.schedule({ ...this.#written, deliverAt: new Date(at).toISOString() });
    this.onScheduled();
    this.#offer(null);
    byId("schedule-title").focus();
    await this.load();
  }

  #facts({ id, conversation_id: conversationId, deliver_at: at, content = "", attachment, content_type: type, error }) {
    const row = this.conversations.get(conversationId);
    return {
      id, title: row ? titleOf(row) : "A conversation",
      text: textOf({ content, attachment, type }).slice(0, 200) || "Forwarded message",
      when: error ? `Not sent: ${error.message}` : `${dayOf(at)}, ${timeOf(at)}`, isFailed: Boolean(error),
    };
  }

  #draw(item, { id, title, text, when, isFailed }) {
    const note = el("p", { class: "field-error", role: "alert", hidden: true });
    const button = el("button", { type: "button", class: "secondary" }, isFailed ? "Forget" : "Cancel",
      hiddenText(` the message to ${title}`));
    button.addEventListener("click", () => act(button, into(note), async () => {
      await this.api.cancelScheduled(id);
      await this.load();
      byId("schedule-title").focus();
    }));
    item.replaceChildren(
      el("div", { class: "device" }, el("span", { class: "title", dir: "auto" }, text),
        el("span", { class: isFailed ? "failure" : "preview", dir: "auto" }, `${title} · ${when}`)), button, note);
  }
}

/** A time as the browser's field wants it: of here, to the minute. */
export function localTime(time) {
  const offset = new Date(time).getTimezoneOffset() * 60_000;
  return new Date(time - offset).toISOString().slice(0, 16);
}
