import { byId, el } from "./dom.js";

/** A menu beside a button: perhaps a few emoji, then what else can be done; arrows move, Escape closes. */
export class Menu {
  #opener = null;
  #onChoose = null;

  constructor() {
    this.root = byId("app").appendChild(el("div", { class: "menu", role: "menu", popover: "auto" }));
    this.root.addEventListener("click", ({ target }) => this.#chosen(target.closest("[role=menuitem]")));
    this.root.addEventListener("keydown", (event) => this.#move(event));
    this.root.addEventListener("toggle", ({ newState }) => {
      if (newState === "closed" && this.root.contains(document.activeElement)) this.#opener?.focus();
      if (newState === "closed") this.#opener?.removeAttribute("aria-expanded");
    });
  }

  /**
   * @param {HTMLElement} opener
   * @param {[string, string][]} choices Names of actions with their labels.
   * @param {object} options
   * @param {string[]} [options.emoji]
   * @param {(action: string, emoji?: string) => void} options.onChoose
   */
  open(opener, choices, { emoji = [], onChoose }) {
    this.#opener = opener;
    this.#onChoose = onChoose;
    const faces = emoji.map((one) => item("react", one, { "data-emoji": one, "aria-label": `React with ${one}` }));
    this.root.replaceChildren(
      ...(emoji.length > 0 ? [el("div", { class: "emoji", role: "none" }, ...faces)] : []),
      ...choices.map(([name, label]) => item(name, label)));
    opener.setAttribute("aria-expanded", "true");
    this.root.showPopover();
    this.#place(opener.getBoundingClientRect());
    this.#items[0]?.focus();
  }

  get #items() {
    return [...this.root.querySelectorAll("[role=menuitem]")];
  }

  #place({ left, right, top, bottom }) {
    const { offsetWidth: width, offsetHeight: height, style } = this.root;
    const isLow = bottom + height > innerHeight - 8;
    style.left = `${Math.max(8, Math.min(left + width > innerWidth - 8 ? right - width : left, innerWidth - width - 8))}px`;
    style.top = `${Math.max(8, isLow ? top - height - 4 : bottom + 4)}px`;
  }

  #chosen(button) {
    if (!button) return;
    this.root.hidePopover();
    this.#onChoose(button.dataset.choice, button.dataset.emoji);
  }

  #move(event) {
    const step = { ArrowDown: 1, ArrowRight: 1, ArrowUp: -1, ArrowLeft: -1 }[event.key];
    if (event.key === "Tab") this.root.hidePopover();
    if (!step) return;
    event.preventDefault();
    const items = this.#items;
    items.at((items.indexOf(document.activeElement) + step) % items.length).focus();
  }
}

function item(choice, label, more = {}) {
  return el("button", { type: "button", role: "menuitem", tabindex: "-1", "data-choice": choice, ...more }, label);
}
