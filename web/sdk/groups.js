const one = (id) => encodeURIComponent(id);
const group = (id) => `/v1/groups/${one(id)}`;
const member = (id, userId) => `${group(id)}/members/${one(userId)}`;
const key = () => ({ idempotencyKey: crypto.randomUUID() });

/**
 * Groups, their members and the ways into them; `client.groups`. A group's id is also its
 * conversation's. Lists are pages.
 */
export class Groups {
  constructor(rest) {
    this.rest = rest;
  }

  /** @param {{name: string, announcement?: string, joinPolicy?: string, memberIds?: string[]}} options */
  create({ name, avatar, announcement, joinPolicy, memberIds }) {
    return this.rest.post(
      "/v1/groups", { name, avatar, announcement, join_policy: joinPolicy, member_ids: memberIds }, key());
  }

  get(id) {
    return this.rest.get(group(id));
  }

  /** @param {object} changes `name`, `avatar`, `announcement`, `join_policy`, `muted_until` (for all). */
  change(id, changes) {
    return this.rest.patch(group(id), changes);
  }

  dismiss(id) {
    return this.rest.delete(group(id));
  }

  transfer(id, userId) {
    return this.rest.post(`${group(id)}/transfer`, { user_id: userId });
  }

  leave(id) {
    return this.rest.post(`${group(id)}/leave`);
  }

  members(id, { cursor, limit } = {}) {
    return this.rest.get(`${group(id)}/members`, { cursor, limit });
  }

  add(id, userIds) {
    return this.rest.post(`${group(id)}/members`, { user_ids: userIds }, key());
  }

  remove(id, userId) {
    return this.rest.delete(member(id, userId));
  }

  /** @param {"admin" | "member"} role */
  setRole(id, userId, role) {
    return this.rest.patch(member(id, userId), { role });
  }

  /** @param {string | null} until A time (RFC 3339), or null: no longer. */
  mute(id, userId, until) {
    return this.rest.patch(member(id, userId), { muted_until: until });
  }

  /** Joins; or asks to, where the answer is a request with `user_id`. */
  join(id, message = "") {
    return this.rest.post(`${group(id)}/join`, { message });
  }

  joinByLink(token) {
    return this.rest.post("/v1/groups/join-by-link", { token });
  }

  joinRequests(id, { cursor, limit } = {}) {
    return this.rest.get(`${group(id)}/join-requests`, { cursor, limit });
  }

  acceptJoin(id, userId) {
    return this.rest.post(`${group(id)}/join-requests/${one(userId)}/accept`);
  }

  rejectJoin(id, userId) {
    return this.rest.post(`${group(id)}/join-requests/${one(userId)}/reject`);
  }

  inviteLinks(id, { cursor, limit } = {}) {
    return this.rest.get(`${group(id)}/invite-links`, { cursor, limit });
  }

  /** A link whose `token` lets people in; for a week and any number of them, if nothing else is said. */
  makeInviteLink(id, { expiresIn, maxUses } = {}) {
    return this.rest.post(`${group(id)}/invite-links`, { expires_in: expiresIn, max_uses: maxUses }, key());
  }

  revokeInviteLink(id, linkId) {
    return this.rest.delete(`${group(id)}/invite-links/${one(linkId)}`);
  }
}
