const DATABASE = "lambchat";
const STORE = "items";

/**
 * localStorage, with a copy in IndexedDB. Each process of a browser caches localStorage, so a tab may
 * read what another has just replaced, even under a lock; a transaction of IndexedDB reads the truth.
 */
export class BrowserStorage {
  #database = null;

  /** What this tab knows, at once. */
  getItem(key) {
    return localStorage.getItem(key);
  }

  /** What all tabs know; undefined where there is no IndexedDB. */
  latest(key) {
    return this.#run("readonly", (store) => store.get(key));
  }

  async setItem(key, value) {
    localStorage.setItem(key, value);
    await this.#run("readwrite", (store) => store.put(value, key));
  }

  async removeItem(key) {
    localStorage.removeItem(key);
    await this.#run("readwrite", (store) => store.delete(key));
  }

  async #run(mode, work) {
    try {
      this.#database ??= open();
      const transaction = (await this.#database).transaction(STORE, mode);
      const request = work(transaction.objectStore(STORE));
      await new Promise((resolve, reject) => {
        transaction.oncomplete = resolve;
        transaction.onabort = () => reject(transaction.error);
      });
      return request.result;
    } catch {
      return undefined; // switched off in this browser: localStorage has to do
    }
  }
}

function open() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.open(DATABASE, 1);
    request.onupgradeneeded = () => request.result.createObjectStore(STORE);
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });
}
