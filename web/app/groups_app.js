import { confirmed } from "./confirm.js";
import { byId } from "./dom.js";
import { sentenceOf } from "./form.js";
import { GroupPane } from "./group_pane.js";
import { PeoplePicker } from "./people_picker.js";

/** Everything about groups beside their messages: new ones, their members, the ways in. */
export class GroupsApp {
  /**
   * @param {object} ports
   * @param {import("../sdk/lambchat.js").Lambchat} ports.client
   * @param {import("./people.js").People} ports.people
   * @param {import("./friends.js").Friends} ports.friends
   * @param {(query: string) => Promise<object[]>} ports.find
   * @param {(id: string) => Promise<void>} ports.open Goes to a conversation.
   */
  constructor({ client, people, friends, find, open }) {
    Object.assign(this, { client, open });
    this.picker = new PeoplePicker({ find, friends: () => friends.friends.map(({ user }) => user).filter(Boolean) });
    this.pane = new GroupPane({ client, people, picker: this.picker });
    byId("new-group").addEventListener("click", () => this.picker.show({
      title: "New group", action: "Create group", withName: true, submit: (chosen) => this.#create(chosen),
    }));
  }

  /** The places that `Navigation` shows. */
  get places() {
    return {
      g: {
        pane: "group", isAside: true,
        find: (id) => id,
        show: (id) => this.pane.show(id),
        hide: () => this.pane.hide(),
      },
      join: { section: "chats", find: (token) => this.#join(token) },
    };
  }

  get groupId() {
    return this.pane.groupId;
  }

  /** Takes note of an `event` frame. */
  heard({ event, data }) {
    if (event.startsWith("group.") && data.group_id === this.groupId) this.pane.load();
  }

  render() {
    this.pane.render();
  }

  async #create({ name, ids }) {
    const { id } = await this.client.groups.create({ name, memberIds: ids });
    await this.open(id);
  }

  /** An invite link was opened; there is nothing to show for it but the group. */
  async #join(token) {
    if (!token) return;
    const isSure = await confirmed({
      title: "Join the group?", text: "Somebody has given you a link to a group.", action: "Join",
    });
    history.replaceState(null, "", "#/");
    if (!isSure) return;
    try {
      await this.open((await this.client.groups.joinByLink(token)).id);
    } catch (error) {
      await confirmed({ title: "This did not work", text: sentenceOf(error), action: "Close" });
    }
  }
}
