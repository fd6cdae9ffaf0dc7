from __future__ import annotations

import http.server
import socket
import threading
import time
from collections.abc import Iterator

import pytest

from chalicelib import outbound as servers
from chalicelib.errors import InvalidFieldError, UnavailableError
from chalicelib.logic.outbound import Outbound, WebhookPolicy, parse_webhooks

DEPLOYED = Outbound(WebhookPolicy, "prod")
LAPTOP = Outbound(WebhookPolicy, "local")


@pytest.mark.parametrize("url", ["https://hooks.example/in?x=1", "https://93.184.216.34:8443/"])
def test_a_public_https_address_may_be_called(url: str) -> None:
    assert DEPLOYED.require(url) is None


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.example/in",
        "ftp://hooks.example/in",
        "https://user:secret@hooks.example/in",
        "https://hooks.example/in#part",
        "https://",
        "https://hooks.example/ in",
        "https://10.0.0.1/in",
        "https://169.254.169.254/latest/meta-data/",
        "https://127.0.0.1/in",
        "https://[::1]/in",
        "https://[::ffff:10.0.0.1]/in",
        "https://[64:ff9b::a00:1]/in",
        "https://[2002:a00:1::1]/in",
        "https://224.0.0.1/in",
        "https://hooks.example/" + "a" * 2000,
    ],
)
def test_what_leads_to_private_networks_or_is_not_https_is_refused(url: str) -> None:
    with pytest.raises(InvalidFieldError) as caught:
        DEPLOYED.require(url)

    assert [one.field for one in caught.value.errors] == ["url"]


def test_a_laptop_may_call_itself_and_nobody_else_in_private() -> None:
    LAPTOP.require("http://127.0.0.1:9000/in")
    LAPTOP.require("http://localhost:9000/in")

    assert LAPTOP.allows("::1")
    assert not LAPTOP.allows("192.168.1.1")
    with pytest.raises(InvalidFieldError):
        LAPTOP.require("http://192.168.1.1/in")


def test_a_policy_allows_a_private_network() -> None:
    policy = parse_webhooks('{"allowed_networks": ["10.1.0.0/16", "fd00::/8"]}')
    allowing = Outbound(lambda: policy, "prod")

    assert allowing.allows("10.1.2.3")
    assert allowing.allows("fd12::1")
    assert not allowing.allows("10.2.0.1")


@pytest.mark.parametrize(
    "text",
    ["[]", '{"networks": []}', '{"allowed_networks": "10.0.0.0/8"}', '{"allowed_networks": ["x"]}'],
)
def test_a_wrong_policy_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"expected|appear"):
        parse_webhooks(text)


class _Server(http.server.BaseHTTPRequestHandler):
    """Answers as the path says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path == "/redirect":
            self.send_response(302)
            self.send_header("Location", "/in")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        answer = b"x" * (servers.MAX_BYTES + 1) if self.path == "/long" else b"got " + body
        self.send_response(200)
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server() -> Iterator[str]:
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Server) as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


def test_a_post_gets_status_and_answer(server: str) -> None:
    status, answer = servers.post(
        f"{server}/in", b"it", {"content-type": "text/plain"}, allows=LAPTOP.allows
    )

    assert (status, answer) == (200, b"got it")


def test_a_redirect_is_not_followed(server: str) -> None:
    assert servers.post(f"{server}/redirect", b"", {}, allows=LAPTOP.allows)[0] == 302


def test_an_address_that_is_not_allowed_is_never_connected_to() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        listening.settimeout(0)
        port = listening.getsockname()[1]

        with pytest.raises(UnavailableError, match="may be called"):
            servers.post(f"http://localhost:{port}/", b"", {}, allows=DEPLOYED.allows)

        with pytest.raises(BlockingIOError):
            listening.accept()


def test_an_answer_without_end_is_cut(server: str) -> None:
    with pytest.raises(UnavailableError, match="bytes"):
        servers.post(f"{server}/long", b"", {}, allows=LAPTOP.allows)


def test_nobody_there_is_unavailable() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]

    with pytest.raises(UnavailableError, match=r"127\.0\.0\.1 did not answer"):
        servers.post(f"http://127.0.0.1:{port}/", b"", {}, allows=LAPTOP.allows)


@pytest.mark.parametrize("dripping", [False, True])
def test_one_who_never_ends_is_left_in_time(
    monkeypatch: pytest.MonkeyPatch, dripping: bool
) -> None:
    monkeypatch.setattr(servers, "TIMEOUT_SECONDS", 0.3)
    ended = threading.Event()

    def serve(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.recv(1000)
            while dripping and not ended.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return
            ended.wait(60)

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=serve, args=(listening,))
        thread.start()
        started = time.monotonic()

        with pytest.raises(UnavailableError):
            servers.post(
                f"http://127.0.0.1:{listening.getsockname()[1]}/", b"", {}, allows=LAPTOP.allows
            )

        assert time.monotonic() - started < 30
        ended.set()
        thread.join()
