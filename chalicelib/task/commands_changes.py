"""The command that changes messages, and the event that says so."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.broker import Broker, Command, event_message
from chalicelib.context import Context
from chalicelib.logic.change_writer import ChangeWriter
from chalicelib.models import Change, ChangeKind, conversation_type
from chalicelib.task.commands import read_all
from chalicelib.task.events import MessagesChanged


def register_changes(broker: Broker, writer: Callable[[], ChangeWriter]) -> None:
    """``change``: an accepted edit, recall or reaction is carried out; or a message expires."""

    @broker.batch_task("change")
    def change(commands: Sequence[Command]) -> None:
        traces = {one.args.get("id"): one.trace_id for one in commands}
        done: dict[str, list[Change]] = {}
        for one in writer().apply(read_all(broker, commands, _change)):
            done.setdefault(one.conversation_id, []).append(one)
        events = [
            event_message(_changed(key, group), key, trace_id=traces[group[0].id])
            for key, group in done.items()
        ]
        if events:
            broker.connection.send(Context(), *events)


def _changed(conversation_id: str, changes: Sequence[Change]) -> MessagesChanged:
    return MessagesChanged(
        conversation_id=conversation_id,
        conversation_type=conversation_type(conversation_id).value,
        changes=[_reference(one) for one in changes],
    )


def _reference(change: Change) -> dict[str, object]:
    found: dict[str, object] = {
        "id": change.id,
        "seq": change.seq,
        "kind": change.kind.value,
        "user_id": change.user_id,
        "at": change.at,
    }
    if change.kind is ChangeKind.REACT:
        found |= {"emoji": change.emoji, "remove": change.remove}
    return found


def _change(command: Command) -> Change:
    args = command.args
    return Change(**{**args, "seq": int(args["seq"]), "kind": ChangeKind(args["kind"])})
