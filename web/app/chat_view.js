import { byId } from "./dom.js";
import { titleOf } from "./format.js";
import { LogView } from "./log_view.js";
import { rowsOf } from "./message_rows.js";

const MOST_PAGES = 40; // to look through for a message

/** The open conversation: its head, its log, and what has been seen of it. */
export class ChatView {
  #conversation = null;
  #timeline = null;
  #unreadAfter = null;
  #problem = "";
  #problems = new Map(); // of single messages, by seq
  #scheduled = false;
  #isArriving = false; // until the first unread message is in view, nothing counts as seen

  /**
   * @param {object} context
   * @param {(id: string) => object} context.personOf
   * @param {(message: object) => string} context.statusOf
   * @param {(conversation: object) => void} context.onSeen The end of the log is in view.
   * @param {import("./chat_head.js").ChatHead} context.head
   * @param {(act: string, row: object, button: HTMLElement) => void} context.onAct
   * @param {(row: object) => Promise<string>} context.linkOf
   */
  constructor({ myId, personOf, statusOf, onSeen, head, onAct, linkOf }) {
    Object.assign(this, { myId, personOf, statusOf, onSeen, head });
    this.log = new LogView({ onAct, linkOf, onNearStart: () => this.#nearStart(), onMoved: () => this.noticeSeen() });
    byId("history-retry").addEventListener("click", () => this.#loadEarlier());
  }

  get conversationId() {
    return this.#conversation?.id ?? null;
  }

  get conversation() {
    return this.#conversation;
  }

  messageOf(seq) {
    return this.#timeline?.get(seq);
  }

  /** Says beside a message what went wrong with it. */
  setProblem(seq, text) {
    this.#problems.set(seq, text);
    this.render();
  }

  /** Goes to a message, loading what is before; says so when that is too far. */
  async jumpTo(seq) {
    const timeline = this.#timeline;
    for (let page = 0; page < MOST_PAGES && !timeline.get(seq) && !timeline.isComplete; page += 1) {
      await this.#loadEarlier();
      if (timeline !== this.#timeline || this.#problem) return;
    }
    this.#draw();
    if (!this.log.scrollToSeq(seq)) this.#problem = "This message is further back than can be shown at once.";
  }

  async show(conversation, timeline) {
    const isNew = conversation.unread_count > 0;
    this.#conversation = conversation;
    this.#timeline = timeline;
    this.#unreadAfter = isNew ? conversation.read_seq : null;
    this.#problem = "";
    this.#problems.clear();
    this.#isArriving = true;
    this.log.clear();
    this.head.render(this.#conversation);
    this.#draw();
    if (!timeline.isLoaded) await this.#loadEarlier();
    if (this.conversationId !== conversation.id) return;
    this.#isArriving = false;
    if (isNew) this.log.scrollToNew();
    this.noticeSeen();
  }

  hide() {
    this.#conversation = null;
    this.#timeline = null;
  }

  /** Shows what has changed, with the next frame. */
  render() {
    if (this.#scheduled) return;
    this.#scheduled = true;
    requestAnimationFrame(() => {
      this.#scheduled = false;
      if (!this.#conversation) return;
      this.head.render(this.#conversation);
      this.#draw();
    });
  }

  /** I have written: what was new is not new any more. */
  answered() {
    this.#unreadAfter = null;
    this.#draw();
    this.log.scrollToEnd();
  }

  /** Says so when the newest message is in view of somebody who looks. */
  noticeSeen() {
    const isLooking = document.visibilityState === "visible" && document.hasFocus();
    if (this.#timeline?.isLoaded && !this.#isArriving && isLooking && this.log.isAtEnd) this.onSeen(this.#conversation);
  }

  #draw() {
    const timeline = this.#timeline;
    if (this.log.isAtEnd) timeline.trim();
    const rows = timeline.isLoaded ? rowsOf(timeline.entries(), {
      myId: this.myId, unreadAfter: this.#unreadAfter, isDirect: this.#conversation.type === "direct",
      personOf: this.personOf, statusOf: this.statusOf, messageOf: (seq) => timeline.get(seq),
      problemOf: (seq) => this.#problems.get(seq),
    }) : [];
    this.log.render(rows, { note: this.#note(), isBusy: timeline.isLoading });
  }

  #note() {
    byId("history-retry").hidden = !this.#problem;
    if (this.#problem) return this.#problem;
    const whose = this.#conversation.type === "direct" ? "your conversation with " : "";
    if (this.#timeline.isComplete) return `The beginning of ${whose}${titleOf(this.#conversation)}`;
    return this.#timeline.isLoading ? "Loading messages…" : "";
  }

  #nearStart() {
    if (!this.#problem) this.#loadEarlier(); // after a problem, only when asked
  }

  async #loadEarlier() {
    const timeline = this.#timeline;
    if (!timeline || timeline.isComplete) return;
    if (timeline.isLoading) {
      await timeline.loadEarlier().catch(() => {}); // whoever asked first shows what comes of it
      return;
    }
    this.#problem = "";
    const loading = timeline.loadEarlier();
    this.#drawIfShown(timeline);
    try {
      await loading;
    } catch (error) {
      this.#problem = `The messages could not be loaded: ${error.message}`;
    }
    this.#drawIfShown(timeline);
  }

  #drawIfShown(timeline) {
    if (timeline === this.#timeline) this.#draw();
  }
}
