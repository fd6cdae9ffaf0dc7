/** A clock whose time passes when a test says so. */
export class FakeClock {
  #now = 1_000_000;
  #timers = new Map();
  #ids = 0;

  now() {
    return this.#now;
  }

  setTimeout(callback, ms) {
    this.#timers.set(this.#ids += 1, { at: this.#now + ms, callback });
    return this.#ids;
  }

  clearTimeout(id) {
    this.#timers.delete(id);
  }

  /** Lets `ms` pass, timer by timer, with everything that follows from each. */
  async advance(ms) {
    const end = this.#now + ms;
    await settled();
    for (let due; (due = this.#nextUntil(end)); ) {
      this.#timers.delete(due.id);
      this.#now = Math.max(this.#now, due.at);
      due.callback();
      await settled();
    }
    this.#now = end;
  }

  #nextUntil(end) {
    const due = [...this.#timers].map(([id, timer]) => ({ id, ...timer })).filter(({ at }) => at <= end);
    return due.sort((one, other) => one.at - other.at || one.id - other.id)[0];
  }
}

/** Resolves when the promises that are under way have run. */
export const settled = () => new Promise((resolve) => { setImmediate(resolve); });

/** The server's side of the WebSocket: a class to connect with, and what came and goes. */
export class FakeServer {
  sockets = [];
  frames = [];
  accepts = true;
  answer = answerAll;

  constructor() {
    const server = this;
    this.WebSocket = class {
      readyState = 0;

      constructor(url) {
        this.url = url;
        server.sockets.push(this);
        queueMicrotask(() => server.#greet(this));
      }

      send(text) {
        const frame = JSON.parse(text);
        server.frames.push(frame);
        const answer = server.answer(frame, this);
        if (answer) queueMicrotask(() => server.push(answer, this));
      }

      close() {
        if (this.readyState >= 2) return;
        this.readyState = 3;
        queueMicrotask(() => this.onclose?.({}));
      }
    };
  }

  get live() {
    return this.sockets.filter(({ readyState }) => readyState === 1);
  }

  get last() {
    return this.sockets.at(-1);
  }

  sent(type) {
    return this.frames.filter((frame) => frame.type === type);
  }

  push(frame, socket = this.last) {
    socket.onmessage?.({ data: JSON.stringify(frame) });
  }

  #greet(socket) {
    if (socket.readyState !== 0) return;
    if (!this.accepts) {
      socket.close();
      return;
    }
    socket.readyState = 1;
    socket.onopen?.({});
  }
}

/** Answers every frame as the contract says. */
export function answerAll({ type, ref, messages, client_msg_id, conversation_id, seq, status }) {
  const sent = (id) => ({ client_msg_id: id, message_id: `m-${id}`, conversation_id, created_at: "t" });
  const answers = {
    ping: () => ({ type: "pong", ref }),
    sync: () => ({ type: "synced", more: false, ref }),
    ack: () => ({ type: "acked", conversation_id, seq, status, ref }),
    send: () => (messages
      ? { type: "sent", ref, messages: messages.map((message) => sent(message.client_msg_id)) }
      : { type: "sent", ref, ...sent(client_msg_id) }),
  };
  return answers[type]?.();
}

/** A `fetch` that answers from a table of `"METHOD /path": (body, headers) => [status, json]`. */
export function fakeFetch(routes, calls = []) {
  return async (url, { method, body, headers }) => {
    const { pathname, search } = new URL(url);
    const call = { method, path: pathname, search, headers, body: body && JSON.parse(body) };
    calls.push(call);
    const handler = routes[`${method} ${pathname}`];
    if (!handler) return Response.json({ code: "not_found" }, { status: 404 });
    const [status, answer, answerHeaders] = await handler(call);
    return Response.json(answer, { status, headers: answerHeaders });
  };
}

/** A message as the server pushes it. */
export function message(seq, more = {}) {
  return {
    id: `m${seq}`, conversation_id: "c1", sender_id: "other", seq, type: "text",
    content: `text ${seq}`, created_at: "2026-01-01T00:00:00.000Z", client_msg_id: `x${seq}`, ...more,
  };
}
