import { avatar, faceOf } from "./avatar.js";
import { byId, el } from "./dom.js";
import { nameOf } from "./format.js";
import { ALL } from "./mentions.js";

const MOST = 6;
const BEGUN = /(?:^|[^\p{L}\p{N}])@([\p{L}\p{N}_.-]{0,32})$/u;
const MOVES = ["ArrowLeft", "ArrowRight", "Home", "End"];

/**
 * Offers whom to mention while `@` and a name are written: arrows move, Enter and Tab take, Escape
 * closes. The focus stays in the text.
 */
export class MentionList {
  #offered = [];
  #at = 0;

  /** @param {() => {people: object[], mayCallAll: boolean}} known Who can be called at this moment. */
  constructor(known) {
    this.known = known;
    this.text = byId("text");
    this.root = byId("called");
    this.text.addEventListener("input", () => this.offer());
    this.text.addEventListener("click", () => this.offer());
    this.text.addEventListener("blur", () => this.close());
    this.root.addEventListener("pointerdown", (event) => event.preventDefault()); // the focus stays
    this.root.addEventListener("click", ({ target }) => {
      const place = [...this.root.children].indexOf(target.closest("[role=option]"));
      if (place >= 0) this.#take(this.#offered[place]);
    });
  }

  close() {
    this.#offered = [];
    this.#draw();
  }

  /** Takes a key that is meant for the list; false leaves it to others. */
  pressed(event) {
    if (this.#offered.length === 0 || event.isComposing) return false;
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    if (step) this.#move(step);
    else if (event.key === "Escape") this.close();
    else if ((event.key === "Enter" && !event.shiftKey) || event.key === "Tab") this.#take(this.#offered[this.#at]);
    else {
      if (MOVES.includes(event.key)) this.close(); // what is written is elsewhere now
      return false;
    }
    event.preventDefault();
    return true;
  }

  /** Offers what fits now; again when more people are known. */
  offer() {
    if (document.activeElement !== this.text) return;
    const { value, selectionStart: caret } = this.text;
    const [, begun] = BEGUN.exec(value.slice(0, caret)) ?? [];
    this.#at = 0;
    this.#offered = begun === undefined ? [] : offersOf(this.known(), begun);
    this.#draw();
  }

  #move(step) {
    const { length } = this.#offered;
    this.#at = (this.#at + step + length) % length;
    this.#draw();
  }

  #take({ name }) {
    const { value, selectionStart: caret } = this.text;
    const start = value.lastIndexOf("@", caret - 1);
    this.text.setRangeText(`@${name} `, start, caret, "end");
    this.text.dispatchEvent(new Event("input", { bubbles: true })); // which closes the list, too
  }

  #draw() {
    const { length } = this.#offered;
    this.root.hidden = length === 0;
    this.root.replaceChildren(...this.#offered.map((offer, place) => option(offer, place, place === this.#at)));
    byId("called-note").textContent = length > 0 ? `${length} to mention: arrows move, Enter takes.` : "";
    if (length === 0) this.text.removeAttribute("aria-activedescendant");
    else this.text.setAttribute("aria-activedescendant", `called-${this.#at}`);
    this.root.children[this.#at]?.scrollIntoView({ block: "nearest" });
  }
}

/** What is offered for the beginning of a name: `name` is what to write. */
export function offersOf({ people, mayCallAll }, begun) {
  const wanted = begun.toLocaleLowerCase();
  const begins = (text) => text.toLocaleLowerCase().split(/\s+/).some((word) => word.startsWith(wanted));
  const nicknames = people.map(({ nickname }) => nickname);
  const isShared = ({ nickname }) => nicknames.filter((one) => one === nickname).length > 1;
  const found = people.filter((user) => begins(`${nameOf(user)} ${user.nickname ?? ""} ${user.username}`))
    .map((user) => ({ user, label: nameOf(user), name: isShared(user) ? user.username : user.nickname || user.username }));
  const everybody = mayCallAll && ALL.startsWith(wanted) ? [{ user: null, label: "all", name: ALL }] : [];
  return [...everybody, ...found].slice(0, MOST);
}

function option({ user, label }, place, isChosen) {
  const attributes = { id: `called-${place}`, role: "option", class: "entry", "aria-selected": String(isChosen) };
  return el("li", attributes, user ? avatar(faceOf(user, label)) : avatar({ id: ALL, name: "@" }),
    el("span", { class: "title", dir: "auto" }, label),
    el("span", { class: "preview" }, user ? `@${user.username}` : "Everybody in the group"));
}
