/** The real clock; tests pass their own. */
export const systemClock = {
  now: () => Date.now(),
  setTimeout: (callback, ms) => globalThis.setTimeout(callback, ms),
  clearTimeout: (timer) => globalThis.clearTimeout(timer),
};

/** Resolves after `ms` of the given clock. */
export const sleep = (clock, ms) => new Promise((resolve) => { clock.setTimeout(resolve, ms); });

/**
 * Exponential backoff with full jitter: many clients that lost the same server come back spread
 * out. https://aws.amazon.com/builders-library/timeouts-retries-and-backoff-with-jitter/
 */
export class Backoff {
  #failures = 0;

  constructor({ baseMs = 500, capMs = 30_000, random = Math.random } = {}) {
    this.baseMs = baseMs;
    this.capMs = capMs;
    this.random = random;
  }

  /** How long to wait now, never less than the seconds that the server named. */
  next(retryAfter = null) {
    const ceiling = Math.min(this.capMs, this.baseMs * 2 ** this.#failures);
    this.#failures = Math.min(this.#failures + 1, 30);
    return (retryAfter ?? 0) * 1000 + this.random() * ceiling;
  }

  reset() {
    this.#failures = 0;
  }
}
