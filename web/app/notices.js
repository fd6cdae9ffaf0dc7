import { byId, el, icon } from "./dom.js";

/** What operators tell everybody, until it is dismissed. */
export class Notices {
  #seen = new Set();

  /** Shows a notice; one that comes twice, once. */
  show({ id, content }) {
    if (this.#seen.has(id)) return;
    this.#seen.add(id);
    const label = "Dismiss this notice";
    const close = el("button", { type: "button", class: "icon-button", "aria-label": label }, icon("close"));
    const notice = el("div", { class: "banner" }, el("p", { dir: "auto" }, content), close);
    close.addEventListener("click", () => notice.remove());
    byId("notices").append(notice);
  }
}
