import { LambchatError } from "./errors.js";

/** Files beside messages: uploaded and downloaded past the API; `client.attachments`. */
export class Attachments {
  /** @param {object} ports `XMLHttpRequest`: `fetch` does not tell how far an upload has come. */
  constructor({ rest, XMLHttpRequest }) {
    Object.assign(this, { rest, XMLHttpRequest });
  }

  /**
   * Uploads a file. Then send a message with `{ attachment: { id } }`.
   * @param {File} file
   * @param {{onProgress?: (part: number) => void, signal?: AbortSignal}} [options] `part` is from 0 to 1.
   * @returns {Promise<{id: string, name: string, size: number, content_type: string}>}
   */
  async upload(file, { onProgress, signal } = {}) {
    const { attachment, upload } = await this.rest.post("/v1/attachments", {
      name: file.name, size: file.size, content_type: typeOf(file),
    }, { idempotencyKey: crypto.randomUUID() });
    await this.#put(upload, file, { onProgress, signal });
    return attachment;
  }

  /**
   * A link to an attachment that is good for some minutes.
   * @param {{conversationId?: string, seq?: number}} [where] The message it came with.
   */
  link(id, { conversationId, seq } = {}) {
    return this.rest.get(`/v1/attachments/${encodeURIComponent(id)}`, { conversation_id: conversationId, seq });
  }

  #put({ method, url, headers }, file, { onProgress = () => {}, signal }) {
    const request = new this.XMLHttpRequest();
    request.open(method, url);
    for (const [name, value] of Object.entries(headers)) {
      if (name.toLowerCase() !== "content-length") request.setRequestHeader(name, value); // the browser's
    }
    request.upload.onprogress = ({ loaded, total }) => onProgress(total ? loaded / total : 0);
    return new Promise((resolve, reject) => {
      const fail = (code, text) => reject(new LambchatError(code, text, { status: request.status }));
      request.onload = () => (request.status < 300 ? resolve() : fail("upload_refused", "The upload was refused."));
      request.onerror = () => fail("network", "The file could not be uploaded.");
      request.onabort = () => fail("aborted", "The upload was stopped.");
      signal?.addEventListener("abort", () => request.abort());
      if (signal?.aborted) fail("aborted", "The upload was stopped.");
      else request.send(file);
    });
  }
}

const typeOf = ({ type }) => type.split(";")[0].trim().toLowerCase() || "application/octet-stream";
