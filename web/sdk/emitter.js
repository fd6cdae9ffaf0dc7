/** Named events; a listener that throws harms neither the sender nor the other listeners. */
export class Emitter {
  #listeners = new Map();

  /** Calls `listener` on each event of this type; returns the function that ends it. */
  on(type, listener) {
    const listeners = this.#listeners.get(type) ?? new Set();
    this.#listeners.set(type, listeners.add(listener));
    return () => listeners.delete(listener);
  }

  emit(type, detail) {
    for (const listener of this.#listeners.get(type) ?? []) {
      try {
        listener(detail);
      } catch (error) {
        console.error(error);
      }
    }
  }
}
