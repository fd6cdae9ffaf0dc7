import { ChatView } from "./chat_view.js";
import { Composer } from "./composer.js";
import { ConnectionBar } from "./connection_bar.js";
import { Conversations } from "./conversations.js";
import { avatar, byId, faceOf, setNote } from "./dom.js";
import { badge, nameOf, titleOf } from "./format.js";
import { ListView } from "./list_view.js";
import { Navigation } from "./navigation.js";
import { People } from "./people.js";
import { PeopleApp } from "./people_app.js";
import { Search } from "./search.js";
import { Timeline } from "./timeline.js";

const FAR_BEHIND = 500; // messages; beyond, the newest page is loaded instead of all of them

/** The page of somebody who is signed in: events in, views out. */
export class ChatApp {
  #timelines = new Map();
  #fetching = new Map();
  #wasAway = false;

  /** @param {import("../sdk/lambchat.js").Lambchat} client */
  constructor(client) {
    this.client = client;
    this.me = client.user;
    this.conversations = new Conversations(this.me.id);
    this.people = new People({ fetchUser: (id) => client.people.get(id), onChange: () => this.#render() });
    const personOf = (id) => this.people.get(id);
    this.list = new ListView({ myId: this.me.id, personOf });
    this.chat = new ChatView({
      myId: this.me.id, personOf,
      statusOf: (message) => this.conversations.statusOf(message),
      onSeen: (conversation) => this.#seen(conversation),
      onRetry: (clientMsgId) => this.#retry(clientMsgId),
    });
    this.composer = new Composer({ onSend: (text) => this.#send(text) });
    const write = (user) => this.#openDirect(user);
    const onChange = () => this.#render();
    this.peopleApp = new PeopleApp({ client, people: this.people, write, onChange, onMe: (me) => this.#showMe(me) });
    this.navigation = new Navigation({
      ...this.peopleApp.places,
      chats: { section: "chats" },
      c: {
        section: "chats", pane: "chat",
        find: (id) => id && (this.conversations.get(id) ?? this.#fetchConversation(id)),
        show: (conversation) => this.#showChat(conversation),
        hide: () => this.#leave(),
      },
    });
    this.search = new Search(
      async (query) => (await client.people.search({ query })).items.filter(({ id }) => id !== this.me.id));
    byId("new-chat").addEventListener("click", () => this.search.show("New chat", write));
    byId("find-people").addEventListener("click", () => this.search.show("Find people", async ({ id }) => {
      location.hash = `#/u/${encodeURIComponent(id)}`;
    }));
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

  #showMe(me) {
    this.people.add(me);
    byId("my-name").textContent = nameOf(me);
    byId("my-avatar").replaceChildren(avatar(faceOf(me, nameOf(me))));
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
    client.on("event", (frame) => {
      this.peopleApp.heard(frame);
      if (frame.data?.conversation_id) this.#fetchConversation(frame.data.conversation_id);
    });
    addEventListener("online", () => client.wake());
    addEventListener("pagehide", () => client.acks.flush());
    addEventListener("focus", () => this.chat.noticeSeen());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState !== "visible") return;
      client.wake();
      this.chat.render();
    });
  }

  async #connectionChanged(state) {
    this.connection.show(state);
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
      for (let cursor; cursor !== null; ) {
        const page = await this.client.conversations({ cursor, limit: 100 });
        page.items.forEach((row) => this.#merge(row));
        cursor = page.next_cursor ?? null;
      }
      setNote(byId("list-note"), "");
    } catch (error) {
      this.#wasAway = true; // read it when the connection is there
      setNote(byId("list-note"), `Your conversations could not be loaded: ${error.message}`);
    }
    this.#render();
  }

  #merge(row) {
    const cursor = this.client.cursors()[row.id];
    const isFarBehind = cursor !== undefined && row.last_seq - cursor > FAR_BEHIND;
    if (isFarBehind) this.#timelines.get(row.id)?.reset();
    if (cursor === undefined || isFarBehind) this.client.known(row.id, row.last_seq);
    this.people.add(row.user);
    return this.conversations.merge(row);
  }

  /** Reads one row of the list; a burst of news about it asks once. */
  #fetchConversation(id) {
    const fetching = this.#fetching.get(id) ?? this.#readRow(id).finally(() => this.#fetching.delete(id));
    this.#fetching.set(id, fetching);
    return fetching;
  }

  async #readRow(id) {
    const row = await this.client.conversation(id).catch(() => null);
    if (row) this.#merge(row);
    // What arrived meanwhile may be newer than the row.
    const arrived = this.#timeline(id).entries().filter(({ seq }) => seq !== undefined);
    arrived.forEach((message) => this.conversations.receive(message));
    this.#render();
    return this.conversations.get(id);
  }

  async #announced(id) {
    await this.#fetchConversation(id);
    if (this.chat.conversationId === id) await this.client.fetchMissing(id).catch(() => {});
  }

  #received(message) {
    this.#timeline(message.conversation_id).add(message);
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
    this.#merge({ last_seq: 0, read_seq: 0, unread_count: 0, last_message: null, user, ...row });
    location.hash = `#/c/${encodeURIComponent(row.id)}`;
  }

  async #showChat(conversation) {
    const shown = this.chat.show(conversation, this.#timeline(conversation.id));
    this.composer.show(conversation.id, `Message ${titleOf(conversation)}`);
    this.#render();
    // A keyboard on the screen would cover what there is to read.
    if (matchMedia("(pointer: coarse)").matches) byId("chat-title").focus();
    else this.composer.focus();
    await shown;
  }

  #leave() {
    const left = this.chat.conversationId;
    this.chat.hide();
    this.#render();
    if (left) document.querySelector(`[data-conversation="${CSS.escape(left)}"]`)?.focus();
  }

  #seen({ id, last_seq: seq }) {
    const row = this.conversations.get(id);
    if (!row || row.read_seq >= seq) return;
    this.client.read(id, seq);
    this.conversations.read(id, seq);
    this.#render();
  }

  #send(content) {
    const id = this.chat.conversationId;
    const most = this.client.limits.max_content_bytes;
    const bytes = new TextEncoder().encode(content).length;
    if (bytes > most) return `This is too long: ${bytes} of at most ${most} bytes.`;
    const { client_msg_id, sent } = this.client.send(id, content);
    this.#timeline(id).addOutgoing({ client_msg_id, content });
    this.#follow(id, client_msg_id, sent);
    this.chat.answered();
    return null;
  }

  #retry(clientMsgId) {
    const id = this.chat.conversationId;
    const { content } = this.#timeline(id).entries().find((entry) => entry.client_msg_id === clientMsgId);
    this.#timeline(id).retrying(clientMsgId);
    this.#follow(id, clientMsgId, this.client.send(id, content, { client_msg_id: clientMsgId }).sent);
  }

  async #follow(id, clientMsgId, sent) {
    this.#render();
    await sent.then(
      () => this.#timeline(id).accepted(clientMsgId),
      (error) => this.#timeline(id).failed(clientMsgId, error.message),
    );
    this.#render();
  }

  #render() {
    const { unread } = this.conversations;
    document.title = unread > 0 ? `(${badge(unread)}) lambchat` : "lambchat";
    this.list.render(this.conversations.sorted(), this.chat.conversationId);
    this.chat.render();
    this.peopleApp.render();
  }
}
