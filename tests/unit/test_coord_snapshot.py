from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib import breaker
from chalicelib.aws import AwsError
from chalicelib.coord import ConfigCentre, CoordError, SnapshotStore
from chalicelib.logic.configuration import Document, Snapshot

PREFIX = "/lambchat/unit/"


class Behind:
    """Parameter Store, which counts what it is asked."""

    def __init__(self, **parameters: str) -> None:
        self.parameters = {PREFIX + name.replace("__", "/"): v for name, v in parameters.items()}
        self.asked: list[str] = []

    def call(self, operation: str, arguments: dict[str, Any], /) -> dict[str, Any]:
        path = arguments.get("Name") or arguments["Path"]
        self.asked.append(path)
        if operation == "GetParameter":
            if path not in self.parameters:
                raise AwsError("ParameterNotFound", "", 400)
            return {"Parameter": self.one(path)}
        return {"Parameters": [self.one(one) for one in self.parameters if one.startswith(path)]}

    def one(self, path: str) -> dict[str, Any]:
        return {"Name": path, "Value": self.parameters[path], "Version": 1}


class Cloud:
    """A configuration centre in front of a snapshot and Parameter Store."""

    def __init__(self, *elsewhere: str, **documents: str) -> None:
        self.now = 1_700_000_000.0
        self.loads = 0
        self.elsewhere = tuple(PREFIX + name for name in elsewhere)
        self.snapshot: Snapshot | None = None
        self.version = 0
        self.behind = Behind()
        self.centre = ConfigCentre(
            SnapshotStore(self.load, self.behind, clock=lambda: self.now),
            max_age_seconds=30,
            clock=lambda: self.now,
        )
        self.put(**documents)

    def put(self, **documents: str) -> None:
        self.version += 1
        found = {
            PREFIX + name.replace("__", "/"): Document(value, self.version)
            for name, value in documents.items()
        }
        self.snapshot = Snapshot(prefix=PREFIX, elsewhere=self.elsewhere, documents=found)

    def load(self) -> Snapshot | None:
        self.loads += 1
        return self.snapshot

    def get(self, name: str) -> str | None:
        found = self.centre.get(PREFIX + name)
        return found.value if found else None

    def list(self, name: str) -> dict[str, str]:
        return {one.path: one.value for one in self.centre.list(PREFIX + name)}


@pytest.mark.req("SHAPE-4")
def test_all_documents_are_one_read_and_parameter_store_is_not_asked() -> None:
    cloud = Cloud("auth/", breaker__a="1", breaker__b="2", breakers="3", mq__default="4")

    found = cloud.list("breaker"), cloud.get("mq/default"), cloud.get("mq/default")

    assert found == ({PREFIX + "breaker/a": "1", PREFIX + "breaker/b": "2"}, "4", "4")
    assert (cloud.loads, cloud.behind.asked) == (1, [])


def test_what_the_snapshot_would_have_is_known_to_be_missing_without_a_question() -> None:
    cloud = Cloud("auth/", "mq/shop/", feature="x")

    assert cloud.get("mq/lambchat") is None
    assert cloud.behind.asked == []


@pytest.mark.parametrize(
    "path", [PREFIX + "auth/key", PREFIX + "mq/secret", "/elsewhere/a", "/lambchat/unit2/a"]
)
def test_what_is_not_in_the_snapshot_comes_from_parameter_store(path: str) -> None:
    cloud = Cloud("auth/", "mq/secret/", feature="x")
    cloud.behind.parameters[path] = "hush"

    found = cloud.centre.get(path)

    assert found is not None
    assert (found.value, cloud.behind.asked) == ("hush", [path])


@pytest.mark.parametrize("name", ["mq", "auth", "auth/deep"])
def test_a_list_of_which_the_snapshot_has_a_part_comes_from_parameter_store(name: str) -> None:
    cloud = Cloud("auth/", "mq/secret/", mq__default="old")
    cloud.behind.parameters[f"{PREFIX}{name}/one"] = "whole"

    assert cloud.list(name) == {f"{PREFIX}{name}/one": "whole"}


def test_without_a_snapshot_parameter_store_answers() -> None:
    cloud = Cloud()
    cloud.snapshot = None
    cloud.behind.parameters[PREFIX + "feature"] = "x"

    assert (cloud.get("feature"), cloud.get("other")) == ("x", None)
    assert cloud.list("") == {PREFIX + "feature": "x"}


def test_a_list_that_parameter_store_began_it_ends() -> None:
    cloud = Cloud(feature="x")
    store = SnapshotStore(cloud.load, cloud.behind)

    page = store.call("GetParametersByPath", {"Path": PREFIX, "NextToken": "2"})

    assert page == {"Parameters": []}
    assert cloud.behind.asked == [PREFIX]


@pytest.mark.req("BRK-4")
def test_a_watch_sees_the_change_of_a_snapshot_at_a_check() -> None:
    """As in a Lambda, frozen between its invocations."""
    cloud, seen = Cloud(breaker__a="1"), []
    cloud.centre.watch(
        PREFIX + "breaker", lambda found: seen.append([*found.values()]), background=False
    )
    cloud.centre.check()
    cloud.put(breaker__a="2")

    cloud.centre.check()
    cloud.now += 36
    cloud.centre.check()

    assert [[one.value for one in found] for found in seen] == [["1"], ["2"]]
    assert cloud.loads == 2


@pytest.mark.req("SHAPE-4", "BRK-4")
def test_a_breaker_takes_its_new_policy_from_the_snapshot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_LAMBDA_FUNCTION_NAME", "f")
    cloud = Cloud(breaker__shop=json.dumps({"failure_threshold": 5}))
    options = breaker.with_config_centre(cloud.centre), breaker.with_clock(lambda: cloud.now)
    guarded = breaker.new(breaker.Config(PREFIX + "breaker"), *options).get_breaker("shop")

    def fail() -> None:
        raise OSError

    cloud.put(breaker__shop=json.dumps({"failure_threshold": 1}))
    cloud.now += 36
    cloud.centre.check()
    with pytest.raises(OSError):  # noqa: PT011
        guarded.do(None, fail)

    with pytest.raises(breaker.BreakerOpenError):
        guarded.do(None, fail)
    assert cloud.behind.asked == []


def test_when_both_are_away_the_last_copy_is_answered(caplog: pytest.LogCaptureFixture) -> None:
    cloud = Cloud(feature="x")
    cloud.get("feature")
    cloud.snapshot = None

    def away(*_: object) -> dict[str, Any]:
        raise AwsError("Unreachable", "", 0)

    cloud.behind.call = away  # type: ignore[method-assign]
    cloud.now += 100

    assert cloud.get("feature") == "x"
    assert "kept from an earlier read" in caplog.text
    with pytest.raises(CoordError):
        cloud.get("other")


def test_a_secret_is_known_as_one() -> None:
    behind = Behind(key="hush", open="x")
    told = {PREFIX + "key": {"Type": "SecureString"}, PREFIX + "open": {"Type": "String"}}
    one = behind.one
    behind.one = lambda path: one(path) | told[path]  # type: ignore[method-assign]

    found = ConfigCentre(behind).list(PREFIX, decrypt=False)

    assert {parameter.path: parameter.is_secret for parameter in found} == {
        PREFIX + "key": True,
        PREFIX + "open": False,
    }
