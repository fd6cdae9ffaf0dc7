import { el } from "./dom.js";

/** A list whose entries are drawn again only when what they show has changed. */
export class KeyedList {
  #shown = new Map();

  /**
   * @param {HTMLElement} root
   * @param {(item: HTMLLIElement, facts: {id: string}) => void} draw
   */
  constructor(root, draw) {
    this.root = root;
    this.draw = draw;
  }

  /** @param {{id: string}[]} all What each entry shows: plain values. */
  render(all) {
    const items = all.map((facts) => this.#item(facts));
    const ids = new Set(all.map(({ id }) => id));
    for (const id of this.#shown.keys()) if (!ids.has(id)) this.#shown.delete(id);
    const { children } = this.root;
    if (items.length === children.length && items.every((item, index) => item === children[index])) return;
    const focused = document.activeElement;
    this.root.replaceChildren(...items);
    if (this.root.contains(focused)) focused.focus(); // moving an element takes its focus away
  }

  #item(facts) {
    const version = JSON.stringify(facts);
    const shown = this.#shown.get(facts.id) ?? { item: el("li"), version: "" };
    if (shown.version !== version) this.draw(shown.item, facts);
    this.#shown.set(facts.id, { item: shown.item, version });
    return shown.item;
  }
}
