from __future__ import annotations

import pytest

from chalicelib.errors import UnavailableError
from chalicelib.logic.configuration import (
    MAX_BYTES,
    ConfigurationWatcher,
    Document,
    Report,
    Rules,
    Snapshot,
    SnapshotTooLargeError,
    check_auth,
)
from tests.fakes_configuration import PREFIX, FakeParameters, FakeSnapshots


def only_good(_path: str, text: str) -> None:
    if text.startswith("bad"):
        raise ValueError(f"expected something good, found {text}")


class Stage:
    """A stage with its parameters, its snapshot, and a watcher."""

    def __init__(self, **documents: str) -> None:
        self.parameters = FakeParameters(**documents)
        self.snapshots = FakeSnapshots()
        self.rules = Rules(prefix=PREFIX, apart=("auth",), validators={"breaker": only_good})

    def refresh(self) -> Report:
        watcher = ConfigurationWatcher(self.parameters.list, self.snapshots, self.rules)
        return watcher.refresh()

    @property
    def version(self) -> int:
        return self.snapshots.item[0] if self.snapshots.item else 0

    @property
    def snapshot(self) -> Snapshot:
        assert self.snapshots.item
        snapshot = Snapshot.from_json(self.snapshots.item[1])
        assert snapshot
        return snapshot

    @property
    def documents(self) -> dict[str, str]:
        found = self.snapshot.documents.items()
        return {path.removeprefix(PREFIX): one.value for path, one in found}


def names(*names: str) -> tuple[str, ...]:
    return tuple(PREFIX + name for name in names)


def test_the_first_snapshot_has_every_document() -> None:
    stage = Stage(breaker__a="good", feature="x")

    report = stage.refresh()

    assert report.added == names("breaker/a", "feature")
    assert stage.documents == {"breaker/a": "good", "feature": "x"}
    assert stage.snapshot.documents[PREFIX + "feature"] == Document("x", 1)
    assert stage.version == 1


@pytest.mark.req("SHAPE-4")
def test_what_was_added_changed_and_removed_is_written_and_told(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(breaker__a="good", breaker__b="good", feature="x")
    stage.refresh()
    stage.parameters.put("breaker/a", "better")
    stage.parameters.put("breaker/c", "good")
    stage.parameters.remove("breaker/b")

    with caplog.at_level("INFO"):
        report = stage.refresh()

    assert report == Report(
        added=names("breaker/c"), changed=names("breaker/a"), removed=names("breaker/b"), refused={}
    )
    assert stage.documents == {"breaker/a": "better", "breaker/c": "good", "feature": "x"}
    assert report.changes == 3
    assert caplog.records[-1].__dict__["changed"] == names("breaker/a")


def test_nothing_is_written_when_nothing_changed(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(feature="x")
    stage.refresh()
    caplog.clear()

    with caplog.at_level("INFO"):
        report = stage.refresh()

    assert (report.changes, stage.version, caplog.text) == (0, 1, "")


@pytest.mark.req("BRK-4")
def test_of_a_refused_document_the_last_good_one_stays(caplog: pytest.LogCaptureFixture) -> None:
    stage = Stage(breaker__a="good", breaker__b="good")
    stage.refresh()
    stage.parameters.put("breaker/a", "bad")
    stage.parameters.put("breaker/b", "better")
    caplog.clear()

    report = stage.refresh()

    assert report.refused == {PREFIX + "breaker/a": "expected something good, found bad"}
    assert stage.documents == {"breaker/a": "good", "breaker/b": "better"}
    assert stage.snapshot.documents[PREFIX + "breaker/a"].version == 1
    assert caplog.records[0].__dict__["path"] == PREFIX + "breaker/a"
    assert caplog.records[0].__dict__["error"] == "expected something good, found bad"


def test_a_document_that_was_never_good_is_left_out_until_it_is() -> None:
    stage = Stage(breaker__a="bad")
    stage.refresh()
    assert stage.documents == {}

    stage.parameters.put("breaker/a", "good")
    stage.refresh()

    assert stage.documents == {"breaker/a": "good"}


def test_a_refused_document_that_is_removed_goes() -> None:
    stage = Stage(breaker__a="good")
    stage.refresh()
    stage.parameters.put("breaker/a", "bad")
    stage.refresh()

    stage.parameters.remove("breaker/a")
    stage.refresh()

    assert stage.documents == {}


def test_a_validator_that_breaks_refuses_one_document_and_stops_no_other() -> None:
    def breaks(_path: str, _text: str) -> None:
        raise RecursionError

    stage = Stage(breaker__a="good", mq__default="deep")
    stage.rules = Rules(prefix=PREFIX, validators={"mq": breaks})

    assert stage.refresh().refused == {PREFIX + "mq/default": "RecursionError"}
    assert stage.documents == {"breaker/a": "good"}


def test_a_name_that_only_begins_like_a_known_kind_is_not_checked() -> None:
    stage = Stage(breakers__a="bad", breaker="bad")

    assert list(stage.refresh().refused) == [PREFIX + "breaker"]


@pytest.mark.req("SHAPE-4")
def test_a_secret_is_never_in_the_snapshot_but_where_it_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    stage = Stage(feature="x", breaker__a="good", auth__jwks="public", authors="them")
    stage.parameters.put("auth/signing-key", "hush", is_secret=True)
    stage.parameters.put("breaker/b", "bad hush", is_secret=True)

    with caplog.at_level("INFO"):
        report = stage.refresh()

    assert stage.documents == {"feature": "x", "breaker/a": "good", "authors": "them"}
    assert stage.snapshot.elsewhere == names("auth/", "breaker/b/")
    seen = [stage.snapshots.item, report, [record.__dict__ for record in caplog.records]]
    assert "hush" not in repr(seen)


def test_a_document_that_becomes_a_secret_leaves_the_snapshot() -> None:
    stage = Stage(mq__default="open")
    stage.refresh()

    stage.parameters.put("mq/default", "hush", is_secret=True)
    report = stage.refresh()

    assert report.removed == names("mq/default")
    assert stage.documents == {}
    assert stage.snapshot.elsewhere == names("auth/", "mq/default/")


def test_a_snapshot_that_is_too_large_is_an_error_that_names_the_largest() -> None:
    stage = Stage(small="x", large="é" * (MAX_BYTES // 3))
    stage.refresh()
    stage.parameters.put("huge", "é" * (MAX_BYTES // 4))

    with pytest.raises(SnapshotTooLargeError, match=r"an item holds 400,000.* /\S+large, /\S+huge"):
        stage.refresh()

    assert stage.version == 1


def test_of_two_watchers_the_slower_reads_again() -> None:
    """It read Parameter Store before the other did: what it would write is old."""
    stage = Stage(feature="old")

    def other_is_faster() -> None:
        stage.snapshots.before_write = lambda: None
        stage.parameters.put("feature", "new")
        stage.refresh()

    stage.snapshots.before_write = other_is_faster
    report = stage.refresh()

    assert stage.documents == {"feature": "new"}
    assert stage.version == 1
    assert report.changes == 0


def test_a_watcher_that_is_never_first_gives_up() -> None:
    stage = Stage(feature="x")

    def other_writes() -> None:
        version = stage.version + 1
        stage.snapshots.item = (version, str(version))

    stage.snapshots.before_write = other_writes

    with pytest.raises(UnavailableError):
        stage.refresh()


@pytest.mark.parametrize("body", ["", "[]", "{}", '{"documents": {"/a": ["x"]}}', "{"])
def test_a_snapshot_of_another_release_is_written_anew(body: str) -> None:
    stage = Stage(feature="x")
    stage.snapshots.item = (7, body)

    stage.refresh()

    assert (stage.version, stage.documents) == (8, {"feature": "x"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "Expecting"),
        ("[]", "expected a JSON object"),
        ('{"access_token_seconds": 0}', "access_token_seconds: expected whole numbers above 0"),
        ('{"refresh_token_seconds": "9", "more": 1}', "^refresh_token_seconds: expected"),
    ],
)
def test_a_wrong_policy_for_tokens_is_named(text: str, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        check_auth(text)
