from __future__ import annotations

from typing import Any

import pytest

from chalicelib.aws import AwsError
from chalicelib.coord import ConfigCentre, CoordError, parameter_path


class Store:
    def __init__(self, **parameters: str) -> None:
        self.parameters = {f"/{name}": value for name, value in parameters.items()}
        self.calls = 0
        self.away = False

    def call(self, operation: str, arguments: dict[str, Any], /) -> dict[str, Any]:
        self.calls += 1
        if self.away:
            raise AwsError("Unreachable", "", 0)
        if operation == "GetParametersByPath":
            return self.page(int(arguments.get("NextToken", 0)))
        if arguments["Name"] not in self.parameters:
            raise AwsError("ParameterNotFound", "", 400)
        return {"Parameter": self.one(arguments["Name"])}

    def one(self, name: str) -> dict[str, Any]:
        return {"Name": name, "Value": self.parameters[name], "Version": 1}

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
