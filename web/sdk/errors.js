/** The codes after which the same request may succeed later. */
const RETRYABLE = new Set([
  "unavailable", "rate_limited", "internal_error", "timeout", "disconnected", "network",
]);

/** Whatever the server refused or the network lost, with the contract's `code`. */
export class LambchatError extends Error {
  /**
   * @param {string} code The stable machine-readable name (docs/errors.md), or one of this
   *   client's own: `network`, `timeout`, `disconnected`, `signed_out`.
   * @param {string} message A sentence for people.
   * @param {{status?: number, retryAfter?: number|null, errors?: {field: string, message: string}[]}}
   *   [details]
   */
  constructor(code, message, { status = 0, retryAfter = null, errors = [] } = {}) {
    super(message || code);
    this.name = "LambchatError";
    this.code = code;
    this.status = status;
    this.retryAfter = retryAfter;
    this.errors = errors;
  }

  /** Whether to try the same again later. */
  get retryable() {
    return RETRYABLE.has(this.code) || this.status >= 500;
  }

  /** From an `error` frame, or the `error` of one message of a batch. */
  static fromFrame({ code = "internal_error", message = "", retry_after: retryAfter = null, errors }) {
    return new LambchatError(code, message, { retryAfter, errors });
  }

  /** From a REST answer that is no success (RFC 9457, or anything else a proxy may say). */
  static async fromResponse(response) {
    const problem = await response.json().catch(() => null) ?? {};
    const seconds = Number.parseFloat(response.headers.get("Retry-After") ?? problem.retry_after);
    return new LambchatError(
      problem.code ?? (response.status === 429 ? "rate_limited" : `http_${response.status}`),
      problem.detail ?? problem.title ?? `The server answered ${response.status}.`,
      {
        status: response.status,
        retryAfter: Number.isFinite(seconds) ? seconds : null,
        errors: Array.isArray(problem.errors) ? problem.errors : [],
      },
    );
  }
}
