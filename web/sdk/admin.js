const one = (id) => encodeURIComponent(id);
const key = () => ({ idempotencyKey: crypto.randomUUID() });

/**
 * What operators and moderators do; the server refuses everybody else. Lists are pages.
 *
 *     import { Admin } from "./admin.js";
 *     const admin = new Admin(client.rest);
 */
export class Admin {
  /** @param {import("./rest.js").Rest} rest */
  constructor(rest) {
    this.rest = rest;
  }

  bans({ cursor, limit } = {}) {
    return this.rest.get("/v1/admin/bans", { cursor, limit });
  }

  /** Keeps somebody out, until a time (RFC 3339) or for good. */
  ban(userId, { reason, until } = {}) {
    return this.rest.put(`/v1/admin/bans/${one(userId)}`, { reason, until });
  }

  unban(userId) {
    return this.rest.delete(`/v1/admin/bans/${one(userId)}`);
  }

  /** Tells everybody who is connected. */
  broadcast(content) {
    return this.rest.post("/v1/admin/broadcasts", { content }, key());
  }

  /** Records that could not succeed. */
  deadLetters({ cursor, limit } = {}) {
    return this.rest.get("/v1/admin/dead-letters", { cursor, limit });
  }

  replay(letterId) {
    return this.rest.post(`/v1/admin/dead-letters/${one(letterId)}/replay`);
  }

  breakers() {
    return this.rest.get("/v1/admin/breakers");
  }

  counters({ days } = {}) {
    return this.rest.get("/v1/admin/counters", { days });
  }

  auditLog({ cursor, limit } = {}) {
    return this.rest.get("/v1/admin/audit-log", { cursor, limit });
  }

  /** What users have reported; also for moderators. */
  reports({ status, cursor, limit } = {}) {
    return this.rest.get("/v1/admin/reports", { status, cursor, limit });
  }

  /** @param {{status: string, note?: string}} answer */
  answerReport(reportId, { status, note }) {
    return this.rest.patch(`/v1/admin/reports/${one(reportId)}`, { status, note });
  }
}
