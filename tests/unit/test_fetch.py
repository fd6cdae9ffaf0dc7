from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.fetch import MAX_BYTES, fetch


class Handler(BaseHTTPRequestHandler):
    """Answers by path, and says what it was asked."""

    def log_message(self, *_: Any) -> None:
        pass

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Location", "/good")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self) -> None:
        bodies = {
            "/good?a=b": (200, b'{"n": 1}'),
            "/moved": (302, b"{}"),
            "/list": (200, b"[1]"),
            "/text": (404, b"not found"),
            "/deep": (200, b"[" * 100_000),
            "/large": (200, b" " * (MAX_BYTES + 1)),
            "/broken": (500, b"{}"),
        }
        self._answer(*bodies[self.path])

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        shown = {name: self.headers.get(name) for name in ("Content-Type", "Authorization")}
        self._answer(400, json.dumps({"body": body, **shown}).encode())


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_document_is_read(url: str) -> None:
    assert fetch(f"{url}/good?a=b") == (200, {"n": 1})


def test_a_form_is_posted_and_a_refusal_is_an_answer(url: str) -> None:
    status, answer = fetch(f"{url}/token", {"code": "a b&c"}, authorization="Basic eA==")

    assert status == 400
    assert answer == {
        "body": "code=a+b%26c",
        "Content-Type": "application/x-www-form-urlencoded",
        "Authorization": "Basic eA==",
    }


def test_a_redirect_is_not_followed(url: str) -> None:
    assert fetch(f"{url}/moved") == (302, {})


@pytest.mark.parametrize(("path", "status"), [("list", 200), ("text", 404), ("deep", 200)])
def test_what_is_no_json_object_is_an_empty_one(url: str, path: str, status: int) -> None:
    assert fetch(f"{url}/{path}") == (status, {})


@pytest.mark.parametrize("path", ["large", "broken"])
def test_a_fault_or_too_much_is_unavailable(url: str, path: str) -> None:
    with pytest.raises(UnavailableError):
        fetch(f"{url}/{path}")


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_server_that_is_not_there_is_unavailable(scheme: str) -> None:
    with pytest.raises(UnavailableError):
        fetch(f"{scheme}://127.0.0.1:9/")
