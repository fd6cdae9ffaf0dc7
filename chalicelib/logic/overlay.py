"""What becomes of a message: pure functions from what is stored and a change to what is next.

Changes may come late or again: each edit, and each reaction of a user with one emoji, counts only
over an older one, by the time of its acceptance and then by its id. So any order ends the same.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from chalicelib.models import (
    MAX_SHOWN_REACTORS,
    Change,
    Changed,
    OwnMarks,
    OwnReaction,
    Placed,
    Reaction,
    is_tombstone,
    tombstone,
)


def edited(state: Changed, change: Change) -> Changed | None:
    """The message after an edit; None where a newer one stands."""
    if (change.at, change.id) <= (state.edited_at, state.edit_id):
        return None
    return replace(state, content=change.content, edited_at=change.at, edit_id=change.id)


def reacted(state: Changed, marks: OwnMarks, change: Change) -> tuple[Changed, OwnMarks] | None:
    """Message and user after a reaction; None where the user's newer one with it stands."""
    old = marks.reactions.get(change.emoji, OwnReaction("", "", stands=False))
    if (change.at, change.id) <= (old.at, old.id):
        return None
    new = OwnReaction(change.at, change.id, stands=not change.remove)
    reactions = dict(state.reactions)
    if new.stands != old.stands:
        before = reactions.pop(change.emoji, Reaction())
        after = _with(before, marks.user_id) if new.stands else _without(before, marks.user_id)
        if after.count > 0:
            reactions[change.emoji] = after
    own = {**marks.reactions, change.emoji: new}
    return replace(state, reactions=reactions), replace(marks, reactions=own)


def overlaid(placed: Placed, state: Changed | None, marks: OwnMarks | None, now: str) -> Placed:
    """A message as it is now, for everybody or, with their marks, for one user.

    Args:
        placed: As it is in the log.
        state: What became of it.
        marks: What one user did with it.
        now: RFC 3339; what has expired by then is a tombstone.
    """
    body = json.loads(placed.text)
    if is_tombstone(body):
        return placed
    if marks and marks.hidden:
        return tombstone(placed, {"deleted": True})
    expires_at = body.get("expires_at", "")
    if expires_at and expires_at <= now:
        return tombstone(placed, {"expires_at": expires_at})
    if state is None:
        return placed
    if state.content is not None:
        body |= {"content": state.content, "edited_at": state.edited_at}
    if state.reactions:
        own = marks.reactions if marks else {}
        body["reactions"] = {
            emoji: _shown(one, marks.user_id if marks and _stands(own, emoji) else "")
            for emoji, one in sorted(state.reactions.items())
        }
    return replace(placed, text=json.dumps(body, ensure_ascii=False, separators=(",", ":")))


def is_gone(body: Mapping[str, Any]) -> bool:
    """Whether nothing is left of a message, as a user sees it."""
    return is_tombstone(body) or "deleted" in body


def _with(reaction: Reaction, user_id: str) -> Reaction:
    shown = sorted({*reaction.user_ids, user_id})[:MAX_SHOWN_REACTORS]
    return Reaction(reaction.count + 1, tuple(shown))


def _without(reaction: Reaction, user_id: str) -> Reaction:
    shown = tuple(one for one in reaction.user_ids if one != user_id)
    return Reaction(reaction.count - 1, shown)


def _stands(own: Mapping[str, OwnReaction], emoji: str) -> bool:
    return emoji in own and own[emoji].stands


def _shown(reaction: Reaction, reader_id: str) -> dict[str, Any]:
    """Whoever reads and has reacted is always among those who are named."""
    users = {*reaction.user_ids, reader_id} - {""}
    return {"count": reaction.count, "user_ids": sorted(users)}
