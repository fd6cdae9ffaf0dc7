from __future__ import annotations

from typing import Any

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.logic.remote_documents import MAX_AGE_SECONDS, RemoteDocuments, is_trustworthy
from tests.fakes_accounts import Clock
from tests.fakes_identity import FakeWeb

URL = "https://id.example/doc"


@pytest.fixture
def web() -> FakeWeb:
    made = FakeWeb()
    made.answers[URL] = (200, {"n": 1})
    return made


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def documents(web: FakeWeb, clock: Clock) -> RemoteDocuments:
    return RemoteDocuments(web.fetch, clock)


def test_a_document_is_read_once_until_it_is_old(
    documents: RemoteDocuments, web: FakeWeb, clock: Clock
) -> None:
    assert documents.get(URL) == documents.get(URL) == {"n": 1}
    web.answers[URL] = (200, {"n": 2})
    clock.now += MAX_AGE_SECONDS

    assert documents.get(URL) == {"n": 2}
    assert len(web.asked) == 2


def test_a_fresh_one_is_read_again_but_not_for_each_forged_key(
    documents: RemoteDocuments, web: FakeWeb, clock: Clock
) -> None:
    documents.get(URL)
    clock.now += 10
    for _ in range(5):
        documents.get(URL, fresh=True)

    assert len(web.asked) == 2


@pytest.mark.parametrize("answer", [None, (404, {"error": "gone"}), (200, {})])
def test_the_last_good_copy_serves_while_the_server_is_away(
    documents: RemoteDocuments, web: FakeWeb, clock: Clock, answer: Any
) -> None:
    documents.get(URL)
    web.answers = {URL: answer} if answer else {}
    clock.now += MAX_AGE_SECONDS

    assert [documents.get(URL) for _ in range(3)] == [{"n": 1}] * 3
    assert len(web.asked) == 2


def test_without_a_copy_it_is_unavailable_and_not_asked_again_at_once(
    documents: RemoteDocuments, web: FakeWeb
) -> None:
    web.answers = {}
    for _ in range(3):
        with pytest.raises(UnavailableError):
            documents.get(URL)

    assert len(web.asked) == 1


@pytest.mark.parametrize(
    ("url", "beside", "expected"),
    [
        ("https://id.example/a?b=c", "", True),
        ("https://id.example:8443", "https://other.example", True),
        ("http://127.0.0.1:9400", "", True),
        ("http://[::1]:9400/", "", True),
        ("http://localhost/jwks", "http://127.0.0.1:9400", True),
        ("http://id.example/", "", False),
        ("http://169.254.169.254/latest/meta-data", "", False),
        ("http://169.254.169.254/", "http://127.0.0.1:9400", False),
        ("http://127.0.0.1:9001/", "https://id.example", False),
        ("https://localhost/", "https://id.example", False),
        ("ftp://id.example", "", False),
        ("file:///etc/passwd", "", False),
        ("https://user:secret@id.example", "", False),
        ("https://id.example/#f", "", False),
        ("https://id.example/ b", "", False),
        ("https://id.example/\r\nX: y", "", False),
        ("https://id.example:port", "", False),
        ("https://[", "", False),
        ("", "", False),
        (None, "", False),
    ],
)
def test_only_https_may_be_called_and_this_machine_only_from_here(
    url: object, beside: str, expected: bool
) -> None:
    assert is_trustworthy(url, beside=beside) is expected
