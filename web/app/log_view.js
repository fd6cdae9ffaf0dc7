import { byId } from "./dom.js";
import { MessageList } from "./message_list.js";

const NEAR_END_PX = 80;
const NEAR_START_PX = 400;

/** The scrolling log: it stays at the end while there, else at what is being read. */
export class LogView {
  #atEnd = true;

  /** @param {{onNearStart: () => void, onMoved: () => void, onRetry: (id: string) => void}} ports */
  constructor({ onNearStart, onMoved, onRetry }) {
    this.onNearStart = onNearStart;
    this.onMoved = onMoved;
    this.log = byId("log");
    this.note = byId("history-note");
    this.list = new MessageList(byId("messages"), onRetry);
    this.log.addEventListener("scroll", () => this.#scrolled(), { passive: true });
    byId("jump").addEventListener("click", () => {
      this.scrollToEnd();
      byId("text").focus();
    });
    new ResizeObserver(() => this.#atEnd && this.scrollToEnd()).observe(this.log);
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
