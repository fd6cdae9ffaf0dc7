import { byId } from "./dom.js";
import { act, into } from "./form.js";
import { mayPin } from "./message_menu.js";
import { briefOf } from "./message_rows.js";

/** The bar with the newest pinned message of the open conversation. */
export class Pinned {
  #id = null;
  #pins = [];

  /**
   * @param {object} ports
   * @param {import("../sdk/messages.js").Messages} ports.api
   * @param {{myId: string, personOf: (id: string) => object}} ports.context
   * @param {(seq: number) => void} ports.onJump
   */
  constructor({ api, context, onJump }) {
    Object.assign(this, { api, context });
    byId("pinned-jump").addEventListener("click", () => onJump(this.#pins[0].seq));
    const unpin = byId("pinned-remove");
    unpin.addEventListener("click", () => act(unpin, into(byId("chat-error")), async () => {
      await api.unpin(this.#id, this.#pins[0].seq);
      await this.load(this.#id);
    }));
  }

  has(seq) {
    return this.#pins.some((pin) => pin.seq === seq);
  }

  /** @param {object | null} conversation */
  async show(conversation) {
    const id = conversation?.id ?? null;
    if (id !== this.#id) this.#pins = [];
    this.#id = id;
    byId("pinned-remove").hidden = !conversation || !mayPin(conversation);
    this.#render();
    if (id) await this.load(id);
  }

  /** Reads the pins again, if this conversation is shown. */
  async load(id) {
    if (id !== this.#id) return;
    const pins = await this.api.pins(id).catch(() => null);
    if (!pins || id !== this.#id) return;
    this.#pins = pins.items;
    this.#render();
  }

  #render() {
    const [pin] = this.#pins;
    byId("pinned").hidden = !pin;
    const count = this.#pins.length > 1 ? ` (1 of ${this.#pins.length})` : "";
    byId("pinned-count").textContent = `Pinned message${count}: `;
    byId("pinned-text").textContent = pin ? briefOf(pin.message, this.context).slice(0, 200) : "";
  }
}
