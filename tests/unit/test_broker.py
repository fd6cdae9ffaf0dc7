"""Tasks: enqueued, carried out, tried again, given up."""

from __future__ import annotations

import json
import threading
from dataclasses import dataclass

import pytest

from chalicelib.broker import (
    BaseEvent,
    Broker,
    Command,
    PoisonError,
    Retry,
    TaskTimeoutError,
    decode,
)
from chalicelib.context import Context
from chalicelib.mq import DeliveryError, Message
from tests.unit.broker_fakes import FakeKafka, Fixture, trigger_event


@dataclass(frozen=True, kw_only=True)
class Erased(BaseEvent):
    event_name = "user.erased"
    user: str


@pytest.fixture
def on() -> Fixture:
    return Fixture()


@pytest.mark.req("TASK-3")
def test_a_task_that_was_enqueued_is_carried_out_with_its_arguments_and_trace(on: Fixture) -> None:
    seen: list[tuple[str, int, str]] = []

    @on.broker.task("greet")
    def greet(ctx: Context, name: str, times: int = 1) -> None:
        seen.append((name, times, ctx.trace_id))

    greet.kiq(Context(), "k1", "Zoë", times=2)
    (message,) = on.kafka.sent
    on.broker.run("tasks", decode(on.taken()))

    assert (message.topic, message.key) == ("TASKS", b"k1")
    assert seen == [("Zoë", 2, "abc")]


@pytest.mark.req("TASK-3")
def test_a_batch_task_gets_all_commands_in_order_with_their_places(on: Fixture) -> None:
    seen: list[list[Command]] = []
    deliver = on.broker.batch_task("deliver", group="fanout")(lambda batch: seen.append([*batch]))

    for number in range(3):
        deliver.kiq(Context(), "k", number=number)
    on.broker.run("fanout", decode(on.taken()))

    ((first, second, third),) = seen
    assert [one.args for one in (first, second, third)] == [{"number": n} for n in range(3)]
    assert (third.key, third.source, third.offset) == ("k", "TASKS-3", 2)


def test_a_task_called_runs_here_and_now(on: Fixture) -> None:
    seen: list[str] = []

    @on.broker.task("greet")
    def greet(_ctx: Context, name: str) -> None:
        seen.append(name)

    greet(Context(), "here")

    assert seen == ["here"]
    assert on.kafka.sent == []


def test_wrong_arguments_are_refused_before_anything_is_sent(on: Fixture) -> None:
    @on.broker.task("greet")
    def greet(_ctx: Context, name: str) -> None:
        raise AssertionError(name)

    with pytest.raises(TypeError, match="name"):
        greet.kiq(Context(), "k")  # type: ignore[call-arg]

    assert on.kafka.sent == []


def test_a_task_that_kafka_does_not_confirm_is_an_error(on: Fixture) -> None:
    on.kafka.away = True

    with pytest.raises(DeliveryError):
        on.broker.batch_task("t")(lambda _batch: None).kiq(Context(), "k")


@pytest.mark.req("TASK-3")
def test_groups_share_the_tasks_and_leave_each_others_alone(on: Fixture) -> None:
    seen: list[str] = []
    fast = on.broker.batch_task("fast", group="fanout")(lambda _: seen.append("fast"))
    slow = on.broker.batch_task("slow")(lambda _: seen.append("slow"))
    fast.kiq(Context(), "k")
    slow.kiq(Context(), "k")
    event = on.taken()

    on.broker.run("fanout", decode(event))
    assert seen == ["fast"]
    on.broker.run("tasks", decode(event))

    assert seen == ["fast", "slow"]
    assert on.broker.groups == {"fanout": "TASKS", "tasks": "TASKS"}
    assert on.parked == []


@pytest.mark.parametrize(
    "value",
    [
        b"",
        b"rubbish",
        b"[]",
        b'{"v":1,"task":"unknown"}',
        b'{"v":1,"task":"greet","attempt":"x"}',
        b'{"v":1,"task":"greet","args":[1]}',
    ],
)
def test_a_record_that_can_never_succeed_is_parked_once_and_the_others_go_on(
    on: Fixture, value: bytes
) -> None:
    seen: list[Command] = []
    on.broker.batch_task("other", group="fanout")(seen.extend)
    greet = on.broker.batch_task("greet")(seen.extend)
    event = trigger_event(Message("TASKS", b"k", value), greet.message("k", {}))

    for group in ("fanout", "tasks"):
        on.broker.run(group, decode(event))

    assert [one.name for one in seen] == ["greet"]
    assert [command.offset for command, _ in on.parked] == [0]


def test_arguments_that_a_task_does_not_take_are_parked(on: Fixture) -> None:
    @on.broker.task("greet")
    def greet(_ctx: Context, name: str) -> None:
        raise AssertionError(name)

    on.broker.run("tasks", decode(trigger_event(greet.message("k", {"nome": "x"}))))

    ((_, error),) = on.parked
    assert isinstance(error, PoisonError)


def test_a_record_in_a_newer_format_is_left_to_a_newer_function(on: Fixture) -> None:
    on.broker.batch_task("greet")(lambda _: None)
    newer = Message("TASKS", b"k", json.dumps({"v": 2, "task": "greet"}).encode())

    with pytest.raises(RuntimeError, match="format 2"):
        on.broker.run("tasks", decode(trigger_event(newer)))

    assert on.parked == []


def test_without_a_retry_policy_a_failure_has_the_batch_brought_again(on: Fixture) -> None:
    @on.broker.task("fail")
    def fail(_ctx: Context) -> None:
        raise OSError("store away")

    fail.kiq(Context(), "k")

    with pytest.raises(OSError, match="store away"):
        on.broker.run("tasks", decode(on.taken()))


def test_with_a_retry_policy_a_failed_command_comes_again_later_and_the_others_go_on(
    on: Fixture,
) -> None:
    seen: list[int] = []

    @on.broker.task("call", retry=Retry(attempts=3, first_seconds=10))
    def call(_ctx: Context, number: int) -> None:
        seen.append(number)
        if number == 0:
            raise OSError("refused")

    for number in range(2):
        call.kiq(Context(), "k", number)
    on.broker.run("tasks", decode(on.taken()))
    assert seen == [0, 1]

    for _ in range(2):
        assert on.kafka.sent == []
        on.now += 21
        assert on.broker.release(Context()) == 1
        on.broker.run("tasks", decode(on.taken()))

    assert seen == [0, 1, 0, 0]
    ((command, error),) = on.parked
    assert (command.attempt, command.args, str(error)) == (2, {"number": 0}, "refused")
    assert on.delays.kept == {}


def test_waits_double_with_jitter_up_to_a_limit() -> None:
    retry = Retry(first_seconds=1, max_seconds=60)

    waits = [[retry.wait(attempt) for _ in range(200)] for attempt in (0, 3, 1000)]

    for found, most in zip(waits, (1, 8, 60), strict=True):
        assert 0.8 * most < max(found) <= most
        assert min(found) < 0.2 * most


def test_a_delayed_command_is_sent_when_it_is_due_under_its_own_trace(on: Fixture) -> None:
    @on.broker.task("remind")
    def remind(_ctx: Context, what: str) -> None:
        raise AssertionError(what)

    for what in ("tea", "coffee", "cake"):
        remind.with_options(delay_seconds=60).kiq(Context(trace_id=what), "k", what)
    assert on.broker.release(Context()) == 0
    on.now += 60

    assert on.broker.release(Context()) == 3
    assert on.kafka.traces == ["tea", "coffee", "cake"]
    assert on.delays.kept == {}


def test_a_delayed_command_that_cannot_be_sent_is_kept(on: Fixture) -> None:
    task = on.broker.task("t")(lambda _ctx: None)
    task.with_options(delay_seconds=1).kiq(Context(), "k")
    on.now += 2
    on.kafka.away = True

    with pytest.raises(DeliveryError):
        on.broker.release(Context())

    assert len(on.delays.kept) == 1


def test_commands_with_the_same_idempotency_key_are_carried_out_once(on: Fixture) -> None:
    seen: list[str] = []

    @on.broker.task("charge")
    def charge(_ctx: Context, order: str) -> None:
        seen.append(order)
        if len(seen) == 1:
            raise OSError("the bank is away")

    charge.with_options(idempotency_key="o1").kiq(Context(), "k", "o1")
    charge.with_options(idempotency_key="o1").kiq(Context(), "k", "o1")
    event = on.taken()
    with pytest.raises(OSError, match="bank"):
        on.broker.run("tasks", decode(event))
    on.broker.run("tasks", decode(event))

    assert seen == ["o1", "o1"], "one attempt that failed, and one that did not"


def test_a_task_that_takes_too_long_has_failed_and_is_told(on: Fixture) -> None:
    told = threading.Event()

    @on.broker.task("slow", timeout=0.01)
    def slow(ctx: Context) -> None:
        assert ctx.deadline is not None
        assert ctx.cancelled is not None
        if ctx.cancelled.wait(30):
            told.set()

    slow.kiq(Context(), "k")
    with pytest.raises(TaskTimeoutError):
        on.broker.run("tasks", decode(on.taken()))

    assert told.wait(30)


def test_within_its_time_a_task_answers_and_fails_as_usual(on: Fixture) -> None:
    seen: list[bool] = []

    @on.broker.task("quick", timeout=10)
    def quick(_ctx: Context, fails: bool) -> None:
        seen.append(fails)
        if fails:
            raise OSError("no")

    quick.kiq(Context(), "k", fails=False)
    quick.kiq(Context(), "k", fails=True)
    with pytest.raises(OSError, match="no"):
        on.broker.run("tasks", decode(on.taken()))

    assert seen == [False, True]


@pytest.mark.req("TASK-6")
def test_a_workflow_is_a_chain_of_commands_with_its_event_at_the_end(on: Fixture) -> None:
    steps: list[str] = []
    broken = [True]

    @on.broker.task("erase.messages")
    def erase_messages(ctx: Context, user: str) -> None:
        steps.append("messages")
        erase_profile.kiq(ctx, user, user)

    @on.broker.task("erase.profile")
    def erase_profile(ctx: Context, user: str) -> None:
        if broken.pop() if broken else False:
            raise OSError("store away")
        steps.append("profile")
        on.broker.publish(ctx, Erased(user=user), key=user)

    erase_messages.kiq(Context(), "u1", "u1")
    on.broker.run("tasks", decode(on.taken()))
    second = on.taken()
    with pytest.raises(OSError, match="away"):
        on.broker.run("tasks", decode(second))
    assert on.kafka.sent == [], "no event before every step succeeded"
    on.broker.run("tasks", decode(second))

    (event,) = on.kafka.sent
    assert steps == ["messages", "profile"]
    assert (event.topic, json.loads(event.value)["event"]) == ("EVENTS", "user.erased")


def test_different_tasks_with_one_key_keep_their_order(on: Fixture) -> None:
    seen: list[list[str]] = []
    tasks = [
        on.broker.batch_task(name)(lambda batch: seen.append([one.name for one in batch]))
        for name in ("a", "b")
    ]
    for at in (0, 1, 0, 0):
        tasks[at].kiq(Context(), "k")

    on.broker.run("tasks", decode(on.taken()))

    assert seen == [["a"], ["b"], ["a", "a"]]


def test_names_are_taken_once(on: Fixture) -> None:
    on.broker.batch_task("t")(lambda _: None)
    on.broker.listener("e", name="l")(lambda _ctx, _payload: None)

    with pytest.raises(ValueError, match="task 't'"):
        on.broker.batch_task("t", group="other")(lambda _: None)
    with pytest.raises(ValueError, match="listener 'l'"):
        on.broker.listener("e2", name="l")(lambda _ctx, _payload: None)
    with pytest.raises(ValueError, match="group 'l'"):
        on.broker.batch_task("t2", group="l")(lambda _: None)


def test_what_needs_a_store_says_so() -> None:
    def nobody(_command: Command, _error: Exception) -> None:
        raise AssertionError

    broker = Broker(FakeKafka(), dead_letter=nobody)

    with pytest.raises(ValueError, match="delay store"):
        broker.task("t", retry=Retry())(lambda _ctx: None)
    with pytest.raises(ValueError, match="delay store"):
        broker.task("t")(lambda _ctx: None).with_options(delay_seconds=1)
    with pytest.raises(ValueError, match="done store"):
        broker.task("u")(lambda _ctx: None).with_options(idempotency_key="k")
    assert broker.release(Context()) == 0


@pytest.mark.req("TASK-1", "TASK-7")
def test_both_topics_are_ensured_before_the_startup_hooks_and_all_is_closed_in_order(
    on: Fixture,
) -> None:
    order: list[str] = []
    on.broker.on_startup(lambda: order.append(f"start {len(on.kafka.topics)}"))
    on.broker.on_shutdown(lambda: order.append("first"))
    on.broker.on_shutdown(lambda: order.append(f"last {on.kafka.closed}"))

    on.broker.startup(Context(), partitions=4, replication=3)
    on.broker.close()

    assert on.kafka.topics == [(4, 3)]
    assert order == ["start 1", "last 0", "first"]
    assert on.kafka.closed == 1
