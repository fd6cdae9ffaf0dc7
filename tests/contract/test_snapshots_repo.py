from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from uuid import uuid4

import boto3
import pytest

from chalicelib import bootstrap_policies, coord
from chalicelib.aws import JsonService
from chalicelib.coord import ConfigCentre, SnapshotStore, parameter_path
from chalicelib.errors import UnavailableError
from chalicelib.logic.configuration import MAX_BYTES, ConfigurationWatcher, Snapshot
from chalicelib.repo.dynamodb import encode_item, table
from chalicelib.repo.snapshots import SnapshotRepository
from tests.built import forget_built
from tests.contract.conftest import Connect
from tests.fakes_configuration import FakeSnapshots

Snapshots = SnapshotRepository | FakeSnapshots


@pytest.fixture(params=["fake", "endpoint"])
def snapshots(request: pytest.FixtureRequest) -> Snapshots:
    """The table, empty: there is one item a stage."""
    if request.param == "fake":
        return FakeSnapshots()
    tables: JsonService = request.getfixturevalue("tables")
    empty(tables)
    return SnapshotRepository(tables)


def empty(tables: JsonService) -> None:
    key = encode_item({"id": "configuration"})
    tables.call("DeleteItem", {"TableName": table("snapshots"), "Key": key})


def test_there_is_nothing_at_first(snapshots: Snapshots) -> None:
    assert snapshots.read(consistent=True) is None
    assert snapshots.read(consistent=False) is None


def test_what_was_written_is_read_back(snapshots: Snapshots) -> None:
    assert snapshots.write(1, '{"Zoë": "👩‍🚀"}')

    assert snapshots.read(consistent=True) == (1, '{"Zoë": "👩‍🚀"}')


@pytest.mark.req("SHAPE-4")
def test_a_version_follows_the_one_before_and_no_other(snapshots: Snapshots) -> None:
    snapshots.write(1, "one")

    assert snapshots.write(2, "two")
    assert not snapshots.write(2, "another two")
    assert not snapshots.write(1, "old")
    assert not snapshots.write(4, "early")
    assert snapshots.read(consistent=True) == (2, "two")


def test_the_largest_body_fits_into_an_item(snapshots: Snapshots) -> None:
    body = "é" * (MAX_BYTES // 2)

    assert snapshots.write(1, body)

    assert snapshots.read(consistent=False) == (1, body)


def test_of_many_writers_of_a_version_one_wins(connect: Connect, tables: JsonService) -> None:
    empty(tables)
    stores = [SnapshotRepository(connect()) for _ in range(8)]

    with ThreadPoolExecutor(len(stores)) as pool:
        won = list(pool.map(lambda one: one[1].write(1, str(one[0])), enumerate(stores)))

    assert won.count(True) == 1
    assert stores[0].read(consistent=True) == (1, str(won.index(True)))


def test_a_store_that_refuses_is_unavailable(
    tables: JsonService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STAGE", "no-such-stage")
    snapshots = SnapshotRepository(tables)

    with pytest.raises(UnavailableError):
        snapshots.read(consistent=False)
    with pytest.raises(UnavailableError):
        snapshots.write(1, "")


class Stage:
    """The whole way: Parameter Store, the watcher, the table, and who reads."""

    def __init__(self, endpoint: str, connect: Connect) -> None:
        self.name = uuid4().hex
        self._ssm = boto3.client("ssm", endpoint_url=endpoint)
        self._connect = connect
        self.snapshots = SnapshotRepository(connect())
        self.prefix = f"{parameter_path(self.name)}/"

    def put(self, name: str, value: str, kind: str = "String") -> None:
        self._ssm.put_parameter(Name=self.prefix + name, Value=value, Type=kind, Overwrite=True)

    def refresh(self) -> None:
        centre = ConfigCentre(self._connect("ssm"))
        rules = replace(bootstrap_policies.rules(), prefix=self.prefix)
        path = self.prefix.rstrip("/")
        ConfigurationWatcher(
            lambda: centre.list(path, decrypt=False), self.snapshots, rules
        ).refresh()

    def load(self) -> Snapshot | None:
        stored = self.snapshots.read(consistent=False)
        return Snapshot.from_json(stored[1]) if stored else None

    def centre(self) -> ConfigCentre:
        return ConfigCentre(SnapshotStore(self.load, self._connect("ssm")))


@pytest.fixture
def stage(endpoint: str, connect: Connect, tables: JsonService) -> Stage:
    empty(tables)
    return Stage(endpoint, connect)


@pytest.mark.req("SHAPE-4", "BRK-4")
def test_from_parameter_store_to_a_reader(stage: Stage) -> None:
    for number in range(12):  # more than a page of ten
        stage.put(f"breaker/b{number:02}", json.dumps({"failure_threshold": number + 1}))
    stage.put("auth/signing-key", "hush", "SecureString")
    stage.put("mq/secret", "hush", "SecureString")
    stage.refresh()
    stage.put("breaker/b00", '{"failure_threshold": "many"}')
    stage.put("breaker/b01", '{"failure_threshold": 99}')
    stage.refresh()

    found = stage.centre().list(stage.prefix + "breaker")

    thresholds = [json.loads(one.value)["failure_threshold"] for one in found]
    assert thresholds == [1, 99, *range(3, 13)]
    assert [one.version for one in found] == [1, 2, *[1] * 10]


def test_a_secret_is_read_from_parameter_store_and_is_not_in_the_item(stage: Stage) -> None:
    stage.put("mq/secret", "hush", "SecureString")
    stage.refresh()

    found = stage.centre().get(stage.prefix + "mq/secret")

    assert found is not None
    assert (found.value, found.is_secret) == ("hush", True)
    assert "hush" not in repr(stage.snapshots.read(consistent=True))


@pytest.fixture
def fresh_factories(connect: Connect, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The composition root, with connections that are closed afterwards."""
    monkeypatch.setattr("chalicelib.aws.dynamodb", connect)
    monkeypatch.setattr("chalicelib.coord.centre.parameter_store", lambda **_: connect("ssm"))
    forget_built()
    yield
    forget_built()


@pytest.mark.usefixtures("fresh_factories")
def test_the_composition_root_joins_them(stage: Stage) -> None:
    stage.put("feature", "on")

    report = bootstrap_policies.watcher().refresh()
    centre = coord.new(snapshot=bootstrap_policies.snapshot)
    found = centre.get(stage.prefix + "feature")

    assert stage.prefix + "feature" in report.added
    assert found is not None
    assert (found.value, found.version) == ("on", 1)
