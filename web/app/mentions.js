import { callNames } from "./message_rows.js";

const ALL = "all";
const MOST = 50; // the server takes no more

/** Whom a text calls by `@name`, in groups. */
export class Mentions {
  #members = new Map();

  /** @param {import("../sdk/groups.js").Groups} api */
  constructor(api) {
    this.api = api;
  }

  /** Reads who can be called: the first hundred members. */
  async load({ id, type }) {
    if (type !== "group" || id === "world") return;
    const page = await this.api.members(id, { limit: 100 }).catch(() => null); // then nobody is called
    if (page) this.#members.set(id, page.items.map(({ user }) => user).filter(Boolean));
  }

  /** The ids of who is called, or `["all"]`. */
  in(id, text) {
    if (!this.#members.has(id)) return [];
    const isCalled = (name) => new RegExp(`(^|[^\\p{L}\\p{N}])@${escaped(name)}(?![\\p{L}\\p{N}_])`, "iu").test(text);
    if (isCalled(ALL)) return [ALL];
    const called = this.#members.get(id).filter((user) => callNames(user).some(isCalled));
    return called.map((user) => user.id).slice(0, MOST);
  }
}

const escaped = (name) => name.replace(/[.*+?^${}()|[\]\\/-]/g, "\\$&");
