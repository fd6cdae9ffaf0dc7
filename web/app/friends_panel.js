import { avatar, faceOf } from "./avatar.js";
import { byId, el, hiddenText } from "./dom.js";
import { act, into } from "./form.js";
import { badge, nameOf } from "./format.js";
import { KeyedList } from "./keyed_list.js";
import { Problem } from "./problem.js";

const PREVIEWS = { pending: "Waiting for an answer", rejected: "Declined" };

/** The section of the side bar with friends, requests and blocks. */
export class FriendsPanel {
  /**
   * @param {object} ports
   * @param {import("./friends.js").Friends} ports.friends
   * @param {(id: string) => object} ports.personOf
   */
  constructor({ friends, personOf }) {
    Object.assign(this, { friends, personOf });
    this.lists = {
      received: this.#list("received", [
        ["Accept", "primary", (api, { requestId }) => api.acceptRequest(requestId)],
        ["Decline", "secondary", (api, { requestId }) => api.rejectRequest(requestId)],
      ]),
      sent: this.#list("sent"),
      friends: this.#list("friends"),
      blocked: this.#list("blocked", [["Unblock", "secondary", (api, { id }) => api.unblock(id)]]),
    };
    this.problem = new Problem("friends-problem", () => friends.load());
  }

  render(selectedId) {
    const { friends, received, sent, blocked, problem } = this.friends;
    const row = (userId, { id, user = this.personOf(userId) }, preview = "") => ({
      id: userId, requestId: id, name: nameOf(user), face: faceOf(user, nameOf(user)),
      preview: preview || `@${user.username}`, isSelected: userId === selectedId,
    });
    const rows = {
      received: received.map((one) => row(one.sender_id, one, one.message)),
      sent: sent.map((one) => row(one.receiver_id, one, PREVIEWS[one.status])),
      friends: byName(friends.map((one) => row(one.user_id, one))),
      blocked: byName(blocked.map((one) => row(one.user_id, one))),
    };
    for (const [name, all] of Object.entries(rows)) {
      this.lists[name].render(all);
      byId(`${name}-part`).hidden = all.length === 0;
    }
    byId("no-friends").hidden = friends.length > 0 || Boolean(problem);
    this.problem.show(problem && { message: `Your friends could not be loaded: ${problem}` });
    const count = received.length;
    const counted = hiddenText(count === 1 ? " friend request" : " friend requests");
    byId("friends-badge").hidden = count === 0;
    byId("friends-badge").replaceChildren(badge(count), counted);
  }

  #list(name, choices = []) {
    return new KeyedList(byId(`${name}-list`), (item, facts) => {
      const note = el("p", { class: "field-error", role: "alert", hidden: true });
      const buttons = choices.map(([label, kind, work]) => {
        const button = el("button", { type: "button", class: kind }, label, hiddenText(` ${facts.name}`));
        button.addEventListener("click", () => {
          act(button, into(note), () => this.friends.change((api) => work(api, facts)));
        });
        return button;
      });
      item.replaceChildren(entry(facts), el("div", { class: "choices" }, ...buttons), note);
    });
  }
}

const byName = (all) => all.sort((one, other) => one.name.localeCompare(other.name));

function entry({ id, name, face, preview, isSelected }) {
  return el(
    "a", { class: "entry", href: `#/u/${encodeURIComponent(id)}`, "aria-current": isSelected && "true" },
    avatar(face),
    el("span", { class: "title", dir: "auto" }, name),
    el("span", { class: "preview", dir: "auto" }, preview),
  );
}
