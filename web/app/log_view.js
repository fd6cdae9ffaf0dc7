import { byId } from "./dom.js";
import { MessageList } from "./message_list.js";

const NEAR_END_PX = 80;
const NEAR_START_PX = 400;

/** The scrolling log: it stays at the end while there, else at what is being read. */
export class LogView {
  #atEnd = true;

  /**
   * @param {object} ports `onAct` and `linkOf` are the list's.
   * @param {() => void} ports.onNearStart
   * @param {() => void} ports.onMoved
   */
  constructor({ onNearStart, onMoved, onAct, linkOf }) {
    this.onNearStart = onNearStart;
    this.onMoved = onMoved;
    this.log = byId("log");
    this.note = byId("history-note");
    this.list = new MessageList(byId("messages"), { onAct, linkOf });
    this.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("jump").addEventListener("click", () => {
      this.scrollToEnd();
      byId("text").focus();
    });
    const resized = new ResizeObserver(() => this.#atEnd && this.scrollToEnd());
    [this.log, this.list.root].forEach((element) => resized.observe(element)); // pictures come late
  }

  get isAtEnd() {
    return this.#atEnd;
  }

  /** Another conversation: nothing of the last one stays. */
  clear() {
    this.list.clear();
    this.#atEnd = true;
  }

  /** Shows the rows without moving what is being read. */
  render(rows, { note, isBusy }) {
    const anchor = this.#atEnd ? null : this.#firstVisible();
    const before = anchor?.getBoundingClientRect().top;
    this.log.setAttribute("aria-busy", String(isBusy));
    this.note.textContent = note;
    this.list.render(rows);
    if (this.#atEnd) this.scrollToEnd();
    else if (anchor?.isConnected) this.log.scrollTop += anchor.getBoundingClientRect().top - before;
    this.#scrolled();
  }

  scrollToEnd() {
    this.log.scrollTop = this.log.scrollHeight;
    this.#scrolled();
  }

  /** Brings the line before what is new into view; false when there is none. */
  scrollToNew() {
    const line = this.log.querySelector(".line.new");
    line?.scrollIntoView({ block: "center" });
    this.#scrolled();
    return line !== null;
  }

  /** Brings a message into view and marks it for a moment; false when it is not here. */
  scrollToSeq(seq) {
    const element = this.list.root.querySelector(`[data-seq="${seq}"]`);
    if (!element) return false;
    this.#atEnd = false;
    element.scrollIntoView({ block: "center" });
    element.classList.remove("found");
    void element.offsetWidth; // so that the animation begins again
    element.classList.add("found");
    element.querySelector("[data-act=menu]")?.focus({ preventScroll: true });
    this.#scrolled();
    return true;
  }

  #firstVisible() {
    const top = this.log.getBoundingClientRect().top;
    return [...this.list.root.children].find((child) => child.getBoundingClientRect().bottom > top);
  }

  #scrolled() {
    const { scrollTop, scrollHeight, clientHeight } = this.log;
    this.#atEnd = scrollHeight - clientHeight - scrollTop < NEAR_END_PX;
    byId("jump").hidden = this.#atEnd;
    if (scrollTop < NEAR_START_PX) this.onNearStart();
    this.onMoved();
  }
}
