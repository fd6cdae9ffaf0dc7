"""Receivers of webhooks: one that answers as it is told, and one that never does."""

from __future__ import annotations

import http.server
import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any


@dataclass
class Post:
    """What came."""

    path: str
    headers: dict[str, str]
    raw: bytes

    @property
    def body(self) -> Any:
        return json.loads(self.raw)


@dataclass
class Receiver:
    """Remembers posts; ``answer`` gives status and body for each."""

    url: str = ""
    posts: list[Post] = field(default_factory=list)
    answer: Callable[[Post], tuple[int, Any]] = lambda _post: (204, None)

    def of_message(self, message_id: str) -> list[Post]:
        """The posts about one message."""
        return [one for one in list(self.posts) if one.headers["webhook-id"] == message_id]

    def of_event(self, event: str, group_id: str) -> list[Post]:
        """The posts about a group."""
        return [
            one
            for one in list(self.posts)
            if one.body["type"] == event and one.body["data"]["group_id"] == group_id
        ]


@contextmanager
def receiving() -> Iterator[Receiver]:
    """Serves on a free port of this machine."""
    receiver = Receiver()

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            raw = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            post = Post(self.path, headers, raw)
            status, body = receiver.answer(post)
            receiver.posts.append(post)
            text = b"" if body is None else json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(text)))
            self.end_headers()
            self.wfile.write(text)

        def log_message(self, *_: object) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        receiver.url = f"http://127.0.0.1:{server.server_port}"
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        try:
            yield receiver
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def never_answering() -> Iterator[tuple[str, threading.Event]]:
    """The address of a server that takes connections and says nothing; whether one has come."""
    taken, came = list[socket.socket](), threading.Event()

    def take(listening: socket.socket) -> None:
        while True:
            try:
                taken.append(listening.accept()[0])
            except OSError:
                return
            came.set()

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=take, args=(listening,))
        thread.start()
        yield f"http://127.0.0.1:{listening.getsockname()[1]}/", came
        listening.shutdown(socket.SHUT_RDWR)
        thread.join()
    for one in taken:
        one.close()
