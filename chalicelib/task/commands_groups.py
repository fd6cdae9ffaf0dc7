"""The commands of groups: chunks of pushes, and clearing away dismissed groups."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chalicelib.broker import Broker, Command, Retry
from chalicelib.context import Context
from chalicelib.logic.group_endings import GroupEndings
from chalicelib.logic.large_groups import LargeGroupService, PushChunk
from chalicelib.task.commands import read_all


def register_groups(
    broker: Broker,
    *,
    large_groups: Callable[[], LargeGroupService],
    endings: Callable[[], GroupEndings],
) -> None:
    """``push_chunk``: part of a large group gets messages. ``clear_group``: rows go, in steps."""

    @broker.batch_task("push_chunk")
    def push_chunk(commands: Sequence[Command]) -> None:
        large_groups().push(read_all(broker, commands, lambda one: PushChunk(**one.args)))

    @broker.task("clear_group", retry=Retry(attempts=12))
    def clear_group(ctx: Context, group_id: str) -> None:
        if endings().clear(group_id):
            clear_group.kiq(ctx, group_id, group_id)
