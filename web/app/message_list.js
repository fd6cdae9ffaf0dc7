import { el } from "./dom.js";
import { drawRow } from "./message_view.js";

/** Keeps the elements of the log in step with its rows, touching only what changed. */
export class MessageList {
  #shown = new Map();

  /**
   * @param {HTMLElement} root
   * @param {object} ports
   * @param {(act: string, row: object, button: HTMLElement) => void} ports.onAct What was pressed.
   * @param {(row: object) => Promise<string>} ports.linkOf Where an attachment is.
   */
  constructor(root, { onAct, linkOf }) {
    Object.assign(this, { root, linkOf });
    root.addEventListener("click", ({ target }) => {
      const button = target.closest("[data-act]");
      if (button) onAct(button.dataset.act, this.#rowOf(button), button);
    });
  }

  clear() {
    this.#shown.clear();
    this.root.replaceChildren();
  }

  render(rows) {
    const keys = new Set(rows.map(({ key }) => key));
    for (const [key, { element }] of this.#shown) {
      if (keys.has(key)) continue;
      element.remove();
      this.#shown.delete(key);
    }
    let place = this.root.firstChild;
    for (const row of rows) {
      const element = this.#elementOf(row);
      if (element === place) place = place.nextSibling;
      else this.root.insertBefore(element, place);
    }
  }

  #rowOf(button) {
    const element = button.closest(".message");
    return [...this.#shown.values()].find((shown) => shown.element === element).row;
  }

  #elementOf(row) {
    const version = JSON.stringify(row);
    const shown = this.#shown.get(row.key) ?? { element: el("div"), version: "" };
    if (shown.version !== version) this.#draw(shown.element, row);
    this.#shown.set(row.key, { element: shown.element, version, row });
    return shown.element;
  }

  #draw(element, row) {
    const pressed = element.contains(document.activeElement) ? actOf(document.activeElement) : null;
    drawRow(element, row, { linkOf: this.linkOf });
    if (pressed) [...element.querySelectorAll("[data-act]")].find((one) => actOf(one) === pressed)?.focus();
  }
}

const actOf = ({ dataset: { act, emoji = "" } }) => `${act} ${emoji}`;
