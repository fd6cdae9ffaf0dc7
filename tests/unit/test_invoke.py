"""Calling functions, against Lambda's Invoke API as the local cloud has it."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.invoke import _endpoint, invoke

ARN = "arn:aws:lambda:us-east-1:000000000000:function:echo:live"


class _Lambda(BaseHTTPRequestHandler):
    """Answers with what it got; some functions fail in their own way."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        name = unquote(self.path.split("/")[3])
        assert self.headers["Authorization"].startswith("AWS4-HMAC-SHA256 ")
        status = 429 if name == "busy" else 200
        answer = b"no JSON" if name == "mumbles" else body
        self.send_response(status)
        if name == "fails":
            self.send_header("X-Amz-Function-Error", "Unhandled")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        if name != "slow":
            self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(autouse=True)
def cloud(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with ThreadingHTTPServer(("127.0.0.1", 0), _Lambda) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        monkeypatch.setenv("AWS_ENDPOINT_URL_LAMBDA", f"http://127.0.0.1:{server.server_port}")
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
        _endpoint.cache_clear()
        yield
        for seconds in (0.2, 30.0):
            _endpoint(seconds).close()
        _endpoint.cache_clear()
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("name", ["echo", ARN])
def test_a_function_answers_by_its_name_or_arn(name: str) -> None:
    assert invoke(name, {"Ünï": [1]}, timeout_seconds=30.0) == {"Ünï": [1]}


@pytest.mark.parametrize("name", ["busy", "fails", "mumbles"])
def test_one_that_does_not_answer_well_is_unavailable(name: str) -> None:
    with pytest.raises(UnavailableError, match=name):
        invoke(name, {}, timeout_seconds=30.0)


def test_one_that_is_too_slow_is_unavailable() -> None:
    with pytest.raises(UnavailableError, match="not run: 0"):
        invoke("slow", {}, timeout_seconds=0.2)


def test_what_it_gets_is_json() -> None:
    assert json.dumps(invoke("echo", [None, "x"], timeout_seconds=30.0)) == '[null, "x"]'
