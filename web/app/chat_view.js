import { avatar, byId, faceOf } from "./dom.js";
import { titleOf } from "./format.js";
import { LogView } from "./log_view.js";
import { rowsOf } from "./message_list.js";

/** The open conversation: its head, its log, and what has been seen of it. */
export class ChatView {
  #conversation = null;
  #timeline = null;
  #unreadAfter = null;
  #problem = "";
  #scheduled = false;
  #isArriving = false; // until the first unread message is in view, nothing counts as seen

  /**
   * @param {object} context
   * @param {(id: string) => object} context.personOf
   * @param {(message: object) => string} context.statusOf
   * @param {(conversation: object) => void} context.onSeen The end of the log is in view.
   */
  constructor({ myId, personOf, statusOf, onSeen, onRetry }) {
    Object.assign(this, { myId, personOf, statusOf, onSeen });
    this.log = new LogView({ onRetry, onNearStart: () => this.#nearStart(), onMoved: () => this.noticeSeen() });
    byId("history-retry").addEventListener("click", () => this.#loadEarlier());
  }

  get conversationId() {
    return this.#conversation?.id ?? null;
  }

  async show(conversation, timeline) {
    const isNew = conversation.unread_count > 0;
    this.#conversation = conversation;
    this.#timeline = timeline;
    this.#unreadAfter = isNew ? conversation.read_seq : null;
    this.#problem = "";
    this.#isArriving = true;
    this.log.clear();
    this.#drawHead();
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
      this.#drawHead();
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

  #drawHead() {
    const { id, type, user } = this.#conversation;
    const name = titleOf(this.#conversation);
    const subtitles = { direct: user && `@${user.username}`, world: "Everybody is here" };
    byId("chat-title").textContent = name;
    byId("chat-subtitle").textContent = subtitles[id === "world" ? "world" : type] ?? "Group";
    byId("chat-avatar").replaceChildren(avatar(faceOf(this.#conversation, name)));
    if (user) byId("chat-person").href = `#/u/${encodeURIComponent(user.id)}`;
    else byId("chat-person").removeAttribute("href");
  }

  #draw() {
    const timeline = this.#timeline;
    if (this.log.isAtEnd) timeline.trim();
    const rows = timeline.isLoaded ? rowsOf(timeline.entries(), {
      myId: this.myId, unreadAfter: this.#unreadAfter, isDirect: this.#conversation.type === "direct",
      personOf: this.personOf, statusOf: this.statusOf,
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
