import { byId, el } from "./dom.js";
import { sentenceOf } from "./form.js";

/** Says in a place of the page what could not be loaded, with a button to try again. */
export class Problem {
  /**
   * @param {string} id Of the place, an empty paragraph.
   * @param {() => void} retry
   */
  constructor(id, retry) {
    this.place = byId(id);
    this.text = el("span");
    this.button = el("button", { type: "button", class: "link" }, "Try again");
    this.button.addEventListener("click", retry);
    this.place.replaceChildren(this.text, " ", this.button);
  }

  /** @param {Error | null} error What is not there (404) does not come by trying again. */
  show(error) {
    this.place.hidden = !error;
    this.text.textContent = error ? sentenceOf(error) : "";
    this.button.hidden = error?.status === 404;
  }
}
