import { byId, setNote } from "./dom.js";
import { sentenceOf } from "./form.js";
import { sizeOf } from "./format.js";

/** The file that goes with the next message: chosen, pasted or dropped; uploaded at once. */
export class FilePicker {
  #upload = null;

  onChange = () => {};
  attachment = null; // once it is uploaded

  /** @param {import("../sdk/attachments.js").Attachments} api */
  constructor(api) {
    this.api = api;
    const input = byId("file");
    byId("attach").addEventListener("click", () => input.click());
    input.addEventListener("change", () => {
      this.#take(input.files[0]);
      input.value = "";
    });
    byId("upload-cancel").addEventListener("click", () => {
      this.clear();
      byId("text").focus();
    });
    for (const [type, source] of [["paste", "clipboardData"], ["drop", "dataTransfer"]]) {
      byId("composer").addEventListener(type, (event) => {
        if (event[source].files.length === 0) return;
        event.preventDefault();
        this.#take(event[source].files[0]);
      });
    }
  }

  get isBusy() {
    return this.#upload !== null && this.attachment === null;
  }

  clear() {
    this.#upload?.abort();
    this.#upload = null;
    this.attachment = null;
    byId("upload").hidden = true;
    setNote(byId("upload-error"), "");
    this.onChange();
  }

  async #take(file) {
    if (!file) return;
    this.clear();
    const upload = this.#upload = new AbortController();
    const bar = byId("upload-progress");
    byId("upload").hidden = false;
    byId("upload-name").textContent = `${file.name} · ${sizeOf(file.size)}`;
    bar.hidden = false;
    bar.value = 0;
    this.onChange();
    try {
      const onProgress = (part) => { if (upload === this.#upload) bar.value = part; };
      const attachment = await this.api.upload(file, { onProgress, signal: upload.signal });
      if (upload === this.#upload) this.attachment = attachment;
    } catch (error) {
      if (upload !== this.#upload) return;
      this.clear();
      setNote(byId("upload-error"), `${file.name}: ${sentenceOf(error)}`);
    }
    if (upload === this.#upload) bar.hidden = true;
    this.onChange();
  }
}
