"""The signed HTTP client, against a server that does what servers do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator

import pytest

from chalicelib.aws import AwsError, Endpoint, JsonService, Request, Signer, endpoint_url

Answer = Callable[[bytes], bytes | None]


class Server:
    """Answers each request with `answer(body)`; None closes the connection without an answer."""

    def __init__(self, answer: Answer) -> None:
        self.answer = answer
        self.requests: list[bytes] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._listener.close()

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(connection,), daemon=True).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb") as lines:
            while line := lines.readline():
                head = line
                while (line := lines.readline()) not in (b"\r\n", b""):
                    head += line
                size = int(head.lower().partition(b"content-length:")[2].split()[0])
                body = lines.read(size)
                self.requests.append(head + body)
                answer = self.answer(body)
                if answer is None:
                    return
                connection.sendall(answer)


def http(body: bytes, status: int = 200, *headers: bytes) -> bytes:
    extra = b"".join(header + b"\r\n" for header in headers)
    size = str(len(body)).encode()
    return b"HTTP/1.1 %d x\r\n%bContent-Length: %b\r\n\r\n%b" % (status, extra, size, body)


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "key")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "very secret")
    running = Server(lambda body: http(body))
    yield running
    running.close()


_opened: list[Endpoint] = []


@pytest.fixture(autouse=True)
def close_endpoints() -> Iterator[None]:
    yield
    while _opened:
        _opened.pop().close()


def endpoint(server: Server, timeout: float = 5.0) -> Endpoint:
    _opened.append(Endpoint("dynamodb", server.url, "us-east-1", timeout=timeout))
    return _opened[-1]


def post(body: bytes) -> Request:
    return Request("POST", "/", body, {})


def test_the_signature_is_the_one_of_the_documentation(monkeypatch: pytest.MonkeyPatch) -> None:
    # Source: the "get-vanilla" case of AWS's Signature Version 4 test suite.
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY")
    signer = Signer("service", "us-east-1", clock=lambda: 1440938160.0)

    headers = signer.headers("GET", "example.amazonaws.com", "/", b"", {})

    assert headers["authorization"].endswith(
        "Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
    )


def test_answers_come_in_the_order_of_the_requests(server: Server) -> None:
    bodies = [str(number).encode() for number in range(100)]

    answers = endpoint(server).request_all([post(body) for body in bodies])

    assert [answer.body for answer in answers] == bodies


def test_a_kept_connection_that_broke_is_replaced_and_the_request_sent_again(
    server: Server,
) -> None:
    client = endpoint(server)
    client.request(post(b"first"))
    server.answer = lambda _body: None
    assert client.request(post(b"lost")).status == 0

    server.answer = lambda body: http(body)

    assert client.request(post(b"again")).body == b"again"


def test_a_chunked_answer_is_read(server: Server) -> None:
    chunked = (
        b"HTTP/1.1 200 x\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n2;x\r\nde\r\n0\r\n\r\n"
    )
    server.answer = lambda _body: chunked

    client = endpoint(server)

    assert client.request(post(b"")).body == b"abcde"
    assert client.request(post(b"")).body == b"abcde"


def test_rubbish_instead_of_an_answer_is_no_answer(server: Server) -> None:
    server.answer = lambda _body: b"what?\r\n\r\n"

    assert endpoint(server).request(post(b"")).status == 0


def test_an_answer_that_does_not_come_is_given_up(server: Server) -> None:
    server.answer = lambda _body: b"HTTP/1.1 200 x\r\nContent-Length: 5\r\n\r\n"

    assert endpoint(server, timeout=0.2).request(post(b"")).body == b"no answer in time"


def test_nobody_at_the_address_is_status_0(server: Server) -> None:
    server.close()
    nowhere = Endpoint("dynamodb", "http://127.0.0.1:1", "us-east-1")

    assert nowhere.request(post(b"")).status == 0


def test_an_error_of_the_service_is_raised_with_its_name(server: Server) -> None:
    error = {"__type": "com.amazonaws#ConditionalCheckFailedException", "message": "no"}
    server.answer = lambda _body: http(json.dumps(error).encode(), 400)
    service = JsonService(endpoint(server), target="DynamoDB_20120810", version="1.0")

    with pytest.raises(AwsError, match="ConditionalCheckFailedException: no") as caught:
        service.call("PutItem", {})

    assert not caught.value.transient


@pytest.mark.parametrize(
    ("status", "body", "code"),
    [(500, b"{}", "Unknown"), (200, b"<html>", "Malformed"), (503, b"", "Unknown")],
)
def test_other_answers_are_errors_too(server: Server, status: int, body: bytes, code: str) -> None:
    server.answer = lambda _body: http(body, status)
    service = JsonService(endpoint(server), target="DynamoDB_20120810", version="1.0")

    (error,) = service.call_all([("GetItem", {})])

    assert isinstance(error, AwsError)
    assert error.code == code


def test_the_secret_key_is_in_no_request_and_in_no_error(server: Server) -> None:
    endpoint(server).request(post(b"hello"))

    assert b"very secret" not in server.requests[0]
    assert b"x-amz-target" not in server.requests[0]


def test_without_credentials_the_error_names_the_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("AWS_ACCESS_KEY_ID", raising=False)

    with pytest.raises(AwsError, match="AWS_ACCESS_KEY_ID"):
        Signer("ssm", "us-east-1").headers("GET", "host", "/", b"", {})


def test_the_endpoint_is_taken_from_the_variables_of_every_sdk(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_SSM"):
        monkeypatch.delenv(name, raising=False)
    assert endpoint_url("ssm", "eu-west-1") == "https://ssm.eu-west-1.amazonaws.com"

    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://all")
    monkeypatch.setenv("AWS_ENDPOINT_URL_SSM", "http://one")

    assert endpoint_url("ssm", "eu-west-1") == "http://one"
    assert endpoint_url("dynamodb", "eu-west-1") == "http://all"
