import { AttachmentLinks } from "./attachment_links.js";
import { askForPictures, avatar, faceOf } from "./avatar.js";
import { ChatPane } from "./chat_pane.js";
import { ConnectionBar } from "./connection_bar.js";
import { ConversationRows } from "./conversation_rows.js";
import { Conversations } from "./conversations.js";
import { byId, setNote } from "./dom.js";
import { badge, nameOf } from "./format.js";
import { GroupsApp } from "./groups_app.js";
import { ListView } from "./list_view.js";
import { Navigation } from "./navigation.js";
import { People } from "./people.js";
import { PeopleApp } from "./people_app.js";
import { Presences } from "./presences.js";
import { choiceOf, Search } from "./search.js";
import { Timeline } from "./timeline.js";

/** The page of somebody who is signed in: events in, views out. */
export class ChatApp {
  #timelines = new Map();
  #wasAway = false;

  /** @param {import("../sdk/lambchat.js").Lambchat} client */
  constructor(client) {
    this.client = client;
    this.me = client.user;
    const onChange = () => this.#render();
    const timelineOf = (id) => this.#timeline(id);
    const personOf = (id) => this.people.get(id);
    this.conversations = new Conversations(this.me.id);
    this.people = new People({ fetchUser: (id) => client.people.get(id), onChange });
    this.presences = new Presences({ api: client.people, onChange });
    const { conversations, people, presences } = this;
    this.rows = new ConversationRows({ client, conversations, people, timelineOf, onGone: (id) => this.#gone(id) });
    this.list = new ListView({ myId: this.me.id, personOf, presenceOf: (id) => presences.get(id) });
    this.search = new Search();
    const { search } = this;
    this.chat = new ChatPane({ client, conversations, personOf, presences, timelineOf, search, onChange });
    const write = (user) => this.#openDirect(user);
    this.peopleApp = new PeopleApp({ client, people, write, onChange, onMe: (me) => this.#showMe(me) });
    this.groupsApp = new GroupsApp({
      client, people, friends: this.peopleApp.friends, find: (query) => this.#find(query),
      open: async (id) => {
        await this.#fetchConversation(id);
        location.hash = `#/c/${encodeURIComponent(id)}`;
      },
    });
    this.navigation = this.#newNavigation();
    for (const id of ["new-chat", "begin"]) byId(id).addEventListener("click", () => this.#searchPeople("New chat", write));
    byId("find-people").addEventListener("click", () => this.#searchPeople("Find people", ({ id }) => {
      location.hash = `#/u/${encodeURIComponent(id)}`;
    }));
    const links = new AttachmentLinks(client.attachments);
    askForPictures((id) => links.of({ attachment: { id } }));
    this.connection = new ConnectionBar({ onRetry: () => client.wake() });
  }

  async start() {
    byId("app").hidden = false;
    this.#showMe(this.me);
    this.#listen();
    setNote(byId("list-note"), "Loading your conversations…");
    this.peopleApp.friends.load();
    await this.#refresh();
    this.client.connect();
    await this.navigation.go();
  }

  #newNavigation() {
    return new Navigation({
      ...this.peopleApp.places,
      ...this.groupsApp.places,
      chats: { section: "chats" },
      c: {
        section: "chats", pane: "chat",
        find: (id) => id && (this.conversations.get(id) ?? this.#fetchConversation(id)),
        show: (conversation) => this.chat.show(conversation),
        hide: () => this.#leave(),
      },
    });
  }

  #showMe(me) {
    this.people.add(me);
    byId("my-name").textContent = nameOf(me);
    byId("my-avatar").replaceChildren(avatar(faceOf(me, nameOf(me))));
  }

  async #find(query) {
    const { items } = await this.client.people.search({ query });
    return items.filter(({ id }) => id !== this.me.id);
  }

  #searchPeople(title, choose) {
    this.search.show({
      title, choose, label: "Find a person by user name",
      find: (query) => this.#find(query),
      note: ({ length }, query) => {
        if (length === 0) return `Nobody is called “${query}”.`;
        return length === 1 ? "1 person found" : `${length} people found`;
      },
      draw: (user) => choiceOf(user, nameOf(user), `@${user.username}`),
    });
  }

  #listen() {
    const { client } = this;
    client.on("state", (state) => this.#connectionChanged(state));
    client.on("message", (message) => this.#received(message));
    client.on("updated", (message) => {
      this.conversations.update(message);
      this.#timelines.get(message.conversation_id)?.update(message);
      this.#render();
    });
    client.on("receipt", (receipt) => this.#receipt(receipt));
    client.on("notify", ({ conversation_id: id }) => this.#announced(id));
    client.on("typing", (frame) => this.chat.typing.heard(frame));
    client.on("presence", (presence) => this.presences.heard(presence));
    client.on("event", (frame) => this.#heard(frame));
    addEventListener("online", () => client.wake());
    addEventListener("pagehide", () => {
      client.acks.flush();
      this.chat.drafts.flush();
    });
    addEventListener("focus", () => this.chat.view.noticeSeen());
    document.addEventListener("visibilitychange", () => {
      this.#look();
      if (document.visibilityState !== "visible") return;
      client.wake();
      this.chat.view.render();
    });
  }

  /** Tells the server whether somebody looks; the next connection begins with being looked at. */
  #look() {
    const isVisible = document.visibilityState === "visible";
    this.client.look(isVisible ? "online" : "away").catch(() => {});
  }

  #heard(frame) {
    const { event, data = {} } = frame;
    this.peopleApp.heard(frame);
    this.groupsApp.heard(frame);
    this.chat.heard({ event, data });
    const id = event.startsWith("group.") ? data.group_id : event === "conversation.created" && data.conversation_id;
    if (event === "conversation.hidden") this.#hidden(data.conversation_id);
    else if (id && event !== "group.join_rejected") this.#fetchConversation(id);
  }

  async #connectionChanged(state) {
    this.connection.show(state);
    if (state.state === "online" && document.visibilityState !== "visible") this.#look();
    if (state.state === "waiting") this.#wasAway = true;
    if (state.state !== "online" || !this.#wasAway) return;
    this.#wasAway = false;
    this.peopleApp.friends.load();
    await this.#refresh();
    if (!this.navigation.isShowing) this.navigation.go(); // what the address names may be there now
  }

  /** Reads the list: at the start, and after each absence, since other devices went on. */
  async #refresh() {
    try {
      await this.rows.all();
      setNote(byId("list-note"), "");
      this.presences.load(this.conversations.sorted().flatMap(({ user }) => (user ? [user.id] : [])));
    } catch (error) {
      this.#wasAway = true; // read it when the connection is there
      setNote(byId("list-note"), `Your conversations could not be loaded: ${error.message}`);
    }
    this.#render();
  }

  async #fetchConversation(id) {
    const row = await this.rows.one(id);
    if (row?.user) this.presences.load([row.user.id]);
    this.#render();
    return row;
  }

  /** Takes a conversation away that I am not in any more. */
  #gone(id) {
    this.conversations.delete(id);
    this.#timelines.delete(id);
    this.client.inbox.forget(id); // who comes back reads from then on
    if ([this.chat.id, this.groupsApp.groupId].includes(id)) location.hash = "#/";
    this.#render();
  }

  #hidden(id) {
    if (this.chat.id !== id) this.conversations.delete(id);
    this.#render();
  }

  async #announced(id) {
    await this.#fetchConversation(id);
    if (this.chat.id === id) await this.client.fetchMissing(id).catch(() => {});
  }

  #received(message) {
    this.#timeline(message.conversation_id).add(message);
    this.chat.typing.arrived(message);
    if (!this.conversations.receive(message)) this.#fetchConversation(message.conversation_id);
    this.#render();
  }

  #receipt(receipt) {
    if (receipt.user_id !== this.me.id) this.conversations.receipt(receipt);
    else if (receipt.status === "read") this.conversations.read(receipt.conversation_id, receipt.seq);
    this.#render();
  }

  #timeline(id) {
    const load = (options) => this.client.history(id, options);
    if (!this.#timelines.has(id)) this.#timelines.set(id, new Timeline(load));
    return this.#timelines.get(id);
  }

  async #openDirect(user) {
    const row = await this.client.openDirect(user.id);
    this.rows.merge({ last_seq: 0, read_seq: 0, unread_count: 0, last_message: null, user, ...row });
    location.hash = `#/c/${encodeURIComponent(row.id)}`;
  }

  #leave() {
    const left = this.chat.id;
    this.chat.leave();
    this.#render();
    if (left) document.querySelector(`[data-conversation="${CSS.escape(left)}"]`)?.focus();
  }

  #render() {
    const { unread } = this.conversations;
    document.title = unread > 0 ? `(${badge(unread)}) lambchat` : "lambchat";
    this.list.render(this.conversations.sorted(), this.chat.id);
    this.chat.view.render();
    this.peopleApp.render();
    this.groupsApp.render();
  }
}
