"""Attachments: uploaded by clients straight to the bucket, checked when they are first sent."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, Protocol
from urllib.parse import quote

from chalicelib.errors import (
    MessageNotFoundError,
    NotFoundError,
    NotUploadedError,
    TooLargeError,
)
from chalicelib.frame_fields import invalid
from chalicelib.logic.policies import AttachmentPolicy
from chalicelib.models import Attachment, StoredObject, Upload

UPLOAD_SECONDS = 3600  # to begin the upload; a slow one may last longer
LINK_SECONDS = 900
UNSENT_SECONDS = 24 * 3600  # as long as the bucket's lifecycle leaves what was never sent
# What a browser may show by itself. Anything else might be a page that runs scripts: it is saved.
_IMAGE = re.compile(r"image/(?!svg).+")
_SHOWN = re.compile(rf"{_IMAGE.pattern}|audio/.+|video/.+")


class Attachments(Protocol):
    """The stored uploads."""

    def add(self, attachment: Attachment, *, expires_at: float) -> None: ...
    def get(self, attachment_id: str) -> Attachment | None: ...
    def keep(self, attachment_id: str, *, is_public: bool) -> bool: ...


class Files(Protocol):
    """The bucket."""

    def upload(self, key: str, attachment: Attachment, seconds: int) -> Upload: ...
    def find(self, key: str) -> StoredObject | None: ...
    def keep(self, key: str) -> bool: ...
    def link(self, key: str, *, disposition: str, content_type: str, seconds: int) -> str: ...


class Messages(Protocol):
    """Messages, of those that a user may read."""

    def one(self, user_id: str, conversation_id: str, seq: int) -> Mapping[str, Any]: ...


class AttachmentService:
    """Lets users upload, send and download files."""

    def __init__(
        self,
        *,
        attachments: Attachments,
        files: Callable[[], Files],
        messages: Messages,
        policy: Callable[[], AttachmentPolicy],
        clock: Callable[[], float],
    ) -> None:
        self._attachments = attachments
        self._files = files
        self._messages = messages
        self._policy = policy
        self._clock = clock

    def create(self, attachment: Attachment) -> tuple[Upload, float]:
        """Where a new attachment is to be uploaded, and until when that may begin (Unix seconds).

        Args:
            attachment: As its owner declares it; the same id again gives the same attachment.

        Raises:
            TooLargeError, InvalidFieldError: The policy does not allow it.
        """
        policy = self._policy()
        if attachment.size > policy.max_bytes:
            raise TooLargeError(f"size: expected at most {policy.max_bytes} bytes")
        if not policy.allows(attachment.content_type):
            raise invalid("content_type", f"expected one of {', '.join(policy.types)}")
        expires_at = attachment.created_at + UNSENT_SECONDS
        self._attachments.add(attachment, expires_at=expires_at)
        upload = self._files().upload(_key(attachment), attachment, UPLOAD_SECONDS)
        return upload, attachment.created_at + UPLOAD_SECONDS

    def use(self, user_id: str, attachment_id: str) -> Attachment:
        """An attachment that its owner sends; it is looked at once and kept from then on.

        Raises:
            InvalidFieldError: It is no upload of theirs, or was not sent for a day.
            NotUploadedError: It is not in the bucket, or not as it was declared.
        """
        return self._use(user_id, attachment_id)

    def use_as_avatar(self, user_id: str, attachment_id: str) -> None:
        """The same for an image that everybody may see from now on."""
        self._use(user_id, attachment_id, as_avatar=True)

    def link(
        self, user_id: str, attachment_id: str, *, conversation_id: str = "", seq: int = 0
    ) -> tuple[Attachment, str, float]:
        """An attachment, a link to download it, and until when that is good (Unix seconds).

        Args:
            user_id: Who wants it.
            attachment_id: Which one.
            conversation_id: Of a message that has it; without one it must be an avatar, or theirs.
            seq: The message's number.

        Raises:
            ConversationNotFoundError, NotMemberError: The user may not read the conversation.
            NotFoundError: There is no such attachment, or no such message any more.
        """
        found = self._found(attachment_id)
        shown = (
            self._has(user_id, conversation_id, seq, attachment_id)
            if conversation_id
            else found and (found.is_public or found.owner_id == user_id)
        )
        if found is None or not shown or self._is_over(found):
            raise NotFoundError("there is no such attachment for you")
        name = f"filename*=UTF-8''{quote(found.name, safe='')}"
        inline = bool(_SHOWN.fullmatch(found.content_type))
        url = self._files().link(
            _key(found),
            disposition=f"{'inline' if inline else 'attachment'}; {name}",
            content_type=found.content_type if inline else "application/octet-stream",
            seconds=LINK_SECONDS,
        )
        return found, url, self._clock() + LINK_SECONDS

    def _found(self, attachment_id: str) -> Attachment | None:
        found = self._attachments.get(attachment_id)
        return None if found is None or found.is_removed else found

    def _has(self, user_id: str, conversation_id: str, seq: int, attachment_id: str) -> bool:
        """Whether a message, as the user may read it now, has this attachment."""
        try:
            message = self._messages.one(user_id, conversation_id, seq)
        except MessageNotFoundError:
            return False
        return (message.get("attachment") or {}).get("id") == attachment_id

    def _use(self, user_id: str, attachment_id: str, *, as_avatar: bool = False) -> Attachment:
        found = self._found(attachment_id)
        field = "avatar" if as_avatar else "attachment.id"
        if found is None or found.owner_id != user_id or self._is_over(found):
            raise invalid(field, "expected an upload of yours, of the last day if it is new")
        if as_avatar and not _IMAGE.fullmatch(found.content_type):
            raise invalid(field, "expected an image that browsers show")
        if not found.is_kept:
            self._check(found)
        is_done = found.is_kept and found.is_public >= as_avatar
        if not is_done and not self._attachments.keep(attachment_id, is_public=as_avatar):
            raise NotUploadedError("the upload has just expired: begin again")
        return found

    def _check(self, attachment: Attachment) -> None:
        key = _key(attachment)
        stored = self._files().find(key)
        if stored is not None:
            declared = StoredObject(attachment.size, attachment.content_type)
            if stored != declared:
                found = f"{stored.size} bytes of {stored.content_type}"
                raise NotUploadedError(f"declared otherwise, found {found}: upload it anew")
            if self._files().keep(key):
                return
        raise NotUploadedError("put the file to the upload's url first")

    def _is_over(self, attachment: Attachment) -> bool:
        """Whether its object may be gone by now."""
        age = self._clock() - attachment.created_at
        return not attachment.is_kept and age >= UNSENT_SECONDS


def _key(attachment: Attachment) -> str:
    return f"{attachment.owner_id}/{attachment.id}"
