from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.change_frames import DraftOptions
from chalicelib.errors import (
    IMError,
    InvalidFieldError,
    MessageNotFoundError,
    NotFoundError,
    NotMemberError,
    NotUploadedError,
    TooLargeError,
)
from chalicelib.logic.attachments import LINK_SECONDS, UNSENT_SECONDS, AttachmentService
from chalicelib.logic.directory import Directory
from chalicelib.logic.draft_options import OptionService
from chalicelib.logic.policies import AttachmentPolicy, MessagePolicy
from chalicelib.models import Attachment, StoredObject
from tests.fakes import FakeConnections, FakeMembers, World
from tests.fakes_accounts import Clock
from tests.fakes_changes import readable
from tests.fakes_groups import group_access
from tests.fakes_messaging import FakeAttachmentFiles, FakeAttachments

pytestmark = pytest.mark.req("APP-2")
KEY = "ann/a1"


class Desk:
    """The service on fakes; bob reads message 7 of the room, cat does not."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.rows, self.files = FakeAttachments(), FakeAttachmentFiles()
        self.policy = AttachmentPolicy()
        self.message: Mapping[str, Any] = {"seq": 7, "attachment": {"id": "a1"}}
        self.service = AttachmentService(
            attachments=self.rows,
            files=lambda: self.files,
            messages=self,
            policy=lambda: self.policy,
            clock=self.clock,
        )
        self.photo = Attachment(
            id="a1",
            owner_id="ann",
            name="Über.png",
            size=12,
            content_type="image/png",
            created_at=self.clock(),
        )

    def one(self, user_id: str, conversation_id: str, seq: int) -> Mapping[str, Any]:
        if user_id == "cat":
            raise NotMemberError
        if (conversation_id, seq) != ("room", self.message["seq"]):
            raise MessageNotFoundError
        return self.message

    def uploaded(self, **other: Any) -> Attachment:
        photo = replace(self.photo, **other)
        self.service.create(photo)
        self.files.objects[KEY] = StoredObject(photo.size, photo.content_type)
        return photo


@pytest.fixture
def desk() -> Desk:
    return Desk()


def test_an_upload_goes_to_a_place_of_its_owner_for_an_hour(desk: Desk) -> None:
    upload, until = desk.service.create(desk.photo)

    assert upload.url == f"https://files.example/{KEY}?for=3600"
    assert until == desk.clock() + 3600
    assert desk.rows.rows == {"a1": desk.photo}


@pytest.mark.parametrize(
    ("policy", "error"),
    [
        (AttachmentPolicy(max_bytes=11), TooLargeError),
        (AttachmentPolicy(types=("image/jpeg", "audio/*")), InvalidFieldError),
    ],
)
def test_what_the_policy_does_not_allow_is_not_begun(
    desk: Desk, policy: AttachmentPolicy, error: type[IMError]
) -> None:
    desk.policy = policy

    with pytest.raises(error):
        desk.service.create(desk.photo)
    assert desk.rows.rows == {}


@pytest.mark.parametrize("types", [("image/png",), ("audio/*", "image/*"), ("*/*",)])
def test_types_are_allowed_by_name_by_kind_or_all(desk: Desk, types: tuple[str, ...]) -> None:
    desk.policy = AttachmentPolicy(max_bytes=12, types=types)

    assert desk.service.create(desk.photo)


def test_what_is_sent_is_looked_at_once_and_kept(desk: Desk) -> None:
    desk.uploaded()

    first = desk.service.use("ann", "a1")
    desk.clock.now += UNSENT_SECONDS
    second = desk.service.use("ann", "a1")

    assert first.body() == second.body()
    assert first.body() == {"id": "a1", "name": "Über.png", "size": 12, "content_type": "image/png"}
    assert desk.files.kept == {KEY}
    assert desk.files.looks == 1


def test_what_is_not_there_yet_may_be_sent_when_it_is(desk: Desk) -> None:
    desk.service.create(desk.photo)
    with pytest.raises(NotUploadedError):
        desk.service.use("ann", "a1")

    desk.uploaded()

    assert desk.service.use("ann", "a1")


@pytest.mark.parametrize("stored", [StoredObject(13, "image/png"), StoredObject(12, "text/html")])
def test_what_is_not_as_declared_is_not_sent_and_not_kept(desk: Desk, stored: StoredObject) -> None:
    desk.uploaded()
    desk.files.objects[KEY] = stored

    with pytest.raises(NotUploadedError, match=f"{stored.size} bytes of {stored.content_type}"):
        desk.service.use("ann", "a1")
    assert desk.files.kept == set()
    assert not desk.rows.rows["a1"].is_kept


def test_what_the_lifecycle_took_between_two_looks_is_not_sent(desk: Desk) -> None:
    desk.uploaded()
    desk.files.keep = lambda key: False  # type: ignore[method-assign]

    with pytest.raises(NotUploadedError):
        desk.service.use("ann", "a1")


def test_what_expires_while_it_is_looked_at_is_not_sent(desk: Desk) -> None:
    desk.uploaded()
    desk.rows.keep = lambda attachment_id, is_public: False  # type: ignore[method-assign]

    with pytest.raises(NotUploadedError, match="expired"):
        desk.service.use("ann", "a1")


@pytest.mark.parametrize(("user", "id_"), [("bob", "a1"), ("ann", "a2")])
def test_only_an_upload_of_one_s_own_is_sent(desk: Desk, user: str, id_: str) -> None:
    desk.uploaded()

    with pytest.raises(InvalidFieldError, match=r"attachment\.id"):
        desk.service.use(user, id_)


def test_what_was_not_sent_for_a_day_is_gone(desk: Desk) -> None:
    desk.uploaded()
    desk.clock.now += UNSENT_SECONDS

    with pytest.raises(InvalidFieldError):
        desk.service.use("ann", "a1")
    with pytest.raises(NotFoundError):
        desk.service.link("ann", "a1")


def test_who_reads_the_message_downloads_its_attachment(desk: Desk) -> None:
    desk.uploaded()

    found, url, until = desk.service.link("bob", "a1", conversation_id="room", seq=7)

    assert found.id == "a1"
    assert url.startswith(f"https://files.example/{KEY}?inline; filename*=UTF-8''%C3%9Cber.png&")
    assert until == desk.clock() + LINK_SECONDS


def test_who_does_not_read_the_conversation_gets_no_link(desk: Desk) -> None:
    desk.uploaded()

    with pytest.raises(NotMemberError):
        desk.service.link("cat", "a1", conversation_id="room", seq=7)


@pytest.mark.parametrize(
    ("message", "seq"),
    [
        ({"seq": 7, "attachment": {"id": "a2"}}, 7),
        ({"seq": 7, "recalled": True}, 7),
        ({"seq": 7, "attachment": None}, 7),
        ({"seq": 7, "attachment": {"id": "a1"}}, 8),
    ],
    ids=["another attachment", "recalled", "none", "no such message"],
)
def test_a_message_without_this_attachment_gives_no_link(
    desk: Desk, message: Mapping[str, Any], seq: int
) -> None:
    desk.uploaded()
    desk.message = message

    with pytest.raises(NotFoundError):
        desk.service.link("bob", "a1", conversation_id="room", seq=seq)


def test_without_a_message_only_its_owner_gets_a_link(desk: Desk) -> None:
    desk.uploaded()

    assert desk.service.link("ann", "a1")
    for user, id_ in (("bob", "a1"), ("ann", "a2")):
        with pytest.raises(NotFoundError):
            desk.service.link(user, id_)


@pytest.mark.parametrize("sent", [False, True])
def test_everybody_sees_an_avatar(desk: Desk, sent: bool) -> None:
    desk.uploaded()
    if sent:
        desk.service.use("ann", "a1")

    desk.service.use_as_avatar("ann", "a1")

    assert desk.service.link("bob", "a1")
    assert desk.files.looks == 1


@pytest.mark.parametrize("kind", ["image/svg+xml", "video/mp4", "text/html"])
def test_an_avatar_is_an_image_without_scripts(desk: Desk, kind: str) -> None:
    desk.uploaded(content_type=kind)

    with pytest.raises(InvalidFieldError, match="avatar"):
        desk.service.use_as_avatar("ann", "a1")


@pytest.mark.parametrize("kind", ["text/html", "image/svg+xml", "application/pdf", "text/xml"])
def test_what_might_run_scripts_is_saved_and_not_shown(desk: Desk, kind: str) -> None:
    desk.uploaded(content_type=kind)

    _, url, _ = desk.service.link("ann", "a1")

    assert "?attachment; " in url
    assert "&application/octet-stream&" in url


def test_no_name_gets_out_of_its_header(desk: Desk) -> None:
    desk.uploaded(name='a"; filename=b\r\n/c')

    _, url, _ = desk.service.link("ann", "a1")

    assert "filename*=UTF-8''a%22%3B%20filename%3Db%0D%0A%2Fc&" in url


def test_a_message_has_its_attachment_as_the_server_knows_it(desk: Desk) -> None:
    desk.uploaded()
    world = World()
    options = OptionService(
        groups=group_access(world),
        places=FakeMembers(world),
        directory=Directory(FakeConnections(world), world.clock),
        messages=readable(world),
        attach=desk.service.use,
        policy=MessagePolicy,
    )

    members = options.members("ann", "d-ann-bob", DraftOptions(attachment="a1"), "")

    assert members == {"attachment": desk.photo.body()}
