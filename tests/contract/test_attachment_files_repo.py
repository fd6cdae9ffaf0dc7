from __future__ import annotations

import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from typing import Any
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import Attachment, StoredObject, Upload
from chalicelib.repo.attachment_files import AttachmentFiles
from chalicelib.repo.s3 import s3

pytestmark = pytest.mark.req("IM-12", "APP-2")
BUCKET = "lambchat-contract-attachments"
NOTE = Attachment(
    id="a1", owner_id="ann", name="note.txt", size=5, content_type="text/plain", created_at=0.0
)


@pytest.fixture
def client(endpoint: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    monkeypatch.setenv("ATTACHMENTS_BUCKET", BUCKET)
    with closing(s3()) as client:
        client.create_bucket(Bucket=BUCKET)
        yield client


@pytest.fixture
def files(client: Any) -> AttachmentFiles:
    return AttachmentFiles(lambda: client)


@pytest.fixture
def key() -> str:
    return f"ann/{uuid4().hex}"


def put(upload: Upload, data: bytes, **headers: str) -> int:
    """The status of an upload without credentials."""
    sent = {name: value for name, value in upload.headers.items() if name != "Content-Length"}
    request = urllib.request.Request(upload.url, data, {**sent, **headers}, method="PUT")
    try:
        with urllib.request.urlopen(request, timeout=10) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_what_is_uploaded_is_found_as_it_is(files: AttachmentFiles, key: str) -> None:
    assert files.find(key) is None

    assert put(files.upload(key, NOTE, 60), b"hello") == 200

    assert files.find(key) == StoredObject(5, "text/plain")


@pytest.mark.parametrize(
    ("data", "headers"),
    [
        (b"hello, and more", {}),
        (b"hell", {}),
        (b"hello", {"Content-Type": "text/html"}),
        (b"hello", {"x-amz-tagging": "state=sent"}),
    ],
    ids=["larger", "smaller", "another type", "another tag"],
)
def test_the_bucket_itself_refuses_what_was_not_declared(
    files: AttachmentFiles, key: str, data: bytes, headers: dict[str, str]
) -> None:
    assert put(files.upload(key, NOTE, 60), data, **headers) == 403
    assert files.find(key) is None


def test_a_second_object_does_not_replace_the_first(files: AttachmentFiles, key: str) -> None:
    upload = files.upload(key, NOTE, 60)
    put(upload, b"hello")

    assert put(upload, b"hullo") == 412


def test_what_is_kept_loses_the_tag_by_which_it_would_be_deleted(
    client: Any, files: AttachmentFiles, key: str
) -> None:
    put(files.upload(key, NOTE, 60), b"hello")
    before = client.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]

    assert files.keep(key)

    assert before == [{"Key": "state", "Value": "pending"}]
    after = client.get_object_tagging(Bucket=BUCKET, Key=key)["TagSet"]
    assert after == [{"Key": "state", "Value": "sent"}]


def test_what_is_not_there_cannot_be_kept(files: AttachmentFiles, key: str) -> None:
    assert not files.keep(key)


def test_a_link_says_how_the_file_is_shown_and_what_it_is(files: AttachmentFiles, key: str) -> None:
    put(files.upload(key, NOTE, 60), b"hello")

    url = files.link(
        key,
        disposition="attachment; filename*=UTF-8''%C3%BC.txt",
        content_type="application/octet-stream",
        seconds=60,
    )

    with urllib.request.urlopen(url, timeout=10) as answer:
        assert answer.read() == b"hello"
        assert answer.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%C3%BC.txt"
        assert answer.headers["Content-Type"] == "application/octet-stream"


def test_a_bucket_that_is_away_is_unavailable(client: Any, key: str) -> None:
    files = AttachmentFiles(lambda: client, "lambchat-contract-no-such-bucket")

    with pytest.raises(UnavailableError):
        files.keep(key)


def test_the_keys_of_a_prefix_come_in_pages_and_what_is_deleted_is_gone(
    files: AttachmentFiles,
) -> None:
    owner = uuid4().hex
    for one in (f"{owner}/a", f"{owner}/b", f"{owner}/c", f"{owner}x/d"):
        assert put(files.upload(one, NOTE, 60), b"hello") == 200

    first = files.page(f"{owner}/", after="", limit=2)
    for _ in range(2):
        files.delete(first[0])

    assert first == [f"{owner}/a", f"{owner}/b"]
    assert files.page(f"{owner}/", after=first[-1], limit=2) == [f"{owner}/c"]
    assert files.page(f"{owner}/", after="", limit=9) == [f"{owner}/b", f"{owner}/c"]
    assert files.find(first[0]) is None
