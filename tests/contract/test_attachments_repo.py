from __future__ import annotations

from dataclasses import replace
from uuid import uuid4

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.models import Attachment
from chalicelib.repo.attachments import MAX_REFERENCES, AttachmentRepository
from tests.contract.conftest import Connect
from tests.fakes_messaging import FakeAttachments

pytestmark = pytest.mark.req("IM-12")
Attachments = AttachmentRepository | FakeAttachments
LATER = 1_900_000_000.0


@pytest.fixture(params=["fake", "endpoint"])
def attachments(request: pytest.FixtureRequest) -> Attachments:
    if request.param == "fake":
        return FakeAttachments()
    return AttachmentRepository(request.getfixturevalue("tables"))


@pytest.fixture
def photo() -> Attachment:
    return Attachment(
        id=uuid4().hex,
        owner_id="ann",
        name="Über uns.png",
        size=12,
        content_type="image/png",
        created_at=1_800_000_000.25,
    )


def test_an_upload_is_read_back_whole(attachments: Attachments, photo: Attachment) -> None:
    assert attachments.get(photo.id) is None

    attachments.add(photo, expires_at=LATER)

    assert attachments.get(photo.id) == photo


def test_what_was_kept_stays_so_when_it_is_added_again(
    attachments: Attachments, photo: Attachment
) -> None:
    attachments.add(photo, expires_at=LATER)
    assert attachments.keep(photo.id, is_public=False)

    attachments.add(photo, expires_at=LATER)

    assert attachments.get(photo.id) == replace(photo, is_kept=True)


def test_an_avatar_is_public_and_stays_so_when_it_is_sent(
    attachments: Attachments, photo: Attachment
) -> None:
    attachments.add(photo, expires_at=LATER)

    assert attachments.keep(photo.id, is_public=True)
    assert attachments.keep(photo.id, is_public=False)

    assert attachments.get(photo.id) == replace(photo, is_kept=True, is_public=True)


def test_what_has_expired_cannot_be_kept(attachments: Attachments, photo: Attachment) -> None:
    assert not attachments.keep(photo.id, is_public=False)
    assert attachments.get(photo.id) is None


def test_what_is_kept_expires_no_more(endpoint: str, connect: Connect, photo: Attachment) -> None:
    store = connect()
    attachments = AttachmentRepository(store)
    attachments.add(photo, expires_at=LATER)
    wanted = {"TableName": "lambchat-contract-attachments", "Key": {"id": {"S": photo.id}}}
    before = store.call("GetItem", wanted)["Item"]

    attachments.keep(photo.id, is_public=False)

    assert before["ttl"] == {"N": "1900000000"}
    assert "ttl" not in store.call("GetItem", wanted)["Item"]


def test_a_store_that_is_away_is_unavailable(
    connect: Connect, photo: Attachment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    attachments = AttachmentRepository(connect())

    with pytest.raises(UnavailableError):
        attachments.get(photo.id)
    with pytest.raises(UnavailableError):
        attachments.add(photo, expires_at=LATER)


def test_what_a_message_has_is_not_sealed(attachments: Attachments, photo: Attachment) -> None:
    attachments.add(photo, expires_at=LATER)
    for one in ("m1", "m2", "m2"):
        assert attachments.refer(photo.id, one)

    attachments.release(photo.id, "m1")
    assert not attachments.seal(photo.id, even_public=True)
    attachments.release(photo.id, "m2")
    attachments.release(photo.id, "m2")

    assert attachments.seal(photo.id, even_public=False)
    assert attachments.get(photo.id) == replace(photo, is_removed=True)


def test_what_is_sealed_is_kept_and_referred_to_no_more(
    attachments: Attachments, photo: Attachment
) -> None:
    attachments.add(photo, expires_at=LATER)
    assert attachments.seal(photo.id, even_public=False)

    assert not attachments.refer(photo.id, "m1")
    assert not attachments.keep(photo.id, is_public=False)
    assert attachments.seal(photo.id, even_public=False)  # by who does it again
    attachments.delete(photo.id)
    attachments.delete(photo.id)

    assert attachments.get(photo.id) is None
    assert not attachments.seal(photo.id, even_public=True)
    assert not attachments.refer(photo.id, "m1")
    attachments.release(photo.id, "m1")
    assert attachments.get(photo.id) is None


def test_an_avatar_is_sealed_only_with_its_owner(
    attachments: Attachments, photo: Attachment
) -> None:
    attachments.add(photo, expires_at=LATER)
    attachments.keep(photo.id, is_public=True)

    assert not attachments.seal(photo.id, even_public=False)
    assert attachments.seal(photo.id, even_public=True)


def test_what_very_many_messages_have_is_never_sealed(
    attachments: Attachments, photo: Attachment
) -> None:
    attachments.add(photo, expires_at=LATER)
    numbers = range(MAX_REFERENCES + 1)

    assert all(attachments.refer(photo.id, f"m{number}") for number in numbers)
    for number in numbers:
        attachments.release(photo.id, f"m{number}")

    assert not attachments.seal(photo.id, even_public=True)
