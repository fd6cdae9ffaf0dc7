import { callNames } from "./message_rows.js";

export const ALL = "all";
const MOST = 50; // the server takes no more

/** Whom a text may call by `@name`: members of a group, in the world room who has written there. */
export class Mentions {
  #members = new Map();

  /**
   * @param {object} ports
   * @param {import("../sdk/groups.js").Groups} ports.api
   * @param {string} ports.myId
   * @param {(conversationId: string) => object[]} ports.authorsOf Who wrote what is loaded.
   */
  constructor({ api, myId, authorsOf }) {
    Object.assign(this, { api, myId, authorsOf });
  }

  /** Reads who can be called: the first hundred members. */
  async load({ id, type }) {
    if (type !== "group" || id === "world") return;
    const page = await this.api.members(id, { limit: 100 }).catch(() => null); // then nobody is called
    if (page) this.#members.set(id, page.items.map(({ user }) => user).filter(Boolean));
  }

  /** Who can be called there, but me. */
  people({ id }) {
    const all = id === "world" ? this.authorsOf(id) : this.#members.get(id) ?? [];
    return all.filter((user) => user.id !== this.myId && user.username);
  }

  /** Whether I may call everybody; whoever may not writes `@all` as any other word. */
  mayCallAll({ id, group }) {
    return id !== "world" && ["owner", "admin"].includes(group?.role);
  }

  /** The ids of who is called, or `["all"]`. */
  in(conversation, text) {
    const ids = new Map(); // by name
    for (const user of this.people(conversation)) {
      for (const name of callNames(user)) ids.set(lower(name), [...ids.get(lower(name)) ?? [], user.id]);
    }
    if (this.mayCallAll(conversation)) ids.set(ALL, [ALL]);
    const longest = [...ids.keys()].sort((one, other) => other.length - one.length);
    const called = [...text.matchAll(/(?<![\p{L}\p{N}])@/gu)].flatMap(({ index }) => {
      const rest = lower(text.slice(index + 1));
      return ids.get(longest.find((name) => isThere(name, rest))) ?? [];
    });
    return called.includes(ALL) ? [ALL] : [...new Set(called)].slice(0, MOST);
  }
}

const lower = (text) => text.toLowerCase();
const isThere = (name, text) => text.startsWith(name) && !/^[\p{L}\p{N}_]/u.test(text.slice(name.length));
