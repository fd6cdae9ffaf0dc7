import { byId } from "./dom.js";

/** What an address names: `#/friends` a section of the side bar, `#/c/<id>` something beside it. */
export function placeOf(hash) {
  const [, page, id] = /^#\/([a-z]+)(?:\/(.+))?$/.exec(hash) ?? [];
  try {
    return { page: page ?? "chats", id: id && decodeURIComponent(id) };
  } catch {
    return { page: "chats", id: undefined };
  }
}

/**
 * Shows what the address names, so that links, the keyboard and Back work by themselves. The side
 * bar shows one of its sections, the page beside it one of its panes.
 */
export class Navigation {
  #shown = null;
  #origin = "#/";

  /**
   * @param {Record<string, object>} places By the first word of the address: `section`, the side
   *   bar's, else it stays; `pane`, the id of what is beside it; `find(id)`, what to show there, or
   *   nothing; `show(found)`; `hide()`; `isAside`: its Back leads to where one came from.
   */
  constructor(places) {
    this.places = places;
    addEventListener("hashchange", () => this.go());
  }

  /** Whether there is something beside the side bar. */
  get isShowing() {
    return this.#shown !== null;
  }

  async go() {
    const { hash } = location;
    const { page, id } = placeOf(hash);
    const place = this.places[page] ?? this.places.chats;
    const found = await place.find?.(id);
    if (location.hash !== hash) return; // somebody went on meanwhile
    const left = this.#shown;
    this.#shown = found ? place : null;
    showPane(found ? place.pane : null);
    if (place.section) showSection(place.section);
    this.#setBack(place, hash);
    if (left && left !== this.#shown) left.hide?.();
    if (found) await place.show(found);
  }

  #setBack({ pane, isAside }, hash) {
    if (pane && isAside) byId(pane).querySelector(".back").href = this.#origin;
    else this.#origin = hash || "#/";
  }
}

function showPane(shown = null) {
  byId("app").dataset.view = shown ? "pane" : "list";
  for (const pane of byId("panes").children) pane.hidden = pane.id !== (shown ?? "nothing-open");
}

function showSection(name) {
  for (const link of byId("sections").querySelectorAll("a")) {
    const isCurrent = link.dataset.section === name;
    if (isCurrent) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
    byId(`section-${link.dataset.section}`).hidden = !isCurrent;
  }
}
