"""Parameter Store's documents, checked, and written down in one item for who reads them often."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, NamedTuple, Protocol, Self

from chalicelib.errors import UnavailableError
from chalicelib.logic.policies import parse_auth

logger = logging.getLogger(__name__)

MAX_BYTES = 400_000  # DynamoDB quota: 400 KB an item, its other attributes included
_ATTEMPTS = 5  # of watchers that write at the same time all but one begin again

Validator = Callable[[str, str], object]  # gets path and text, raises what is wrong


class Parameter(Protocol):
    """A parameter as Parameter Store has it; a secret's value may be encrypted."""

    @property
    def path(self) -> str: ...
    @property
    def value(self) -> str: ...
    @property
    def version(self) -> int: ...
    @property
    def is_secret(self) -> bool: ...


class SnapshotStore(Protocol):
    """Where the snapshot is kept."""

    def read(self, *, consistent: bool) -> tuple[int, str] | None: ...
    def write(self, version: int, body: str) -> bool: ...


class SnapshotTooLargeError(Exception):
    """The documents do not fit into one item; the earlier snapshot stays."""


class Document(NamedTuple):
    """A parameter's value, and its version in Parameter Store."""

    value: str
    version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Snapshot:
    """Everything below ``prefix`` but not what is at or below ``elsewhere``; all end in a slash."""

    prefix: str
    elsewhere: tuple[str, ...]
    documents: Mapping[str, Document]

    def to_json(self) -> str:
        """The body of the item.

        Raises:
            SnapshotTooLargeError: It is larger than an item may be.
        """
        text = json.dumps(asdict(self), ensure_ascii=False, separators=(",", ":"))
        if (size := len(text.encode())) > MAX_BYTES:
            largest = sorted(self.documents, key=lambda path: -len(self.documents[path].value))[:3]
            raise SnapshotTooLargeError(
                f"the snapshot would have {size:,} bytes, an item holds {MAX_BYTES:,}: "
                f"the largest of {len(self.documents)} documents are {', '.join(largest)}"
            )
        return text

    @classmethod
    def from_json(cls, text: str) -> Self | None:
        """The snapshot with this body; None when another release wrote it otherwise."""
        try:
            body = json.loads(text)
            documents = {path: Document(*one) for path, one in body["documents"].items()}
            return cls(
                prefix=body["prefix"], elsewhere=tuple(body["elsewhere"]), documents=documents
            )
        except (ValueError, TypeError, LookupError, AttributeError):
            return None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What a snapshot is made of.

    Attributes:
        prefix: Everything below this path, which ends in a slash …
        apart: … but nothing below these names; secrets stay apart wherever they are.
        validators: By name, what checks the document of this name and those below it.
    """

    prefix: str
    apart: tuple[str, ...] = ()
    validators: Mapping[str, Validator]

    def problem(self, path: str, text: str) -> str:
        """What is wrong with a document; nothing if it is good, or of no known kind."""
        for name, validate in self.validators.items():
            if f"{path}/".startswith(f"{self.prefix}{name}/"):
                try:
                    validate(path, text)
                except Exception as error:  # however a document breaks it, the others must go on
                    return str(error) or type(error).__name__
        return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What became of the documents, by their paths; of the refused ones, why."""

    added: tuple[str, ...]
    changed: tuple[str, ...]
    removed: tuple[str, ...]
    refused: Mapping[str, str]

    @property
    def changes(self) -> int:
        """How many documents are not as they were."""
        return len(self.added) + len(self.changed) + len(self.removed)


def next_snapshot(
    parameters: Iterable[Parameter], previous: Snapshot | None, rules: Rules
) -> tuple[Snapshot, Report]:
    """The snapshot after ``previous``: of a refused document it keeps the last good one."""
    before = previous.documents if previous else {}
    apart = tuple(f"{rules.prefix}{name}/" for name in rules.apart)
    elsewhere, documents, refused = list(apart), {}, {}
    for one in sorted(parameters, key=lambda one: one.path):
        tree = f"{one.path}/"
        if tree.startswith(apart):
            continue
        if one.is_secret:
            elsewhere.append(tree)
        elif problem := rules.problem(one.path, one.value):
            refused[one.path] = problem
            if one.path in before:
                documents[one.path] = before[one.path]
        else:
            documents[one.path] = Document(one.value, one.version)
    snapshot = Snapshot(prefix=rules.prefix, elsewhere=tuple(elsewhere), documents=documents)
    kept = [path for path in documents if path in before]
    return snapshot, Report(
        added=tuple(path for path in documents if path not in before),
        changed=tuple(path for path in kept if documents[path] != before[path]),
        removed=tuple(path for path in before if path not in documents),
        refused=refused,
    )


class ConfigurationWatcher:
    """Brings the snapshot up to date; several may do so at once.

    Args:
        read: Reads all parameters below the prefix.
        snapshots: Where the snapshot is kept.
        rules: What it is made of.
    """

    def __init__(
        self, read: Callable[[], Iterable[Parameter]], snapshots: SnapshotStore, rules: Rules
    ) -> None:
        self._read = read
        self._snapshots = snapshots
        self._rules = rules

    def refresh(self) -> Report:
        """Writes the next snapshot if anything is not as it was.

        Raises:
            SnapshotTooLargeError: It is larger than an item may be.
            UnavailableError: The store is away, or others keep writing.
        """
        for _ in range(_ATTEMPTS):
            # In this order: who wins the write has read the parameters after the last winner.
            stored = self._snapshots.read(consistent=True)
            version, body = stored or (0, "")
            previous = Snapshot.from_json(body)
            snapshot, report = next_snapshot(self._read(), previous, self._rules)
            for path, problem in report.refused.items():
                logger.error("configuration refused", extra={"path": path, "error": problem})
            if snapshot == previous:
                return report
            if self._snapshots.write(version + 1, snapshot.to_json()):
                fields: dict[str, Any] = {**asdict(report), "refused": tuple(report.refused)}
                logger.info("configuration changed", extra={**fields, "version": version + 1})
                return report
        raise UnavailableError("other watchers keep writing the snapshot")


def check_auth(text: str) -> None:
    """Checks the document ``policy/auth``, of which `parse_auth` would take what is good.

    Raises:
        ValueError: Something in it is wrong.
    """
    document = json.loads(text)
    if not isinstance(document, dict):
        raise ValueError("expected a JSON object")  # noqa: TRY004
    taken = asdict(parse_auth(text))
    wrong = [name for name, value in taken.items() if document.get(name, value) != value]
    if wrong:
        raise ValueError(f"{', '.join(wrong)}: expected whole numbers above 0")
