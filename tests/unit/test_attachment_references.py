from __future__ import annotations

import json

import pytest

from chalicelib.context import Context
from chalicelib.errors import InvalidFieldError
from chalicelib.frames import Rejected, parse_draft
from chalicelib.logic.attachment_references import PAGE, AttachmentReferences
from chalicelib.models import Attachment, Placed, StoredObject, message_id
from chalicelib.repo.attachments import MAX_REFERENCES
from tests.fakes_messaging import FakeAttachmentFiles, FakeAttachments
from tests.unit import test_messages
from tests.unit.test_commands_account import upload
from tests.unit.test_delivery import ROOM, world_of_two

pytestmark = pytest.mark.req("APP-2")


class Desk:
    """ann has uploaded a file."""

    def __init__(self) -> None:
        self.rows, self.files = FakeAttachments(), FakeAttachmentFiles()
        self.enqueued: list[tuple[str, str]] = []
        self.references = AttachmentReferences(
            attachments=self.rows, files=lambda: self.files, enqueue=self.enqueued.extend
        )
        self.add("a1")

    def add(self, attachment_id: str, **more: bool) -> None:
        self.rows.rows[attachment_id] = upload(attachment_id, **more)
        self.files.objects[f"ann/{attachment_id}"] = StoredObject(1, "text/plain")

    @property
    def kept(self) -> list[str]:
        assert {f"ann/{one}" for one in self.rows.rows} == set(self.files.objects)
        return sorted(self.rows.rows)


@pytest.fixture
def desk() -> Desk:
    return Desk()


def having(number: int, attachment: object) -> Placed:
    body = {"id": f"m{number}", "content": "", "attachment": attachment}
    return Placed(ROOM, number, "ann", f"m{number}", json.dumps(body))


def test_the_object_goes_with_the_last_message_that_has_it(desk: Desk) -> None:
    for one in ("m1", "m2", "m2"):
        desk.references.refer("a1", one)

    desk.references.clear("a1", "m1")
    assert desk.kept == ["a1"]
    desk.references.clear("a1", "m2")

    assert desk.kept == []
    desk.references.clear("a1", "m2")


def test_an_avatar_stays(desk: Desk) -> None:
    desk.add("a2", is_public=True)
    desk.references.refer("a2", "m1")

    desk.references.clear("a2", "m1")

    assert desk.kept == ["a1", "a2"]


def test_what_very_many_messages_have_stays_for_ever(desk: Desk) -> None:
    for number in range(MAX_REFERENCES + 1):
        desk.references.refer("a1", f"m{number}")

    for number in range(MAX_REFERENCES + 1):
        desk.references.clear("a1", f"m{number}")

    assert desk.kept == ["a1"]


def test_who_forwards_in_the_same_moment_has_it_kept_or_is_refused(desk: Desk) -> None:
    desk.references.refer("a1", "m1")
    desk.rows.step = lambda name: name == "seal" and desk.rows.messages["a1"].add("m2")

    desk.references.clear("a1", "m1")

    assert desk.kept == ["a1"]
    desk.rows.step = lambda _name: None
    desk.rows.messages.clear()
    assert desk.rows.seal("a1", even_public=False)
    with pytest.raises(InvalidFieldError):
        desk.references.refer("a1", "m3")


def test_messages_that_lose_their_content_name_what_they_had(desk: Desk) -> None:
    desk.references.forget([having(1, {"id": "a1"}), having(2, None), having(3, {"id": "a2"})])

    assert desk.enqueued == [("a1", "m1"), ("a2", "m3")]


def test_nothing_is_enqueued_for_messages_without_one(desk: Desk) -> None:
    desk.references.forget([Placed(ROOM, 1, "ann", "m1", '{"content":"attachment"}')])

    assert desk.enqueued == []


def test_of_a_deleted_user_all_goes_that_no_message_has(desk: Desk) -> None:
    for number in range(PAGE):
        desk.add(f"b{number:02}", is_public=number == 3)
    desk.references.refer("b07", "m1")
    del desk.rows.rows["b08"]  # its row has expired

    position = ""
    for _ in range(3):
        position = desk.references.erase("ann", position)

    assert desk.kept == ["b07"]


def test_a_message_that_is_accepted_refers_to_what_it_has_or_copies(desk: Desk) -> None:
    world = world_of_two()
    attachment = {"id": "a1", "name": "a.txt", "size": 1, "content_type": "text/plain"}
    sent: list[tuple[str, str]] = []

    def refer(attachment_id: str, identity: str) -> None:
        sent.append((attachment_id, identity))
        desk.references.refer(attachment_id, identity)

    service = test_messages.service(test_messages.Outbox(), world, refer=refer, attach=desk_attach)
    draft = {"to": "bob", "content": "", "attachment": attachment}

    service.send_message(Context(), "ann", [parse_draft({**draft, "client_msg_id": "c1"})])

    assert sent == [("a1", message_id("ann", ROOM, "c1"))]
    assert desk.rows.messages == {"a1": {message_id("ann", ROOM, "c1")}}
    desk.rows.rows.clear()
    (refused,) = service.send_message(
        Context(), "ann", [parse_draft({**draft, "client_msg_id": "c2"})]
    )
    assert isinstance(refused, Rejected)
    assert refused.error.code == "invalid_field"


def desk_attach(_user_id: str, attachment_id: str) -> Attachment:
    return upload(attachment_id)
