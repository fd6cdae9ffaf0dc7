"""Routes `edit`, `recall`, `react`: one function, so that three seldom routes share warm ones."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from chalicelib import bootstrap_changes
from chalicelib.change_frames import parse_edit, parse_react, parse_recall
from chalicelib.frames import answer
from functions._websocket import Call, route


def edit(call: Call) -> None:
    """Gives a message another content."""
    frame = parse_edit(call.body)
    bootstrap_changes.changes().edit(
        call.ctx, call.user_id, frame.conversation_id, frame.seq, frame.content
    )


def recall(call: Call) -> None:
    """Takes a message back."""
    frame = parse_recall(call.body)
    bootstrap_changes.changes().recall(call.ctx, call.user_id, frame.conversation_id, frame.seq)


def react(call: Call) -> None:
    """Gives a reaction, or takes it back."""
    frame = parse_react(call.body)
    bootstrap_changes.changes().react(
        call.ctx,
        call.user_id,
        frame.conversation_id,
        frame.seq,
        frame.emoji,
        remove=frame.remove,
    )


_ROUTES: Mapping[str, Callable[[Call], None]] = {"edit": edit, "recall": recall, "react": react}


def change(call: Call) -> str:
    """Answers once Kafka has the change."""
    _ROUTES[call.body["type"]](call)
    return answer("ok", call.body)


handler = route(change)
