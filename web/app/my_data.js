import { confirmed } from "./confirm.js";
import { byId, setNote } from "./dom.js";
import { act, into } from "./form.js";
import { dayOf, timeOf } from "./format.js";

/** The part of one's account for taking one's data along, and for leaving. */
export class MyData {
  #isWaiting = false;

  /** @param {import("../sdk/lambchat.js").Lambchat} client */
  constructor(client) {
    this.client = client;
    const tell = into(byId("data-error"));
    byId("export-data").addEventListener("click", () => act(byId("export-data"), tell, () => this.#export()));
    byId("delete-account").addEventListener("click", () => act(byId("delete-account"), tell, () => this.#delete()));
  }

  /** The server says that an export is ready. */
  exported() {
    if (this.#isWaiting) act(byId("export-data"), into(byId("data-error")), () => this.#export());
  }

  async #export() {
    this.#isWaiting = true; // from now on: it may be ready before this answer is here
    const { status, url, expires_at: until } = await this.client.people.exportData();
    this.#isWaiting = status === "running";
    const goodUntil = until && `The link is good until ${dayOf(until).toLowerCase()}, ${timeOf(until)}.`;
    setNote(byId("export-note"), this.#isWaiting ? "Your data is being gathered. The link will be here." : goodUntil);
    byId("export-link").hidden = this.#isWaiting;
    byId("export-link").href = url ?? "";
  }

  async #delete() {
    const isSure = await confirmed({
      title: "Delete your account?", action: "Delete my account",
      text: "Your profile, friends and devices are gone for good, and nobody gets your user name. "
        + "What you wrote stays with those who received it.",
    });
    if (isSure) await this.client.deleteAccount();
  }
}
