const one = (id) => encodeURIComponent(id);

/** Profiles, friends, blocks, and one's own account; `client.people`. Lists are pages. */
export class People {
  constructor({ rest, session }) {
    Object.assign(this, { rest, session });
  }

  /** Users by the beginning of their names. */
  search({ query, cursor, limit }) {
    return this.rest.get("/v1/users", { query, cursor, limit });
  }

  get(id) {
    return this.rest.get(`/v1/users/${one(id)}`);
  }

  presence(id) {
    return this.rest.get(`/v1/users/${one(id)}/presence`);
  }

  /** Where up to 100 users are. */
  presences(ids) {
    return this.rest.get("/v1/presence", { user_ids: ids.join(",") });
  }

  /** My own profile as it is now, whichever device changed it. */
  async me() {
    return this.session.saveUser(await this.rest.get("/v1/users/me"));
  }

  /** @param {{nickname?: string, signature?: string, avatar?: string, gender?: string}} changes */
  async changeMe(changes) {
    return this.session.saveUser(await this.rest.patch("/v1/users/me", changes));
  }

  friends({ cursor, limit } = {}) {
    return this.rest.get("/v1/friends", { cursor, limit });
  }

  /** Changes what I call a friend. */
  setRemark(userId, remark) {
    return this.rest.patch(`/v1/friends/${one(userId)}`, { remark });
  }

  removeFriend(userId) {
    return this.rest.delete(`/v1/friends/${one(userId)}`);
  }

  /** @param {{direction: "received" | "sent", cursor?: string, limit?: number}} options */
  friendRequests({ direction, cursor, limit }) {
    return this.rest.get("/v1/friend-requests", { direction, cursor, limit });
  }

  /** Asks to be friends; where they had asked, the answer has the status `accepted`. */
  requestFriend(userId, message = "") {
    const idempotencyKey = crypto.randomUUID();
    return this.rest.post("/v1/friend-requests", { user_id: userId, message }, { idempotencyKey });
  }

  acceptRequest(requestId) {
    return this.rest.post(`/v1/friend-requests/${one(requestId)}/accept`);
  }

  rejectRequest(requestId) {
    return this.rest.post(`/v1/friend-requests/${one(requestId)}/reject`);
  }

  blocks({ cursor, limit } = {}) {
    return this.rest.get("/v1/blocks", { cursor, limit });
  }

  block(userId) {
    return this.rest.put(`/v1/blocks/${one(userId)}`);
  }

  unblock(userId) {
    return this.rest.delete(`/v1/blocks/${one(userId)}`);
  }

  /** Tells moderators of somebody. */
  report(userId, reason) {
    return this.rest.post("/v1/reports", { user_id: userId, reason }, { idempotencyKey: crypto.randomUUID() });
  }

  /** My devices. */
  sessions() {
    return this.rest.get("/v1/auth/sessions");
  }

  endSession(deviceId) {
    return this.rest.delete(`/v1/auth/sessions/${one(deviceId)}`);
  }

  /** Has this phone (`fcm`, `apns` or `apns_sandbox`) notified while I am offline; again after each log-in. */
  registerPushToken(deviceId, platform, token) {
    return this.rest.put(`/v1/users/me/push-tokens/${one(deviceId)}`, { platform, token });
  }

  removePushToken(deviceId) {
    return this.rest.delete(`/v1/users/me/push-tokens/${one(deviceId)}`);
  }

  /** Changes my password; the other devices are logged out. */
  changePassword({ oldPassword, newPassword }) {
    return this.rest.post("/v1/auth/password", { old_password: oldPassword, new_password: newPassword });
  }

  /** Sets where the reset of a forgotten password goes; empty: nowhere. */
  changeEmail({ email, password }) {
    return this.rest.put("/v1/auth/email", { email, password });
  }

  /** Has a token sent by e-mail to who forgot their password. */
  requestPasswordReset(username) {
    return this.rest.open("POST", "/v1/auth/password-reset", { username });
  }

  resetPassword({ token, newPassword }) {
    return this.rest.open("POST", "/v1/auth/password-reset/confirm", { token, new_password: newPassword });
  }

  /** All that the server keeps of me: `{status: "running"}` while it is gathered, later with `url`. */
  exportData() {
    return this.rest.get("/v1/users/me/data");
  }
}
