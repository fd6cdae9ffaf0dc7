from __future__ import annotations

import urllib.request
from collections.abc import Iterator
from contextlib import closing
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.repo.export_files import ExportFiles
from chalicelib.repo.s3 import s3
from tests.fakes_data import FakeFiles

pytestmark = pytest.mark.req("IM-12")
Files = ExportFiles | FakeFiles
BUCKET = "lambchat-contract-exports"
PART = b"x" * (5 * 2**20)


@pytest.fixture(params=["fake", "endpoint"])
def files(request: pytest.FixtureRequest) -> Iterator[Files]:
    if request.param == "fake":
        yield FakeFiles()
        return
    request.getfixturevalue("endpoint")
    with closing(s3()) as client:
        client.create_bucket(Bucket=BUCKET)
        yield ExportFiles(lambda: client, BUCKET)


@pytest.fixture
def key() -> str:
    return f"{uuid4().hex}/e1.json"


def test_a_small_object_is_read_back(files: Files, key: str) -> None:
    files.put(key, b"one")
    files.put(key, "zwölf".encode())

    assert files.get(key).decode() == "zwölf"


@pytest.mark.parametrize("parts", [[b"{}"], [PART, b"rest"]], ids=["one part", "two"])
def test_parts_make_one_object(files: Files, key: str, parts: list[bytes]) -> None:
    upload_id = files.begin(key)
    tags = [files.add(key, upload_id, number, data) for number, data in enumerate(parts, 1)]

    files.complete(key, upload_id, tags)

    assert files.get(key) == b"".join(parts)


def test_every_call_may_be_repeated(files: Files, key: str) -> None:
    files.begin(key)
    upload_id = files.begin(key)
    files.add(key, upload_id, 1, b"lost")
    tag = files.add(key, upload_id, 1, b"kept")

    files.complete(key, upload_id, [tag])
    files.complete(key, upload_id, [tag])

    assert files.get(key) == b"kept"


def test_what_is_of_one_user_is_deleted_and_what_was_begun(files: Files) -> None:
    mine, other = uuid4().hex, f"{uuid4().hex}"
    files.put(f"{mine}/1", b"1")
    files.put(f"{mine}/e/2", b"2")
    files.put(f"{other}/1", b"3")
    begun = files.begin(f"{mine}/3")

    files.delete_all(f"{mine}/")
    files.delete_all(f"{mine}/")

    assert files.get(f"{other}/1") == b"3"
    for key in (f"{mine}/1", f"{mine}/e/2"):
        with pytest.raises((UnavailableError, KeyError)):
            files.get(key)
    with pytest.raises((UnavailableError, KeyError)):
        files.add(f"{mine}/3", begun, 1, b"late")


def test_an_upload_that_was_never_completed_is_no_object(endpoint: str, key: str) -> None:
    with closing(s3()) as client:
        client.create_bucket(Bucket=BUCKET)

        with pytest.raises(UnavailableError):
            ExportFiles(lambda: client, BUCKET).complete(key, "no-such-upload", ['"1"'])


@pytest.mark.req("APP-2")
def test_a_link_is_fetched_without_credentials(
    endpoint: str, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EXPORTS_BUCKET", BUCKET)
    with closing(s3()) as client:
        client.create_bucket(Bucket=BUCKET)
        files = ExportFiles(lambda: client)
        files.put(key, b"mine")
        url = files.link(key, "my data.json", 60)

    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"mine"
        assert 'filename="my data.json"' in answer.headers["Content-Disposition"]
    assert url.startswith(endpoint)
    assert "X-Amz-Expires=60" in url
