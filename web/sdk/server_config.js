import { CLIENT_VERSION } from "./rest.js";

const DEFAULT_LIMITS = {
  connection_max_age_s: 7200, max_frame_bytes: 32_768, max_content_bytes: 16_384,
};

/** Where the WebSocket is, and the limits: what `/v1/client-config` says. */
export class ServerConfig {
  #config = null;

  limits = DEFAULT_LIMITS;

  constructor({ rest, session }) {
    Object.assign(this, { rest, session });
  }

  /** The address to connect to now; after a failure everything is asked anew. */
  async address(failedAttempts) {
    // A browser does not tell why a handshake was refused; REST does, and renews the token.
    if (failedAttempts > 0) await this.rest.get("/v1/users/me");
    const token = await this.session.accessToken();
    if (!this.#config || failedAttempts > 0) await this.#load();
    const url = new URL(this.#config.websocket_url);
    url.searchParams.set("token", token);
    url.searchParams.set("client_version", CLIENT_VERSION);
    return { url: url.href, maxAgeMs: this.limits.connection_max_age_s * 1000 };
  }

  async #load() {
    this.#config = await this.rest.open("GET", "/v1/client-config");
    this.limits = { ...DEFAULT_LIMITS, ...this.#config.limits };
  }
}
