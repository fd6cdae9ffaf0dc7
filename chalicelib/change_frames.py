"""Frames that change a message, and the optional members of one to be sent. No I/O."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from chalicelib.frame_fields import content_of, id_of, invalid, number_of, text_of

MAX_EMOJI_LENGTH = 32  # characters: the longest emoji are sequences of a dozen
MAX_MENTIONS = 50
MAX_EXPIRES_IN_SECONDS = 366 * 86_400
ALL = "all"
OPTIONS = frozenset(("reply_to", "mentions", "forward_of", "expires_in", "attachment"))
# No control characters, private use, and blanks of any kind; but joiners.
EMOJI = (
    "[^\\x00-\\x20\\x7f-\\xa0\\u1680\\u2000-\\u200a\\u2028\\u2029\\u202f\\u205f\\u3000\\ue000-\\uf8ff"
    f"\U000f0000-\U000ffffd\U00100000-\U0010fffd]{{1,{MAX_EMOJI_LENGTH}}}"
)
_EMOJI = re.compile(EMOJI)


@dataclass(frozen=True, slots=True, kw_only=True)
class EditFrame:
    """``edit``: another content."""

    conversation_id: str
    seq: int
    content: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallFrame:
    """``recall``: the message goes, its number stays."""

    conversation_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ReactFrame:
    """``react``: a reaction is given, or taken back."""

    conversation_id: str
    seq: int
    emoji: str
    remove: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """The message that one forwards."""

    conversation_id: str
    seq: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DraftOptions:
    """What a message to be sent may have beside its content; most have nothing of it.

    Attributes:
        reply_to: The number of the message, of the same conversation, that it answers.
        mentions: User ids, or only ``all``.
        forward_of: Has the server copy that message.
        expires_in: Seconds, after which it is a tombstone.
        attachment: The id of one that the sender has uploaded.
    """

    reply_to: int | None = None
    mentions: tuple[str, ...] = ()
    forward_of: Source | None = None
    expires_in: int | None = None
    attachment: str = ""


def parse_edit(body: Mapping[str, Any]) -> EditFrame:
    """Reads an ``edit`` frame.

    Raises:
        InvalidFieldError: A field is missing or wrong.
        TooLargeError: The content is longer than 16 KiB.
    """
    return EditFrame(**_place(body), content=content_of(body))


def parse_recall(body: Mapping[str, Any]) -> RecallFrame:
    """Reads a ``recall`` frame.

    Raises:
        InvalidFieldError: A field is missing or wrong.
    """
    return RecallFrame(**_place(body))


def parse_react(body: Mapping[str, Any]) -> ReactFrame:
    """Reads a ``react`` frame.

    Raises:
        InvalidFieldError: A field is missing or wrong.
    """
    remove = body.get("remove", False)
    if not isinstance(remove, bool):
        raise invalid("remove", "expected true or false")
    return ReactFrame(**_place(body), emoji=emoji_of(body.get("emoji")), remove=remove)


def emoji_of(value: Any) -> str:
    """What somebody reacts with: an emoji, or any short text without blanks.

    Raises:
        InvalidFieldError: It is something else.
    """
    emoji = text_of("emoji", value)
    if not _EMOJI.fullmatch(emoji):
        raise invalid("emoji", f"expected 1 to {MAX_EMOJI_LENGTH} characters, none of them blank")
    return emoji


def parse_options(body: Mapping[str, Any]) -> DraftOptions:
    """Reads the optional members of a message to be sent; one that is null is none.

    Raises:
        InvalidFieldError: One of them is wrong.
    """
    given = {name for name in OPTIONS if body.get(name) is not None}
    return DraftOptions(
        reply_to=number_of(body, "reply_to", minimum=1) if "reply_to" in given else None,
        mentions=_mentions(body["mentions"]) if "mentions" in given else (),
        forward_of=_source(body) if "forward_of" in given else None,
        expires_in=number_of(body, "expires_in", minimum=1, maximum=MAX_EXPIRES_IN_SECONDS)
        if "expires_in" in given
        else None,
        attachment=_attachment(body["attachment"]) if "attachment" in given else "",
    )


def _place(body: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "conversation_id": id_of(body, "conversation_id"),
        "seq": number_of(body, "seq", minimum=1),
    }


def _mentions(value: Any) -> tuple[str, ...]:
    if not isinstance(value, list) or len(value) > MAX_MENTIONS:
        raise invalid("mentions", f"expected a list of at most {MAX_MENTIONS} user ids")
    found = tuple(dict.fromkeys(id_of({"mentions": one}, "mentions") for one in value))
    return (ALL,) if ALL in found else found


def _attachment(value: Any) -> str:
    if not isinstance(value, dict):
        raise invalid("attachment", "expected an object with the id of an upload")
    return id_of(value, "id", "attachment.")


def _source(body: Mapping[str, Any]) -> Source:
    value = body["forward_of"]
    if not isinstance(value, dict):
        raise invalid("forward_of", "expected an object of conversation_id and seq")
    if body.get("content"):
        raise invalid("content", "expected none: that of the forwarded message is taken")
    return Source(
        conversation_id=id_of(value, "conversation_id", "forward_of."),
        seq=number_of(value, "seq", "forward_of.", minimum=1),
    )
