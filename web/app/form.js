import { byId, el, setNote } from "./dom.js";

/** What to tell people about an error: the server's own words, as a sentence. */
export function sentenceOf(error) {
  if (error.code === "rate_limited" && error.retryAfter) {
    return `Too many attempts. Please try again in ${Math.ceil(error.retryAfter)} seconds.`;
  }
  const [first = "", ...rest] = error.message;
  return `${first.toUpperCase()}${rest.join("")}${/[.!?…]$/.test(error.message) ? "" : "."}`;
}

/**
 * Runs what a button asks of the server. The button rests meanwhile and keeps the focus.
 * @param {(error: Error | null) => void} tell Gets what went wrong; null at the start.
 */
export async function act(button, tell, work) {
  tell(null);
  const hadFocus = document.activeElement === button;
  const heading = button.closest("section, nav")?.querySelector("[tabindex='-1']");
  button.disabled = true;
  try {
    await work();
  } catch (error) {
    if (!error.code) throw error; // a fault of this page
    tell(error);
  } finally {
    button.disabled = false;
    for (const place of [button, heading]) { // the button may be gone now
      if (hadFocus && document.activeElement === document.body) place?.focus();
    }
  }
}

/** For `act`: tells in this element. */
export const into = (note) => (error) => setNote(note, error && sentenceOf(error));

/** A form that keeps what was entered until it has succeeded, with errors beside their fields. */
export class Form {
  /**
   * @param {HTMLFormElement} form Has a submit button, perhaps a heading; each field stands in a `.field`.
   * @param {(values: Record<string, string>) => Promise<void>} submit
   * @param {string} [done] What to say of success, in the form's `.form-done`.
   */
  constructor(form, submit, done = "") {
    Object.assign(this, { form, submit, done });
    this.button = form.querySelector("[type=submit]");
    this.error = el("p", { class: "form-error", role: "alert", hidden: true });
    form.insertBefore(this.error, form.querySelector(":scope > h3")?.nextSibling ?? form.firstChild);
    this.fields.forEach(giveError);
    form.addEventListener("submit", (event) => {
      event.preventDefault();
      this.#send();
    });
    form.addEventListener("input", () => this.#setDone(""));
  }

  get fields() {
    return [...this.form.elements].filter(({ name }) => name);
  }

  /** Shows an error, and beside each field what is wrong with it. */
  showErrors(general = "", errors = []) {
    const byField = new Map(errors.map(({ field, message }) => [field, message]));
    const names = this.fields.map(({ name }) => name);
    const elsewhere = errors.filter(({ field }) => !names.includes(field));
    const isSaid = byField.size > elsewhere.length; // beside the field that it is about
    const details = elsewhere.map(({ field, message }) => `${field}: ${message}`);
    const text = [isSaid ? "" : general, ...details].filter(Boolean).join(" ");
    setNote(this.error, text);
    for (const field of this.fields) {
      const message = byField.get(field.name);
      setNote(byId(`${field.id}-error`), message);
      if (message) field.setAttribute("aria-invalid", "true");
      else field.removeAttribute("aria-invalid");
    }
    this.fields.find((field) => field.hasAttribute("aria-invalid"))?.focus();
  }

  reset() {
    this.form.reset();
    this.showErrors();
    this.#setDone("");
  }

  async #send() {
    const missing = this.fields.filter(({ required, value }) => required && !value.trim());
    this.#setDone("");
    this.showErrors("", missing.map(({ name }) => ({ field: name, message: "This is needed." })));
    if (missing.length > 0) return;
    await act(this.button, (error) => error && this.showErrors(sentenceOf(error), error.errors), async () => {
      await this.submit(Object.fromEntries(new FormData(this.form)));
      this.#setDone(this.done);
    });
  }

  #setDone(text) {
    const note = this.form.querySelector(".form-done");
    if (note) setNote(note, text);
  }
}

/** A place under the field for what is wrong with it. */
function giveError(field) {
  const id = `${field.id}-error`;
  field.setAttribute("aria-describedby", id);
  field.closest(".field").append(el("p", { id, class: "field-error", hidden: true }));
}
