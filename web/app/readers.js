import { byId, el, setNote } from "./dom.js";
import { sentenceOf } from "./form.js";
import { nameOf } from "./format.js";

const PARTS = [["read", "Read by"], ["delivered", "Delivered to"], [null, "Not delivered yet"]];

/** The dialog that says who has got and who has read a message. */
export class Readers {
  /** @param {{api: import("../sdk/messages.js").Messages, personOf: (id: string) => object}} ports */
  constructor({ api, personOf }) {
    Object.assign(this, { api, personOf });
    byId("readers-close").addEventListener("click", () => byId("readers").close());
  }

  async show(id, seq) {
    byId("readers-list").replaceChildren();
    setNote(byId("readers-note"), "Asking…");
    byId("readers").showModal();
    try {
      const { items, next_cursor: more } = await this.api.receipts(id, { seq, limit: 100 });
      const parts = PARTS.map(([status, label]) => [label, items.filter((one) => (one.status ?? null) === status)]);
      byId("readers-list").replaceChildren(...parts.filter(([, all]) => all.length > 0).map(([label, all]) => (
        el("li", {}, el("strong", {}, `${label}: `), all.map((one) => nameOf(this.personOf(one.user_id))).join(", ")))));
      setNote(byId("readers-note"), more ? "These are the first hundred." : items.length === 0 ? "Nobody else is here." : "");
    } catch (error) {
      setNote(byId("readers-note"), sentenceOf(error));
    }
  }
}
