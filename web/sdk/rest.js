import { LambchatError } from "./errors.js";
import { Backoff, sleep } from "./timing.js";

const TIMEOUT_MS = 15_000;
const READ_ATTEMPTS = 3;

/** Said on each request and connect: an operator may refuse clients that are older than some. */
export const CLIENT_VERSION = "1.0";

/** One HTTP exchange: the parsed answer, or a LambchatError. */
export async function callJson(fetch, url, { method = "GET", body, headers: more = {} } = {}) {
  const headers = { "X-Client-Version": CLIENT_VERSION, ...more };
  let response;
  try {
    response = await fetch(url, {
      method,
      headers: body === undefined ? headers : { "Content-Type": "application/json", ...headers },
      body: body === undefined ? undefined : JSON.stringify(body),
      signal: AbortSignal.timeout(TIMEOUT_MS),
    });
  } catch {
    throw new LambchatError("network", "The server cannot be reached.");
  }
  if (!response.ok) throw await LambchatError.fromResponse(response);
  return response.status === 204 ? null : response.json().catch(() => null);
}

/** The REST API: the token on each request, refreshed once when refused; reads are retried. */
export class Rest {
  constructor({ baseUrl, fetch, session, clock, random }) {
    Object.assign(this, { baseUrl, fetch, session, clock, random });
  }

  /** A read; tried again when the server or the network is in trouble. */
  async get(path, query = {}) {
    const backoff = new Backoff({ random: this.random });
    for (let attempt = 1; ; attempt += 1) {
      try {
        return await this.#authorized("GET", path + queryString(query));
      } catch (error) {
        if (!error.retryable || attempt === READ_ATTEMPTS) throw error;
        await sleep(this.clock, backoff.next(error.retryAfter));
      }
    }
  }

  /** A write. What creates something carries a key, so that the caller may repeat it. */
  post(path, body, { idempotencyKey } = {}) {
    return this.#authorized("POST", path, body, idempotencyKey && { "Idempotency-Key": idempotencyKey });
  }

  put(path, body) {
    return this.#authorized("PUT", path, body);
  }

  patch(path, body) {
    return this.#authorized("PATCH", path, body);
  }

  delete(path) {
    return this.#authorized("DELETE", path);
  }

  /** A request without a token: registration, login, configuration. */
  open(method, path, body) {
    return callJson(this.fetch, this.baseUrl + path, { method, body });
  }

  async #authorized(method, path, body, headers) {
    const attempt = (token) => callJson(this.fetch, this.baseUrl + path, {
      method, body, headers: { ...headers, Authorization: `Bearer ${token}` },
    });
    const token = await this.session.accessToken();
    try {
      return await attempt(token);
    } catch (error) {
      if (error.status !== 401 || error.code === "invalid_credentials") throw error; // a password's fault
      return attempt(await this.session.accessToken(token));
    }
  }
}

function queryString(query) {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== null);
  return given.length ? `?${new URLSearchParams(given)}` : "";
}
