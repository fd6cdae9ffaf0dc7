import { titleOf } from "./format.js";
import { choiceOf } from "./search.js";

/** Forwarding a message: to which conversation. */
export class Forward {
  /**
   * @param {object} ports
   * @param {import("./search.js").Search} ports.search
   * @param {import("./conversations.js").Conversations} ports.conversations
   * @param {import("./sending.js").Sending} ports.sending
   */
  constructor(ports) {
    Object.assign(this, ports);
  }

  show(message) {
    this.search.show({
      title: "Forward to", label: "Find a conversation", offersAll: true,
      find: async (query) => this.#named(query),
      note: ({ length }, query) => (length > 0 ? "" : `No conversation is called “${query}”.`),
      draw: (row) => choiceOf(row, titleOf(row), row.user ? `@${row.user.username}` : ""),
      choose: ({ id }) => {
        this.sending.forward(id, message);
        location.hash = `#/c/${encodeURIComponent(id)}`; // there one sees what becomes of it
      },
    });
  }

  #named(query) {
    const wanted = query.toLocaleLowerCase();
    const names = (row) => [titleOf(row), row.user?.username ?? ""];
    return this.conversations.sorted().filter((row) => (
      names(row).some((name) => name.toLocaleLowerCase().includes(wanted))));
  }
}
