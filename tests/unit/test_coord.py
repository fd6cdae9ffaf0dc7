from __future__ import annotations

import threading
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.aws import AwsError
from chalicelib.coord import ConfigCentre, CoordError, Parameter, parameter_path


class Store:
    def __init__(self, **parameters: str) -> None:
        self.parameters = {f"/{name}": value for name, value in parameters.items()}
        self.versions = dict.fromkeys(self.parameters, 1)
        self.calls = 0
        self.away = False
        self.away_after: int | None = None
        self.throttled = 0

    def put(self, name: str, value: str = "") -> None:
        self.parameters[f"/{name}"] = value
        self.versions[f"/{name}"] = self.versions.get(f"/{name}", 0) + 1

    def call(self, operation: str, arguments: dict[str, Any], /) -> dict[str, Any]:
        self.calls += 1
        if self.throttled:
            self.throttled -= 1
            raise AwsError("ThrottlingException", "", 400)
        if self.away or (self.away_after is not None and self.calls > self.away_after):
            raise AwsError("Unreachable", "", 0)
        if operation == "GetParametersByPath":
            return self.page(int(arguments.get("NextToken", 0)))
        if arguments["Name"] not in self.parameters:
            raise AwsError("ParameterNotFound", "", 400)
        return {"Parameter": self.one(arguments["Name"])}

    def one(self, name: str) -> dict[str, Any]:
        return {"Name": name, "Value": self.parameters[name], "Version": self.versions[name]}

    def page(self, start: int) -> dict[str, Any]:
        names = sorted(self.parameters)
        page: dict[str, Any] = {"Parameters": [self.one(name) for name in names[start : start + 2]]}
        return page | ({"NextToken": str(start + 2)} if start + 2 < len(names) else {})


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def centre(store: Store, clock: Clock) -> ConfigCentre:
    return ConfigCentre(store, max_age_seconds=10, clock=clock)


def test_a_young_copy_is_answered_without_a_call_and_an_old_one_is_read_anew() -> None:
    store, clock = Store(a="1"), Clock()
    config = centre(store, clock)
    config.get("/a")
    store.parameters["/a"] = "2"

    young = config.get("/a")
    clock.now += 13
    old = config.get("/a")

    assert young is not None
    assert old is not None
    assert (young.value, old.value, store.calls) == ("1", "2", 2)


def test_who_asks_for_a_younger_copy_gets_one() -> None:
    store, clock = Store(a="1"), Clock()
    config = centre(store, clock)
    config.get("/a", max_age_seconds=300)
    store.parameters["/a"] = "2"
    clock.now += 13

    kept = config.get("/a", max_age_seconds=300)
    younger = config.get("/a", max_age_seconds=5)
    store.parameters["/a"] = "3"
    newest = config.get("/a", max_age_seconds=0)

    found = [one.value for one in (kept, younger, newest) if one]
    assert found == ["1", "2", "3"]


def test_a_missing_parameter_is_none() -> None:
    assert centre(Store(), Clock()).get("/a") is None


def test_an_outage_is_survived_with_the_last_copy(caplog: pytest.LogCaptureFixture) -> None:
    store, clock = Store(a="1"), Clock()
    config = centre(store, clock)
    config.get("/a")
    store.away = True
    clock.now += 100

    kept = config.get("/a")

    assert kept is not None
    assert kept.value == "1"
    assert "kept" in caplog.text


def test_an_outage_with_no_copy_is_an_error() -> None:
    store = Store(a="1")
    store.away = True

    with pytest.raises(CoordError, match="/a"):
        centre(store, Clock()).get("/a")
    with pytest.raises(CoordError, match="/"):
        centre(store, Clock()).list("/")


def test_a_long_path_is_read_page_by_page() -> None:
    store = Store(a="1", b="2", c="3", d="4", e="5")

    assert [one.value for one in centre(store, Clock()).list("/")] == ["1", "2", "3", "4", "5"]


def test_a_value_is_not_shown_by_accident() -> None:
    assert "secret" not in repr(centre(Store(a="secret"), Clock()).get("/a"))


def test_our_paths_begin_with_the_stage(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STAGE", "beta")

    assert parameter_path("mq", "default") == "/lambchat/beta/mq/default"


class Seen(list[dict[str, str]]):
    """What a watch called back with."""

    def __call__(self, parameters: Mapping[str, Parameter]) -> None:
        self.append({path: one.value for path, one in parameters.items()})


@pytest.mark.req("BRK-4")
def test_a_watch_calls_back_at_first_and_after_each_change_of_a_version() -> None:
    store, clock, seen = Store(a="1"), Clock(), Seen()
    config = centre(store, clock)
    config.watch("/", seen, background=False)

    for change in (lambda: None, lambda: None, lambda: store.put("a", "2"), lambda: store.put("b")):
        change()
        clock.now += 13
        config.check()
    del store.parameters["/a"]
    clock.now += 13
    config.check()

    assert seen == [{"/a": "1"}, {"/a": "2"}, {"/a": "2", "/b": ""}, {"/b": ""}]


def test_a_parameter_that_was_deleted_and_made_again_is_a_change() -> None:
    store, clock, seen = Store(a="1"), Clock(), Seen()
    config = centre(store, clock)
    config.watch("/", seen, background=False)

    store.parameters["/a"] = "2"  # version 1 again
    clock.now += 13
    config.check()

    assert seen == [{"/a": "1"}, {"/a": "2"}]


def test_a_check_before_its_time_makes_no_call() -> None:
    store, clock = Store(a="1"), Clock()
    config = centre(store, clock)
    config.watch("/", Seen(), background=False)
    config.check()
    calls = store.calls

    clock.now += 7
    config.check()

    assert store.calls == calls


def test_a_watch_never_sees_half_a_set_and_says_so_once(caplog: pytest.LogCaptureFixture) -> None:
    store, clock, seen = Store(a="1", b="2", c="3"), Clock(), Seen()
    config = centre(store, clock)
    config.watch("/", seen, background=False)
    config.check()
    store.put("a", "9")
    store.away_after = store.calls + 1

    for _ in range(3):
        clock.now += 200
        config.check()
    store.away_after = None
    clock.now += 200
    config.check()

    assert seen == [{"/a": "1", "/b": "2", "/c": "3"}, {"/a": "9", "/b": "2", "/c": "3"}]
    assert caplog.text.count("kept from an earlier read") == 1


def test_a_throttled_call_is_repeated_with_growing_pauses() -> None:
    store, pauses = Store(a="1"), [0.0]
    store.throttled = 3

    found = ConfigCentre(store, sleep=pauses.append).get("/a")

    assert found is not None
    assert len(pauses) == 4
    assert all(0 <= pause <= 0.1 * 2**at for at, pause in enumerate(pauses[1:]))


def test_a_thread_watches_in_a_long_lived_process() -> None:
    store, seen, changed = Store(a="1"), Seen(), threading.Event()

    def callback(parameters: Mapping[str, Parameter]) -> None:
        seen(parameters)
        changed.set()

    watch = ConfigCentre(store).watch("/", callback, interval_seconds=0.01)
    assert changed.wait(30)
    changed.clear()
    store.put("a", "2")
    assert changed.wait(30)
    watch.close()

    assert seen[-1] == {"/a": "2"}


def test_in_a_lambda_no_thread_watches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    seen = Seen()
    config = ConfigCentre(Store(a="1"))

    config.watch("/", seen)
    before = threading.active_count()
    config.check()

    assert seen == [{"/a": "1"}]
    assert threading.active_count() == before


def test_a_callback_that_fails_ends_nothing(caplog: pytest.LogCaptureFixture) -> None:
    config = ConfigCentre(Store(a="1"))

    def fail(_parameters: Mapping[str, Parameter]) -> None:
        raise ValueError("no")

    config.watch("/", fail, background=False)
    config.check()

    assert "not taken" in caplog.text
