"""Which messages have an attachment: with the last of them its object goes.

A reference stands in the attachment's row before Kafka has the message, so a row without any is
of no message: whoever refers to it in the same moment loses, or has it kept. What cannot be
decided, such as a message that was referred to and never sent, keeps the object.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from typing import Protocol

from chalicelib.frame_fields import invalid
from chalicelib.models import Attachment, Placed

PAGE = 25  # objects a step


class Attachments(Protocol):
    """The stored uploads."""

    def get(self, attachment_id: str) -> Attachment | None: ...
    def refer(self, attachment_id: str, message_id: str) -> bool: ...
    def release(self, attachment_id: str, message_id: str) -> None: ...
    def seal(self, attachment_id: str, *, even_public: bool) -> bool: ...
    def delete(self, attachment_id: str) -> None: ...


class Files(Protocol):
    """The bucket."""

    def page(self, prefix: str, *, after: str, limit: int) -> Sequence[str]: ...
    def delete(self, key: str) -> None: ...


class AttachmentReferences:
    """Keeps what messages refer to, and removes the rest.

    Args:
        attachments: The table.
        files: The bucket; seldom needed.
        enqueue: Has `clear` called, for pairs of attachment and message.
    """

    def __init__(
        self,
        *,
        attachments: Attachments,
        files: Callable[[], Files],
        enqueue: Callable[[Sequence[tuple[str, str]]], None],
    ) -> None:
        self._attachments = attachments
        self._files = files
        self._enqueue = enqueue

    def refer(self, attachment_id: str, message_id: str) -> None:
        """A message that is being accepted has an attachment; again is no fault.

        Raises:
            InvalidFieldError: It is gone.
        """
        if not self._attachments.refer(attachment_id, message_id):
            raise invalid("attachment", "expected a file that is still there")

    def forget(self, placed: Iterable[Placed]) -> None:
        """Messages lose their content; to be called before they do, for it names what they have."""
        pairs = [
            (attachment["id"], one.id)
            for one in placed
            if '"attachment"' in one.text and (attachment := json.loads(one.text).get("attachment"))
        ]
        if pairs:
            self._enqueue(pairs)

    def clear(self, attachment_id: str, message_id: str) -> None:
        """Takes a reference away, and with the last one the object; avatars stay.

        Raises:
            UnavailableError: The store or the bucket is away; it is to be done again.
        """
        self._attachments.release(attachment_id, message_id)
        found = self._attachments.get(attachment_id)
        if found and self._attachments.seal(attachment_id, even_public=False):
            self._remove(attachment_id, f"{found.owner_id}/{attachment_id}")

    def erase(self, user_id: str, after: str) -> str:
        """Removes some of a deleted user's objects, but those that messages have.

        Returns:
            Where to go on, empty at the end.
        """
        keys = self._files().page(f"{user_id}/", after=after, limit=PAGE)
        for key in keys:
            attachment_id = key.rpartition("/")[2]
            is_known = self._attachments.get(attachment_id) is not None
            if not is_known or self._attachments.seal(attachment_id, even_public=True):
                self._remove(attachment_id, key)
        return keys[-1] if len(keys) == PAGE else ""

    def _remove(self, attachment_id: str, key: str) -> None:
        self._files().delete(key)
        self._attachments.delete(attachment_id)
