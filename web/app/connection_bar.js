import { byId } from "./dom.js";

const TEXTS = {
  offline: "Not connected", connecting: "Connecting…", waiting: "No connection", online: "Connected",
};
const FLICKER_MS = 700; // a connection that comes back at once is not worth a word

/** Says how the connection fares: quietly beside one's name, and in a bar when it is away. */
export class ConnectionBar {
  #now = { state: "offline" };
  #opening = null;
  #counting = null;

  constructor({ onRetry }) {
    this.bar = byId("connection");
    byId("connection-retry").addEventListener("click", onRetry);
  }

  /** @param {{state: string, retryAt?: number}} now */
  show(now) {
    this.#now = now;
    byId("my-state").textContent = TEXTS[now.state];
    byId("my-state").dataset.state = now.state;
    document.body.dataset.connection = now.state;
    if (now.state === "online") this.#close();
    else if (this.bar.hidden) this.#opening ??= setTimeout(() => this.#draw(), FLICKER_MS);
    else this.#draw();
  }

  #close() {
    clearTimeout(this.#opening);
    clearTimeout(this.#counting);
    this.#opening = null;
    this.bar.hidden = true;
  }

  #draw() {
    this.#opening = null;
    this.bar.hidden = false;
    byId("connection-text").textContent = TEXTS[this.#now.state];
    byId("connection-retry").hidden = this.#now.state !== "waiting";
    this.#countDown();
  }

  #countDown() {
    clearTimeout(this.#counting);
    const seconds = Math.ceil((this.#now.retryAt - Date.now()) / 1000);
    byId("connection-countdown").textContent = seconds > 0 ? `Next try in ${seconds} s.` : "";
    if (seconds > 0) this.#counting = setTimeout(() => this.#countDown(), 1000);
  }
}
