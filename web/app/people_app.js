import { AccountPane } from "./account_pane.js";
import { Friends } from "./friends.js";
import { FriendsPanel } from "./friends_panel.js";
import { remarks } from "./format.js";
import { Notices } from "./notices.js";
import { PersonPane } from "./person_pane.js";

/** Everything about people beside their messages: friends, profiles, one's own account. */
export class PeopleApp {
  #notices = new Notices();

  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {import("./people.js").People} ports.people
   * @param {(user: object) => Promise<void>} ports.write
   * @param {() => void} ports.onChange Names may have changed.
   * @param {(me: object) => void} ports.onMe My profile may have changed.
   */
  constructor({ client, people, write, onChange, onMe }) {
    Object.assign(this, { client, people, onChange });
    this.friends = new Friends({ api: client.people, onChange: () => this.#changed() });
    this.panel = new FriendsPanel({ friends: this.friends, personOf: (id) => people.get(id) });
    this.person = new PersonPane({ api: client.people, friends: this.friends, people, write });
    this.account = new AccountPane({ client, onChange: onMe });
    client.on("presence", (frame) => this.person.presence(frame));
  }

  /** The places that `Navigation` shows. */
  get places() {
    const { id: myId } = this.client.user;
    return {
      friends: { section: "friends" },
      u: {
        pane: "person", isAside: true,
        find: (id) => (id === myId ? location.replace("#/me") : id),
        show: (id) => this.#showPerson(id),
        hide: () => this.#showPerson(null),
      },
      me: { pane: "account", isAside: true, find: () => this.client.user, show: (me) => this.account.show(me) },
    };
  }

  /** Takes note of an `event` frame. */
  heard({ event, data }) {
    if (event === "notice") this.#notices.show(data);
    else if (event === "scheduled_message.failed") this.#notices.show({ id: data.id, content: notSent(data) });
    else if (event === "data.exported") this.account.data.exported();
    else this.friends.heard(event);
  }

  render() {
    this.panel.render(this.person.userId);
    this.person.render();
  }

  async #showPerson(id) {
    const shown = id ? this.person.show(id) : this.person.hide();
    this.panel.render(this.person.userId);
    await shown;
  }

  #changed() {
    remarks.clear();
    for (const { user_id: id, remark, user } of this.friends.friends) {
      if (remark) remarks.set(id, remark);
      this.people.add(user);
    }
    this.onChange();
  }
}

const notSent = ({ message }) => `A message that you scheduled was not sent: ${message}.`;
