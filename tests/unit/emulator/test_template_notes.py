"""What a template declares and the local cloud does not do is said, and no error."""

from __future__ import annotations

from pathlib import Path

import pytest

from localstack.emulator.template import load
from tests.unit.emulator.conftest import Write

pytestmark = pytest.mark.req("SHAPE-2")

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("kind", ["EventBridgeRule", "CloudWatchEvent"])
def test_a_rule_of_eventbridge_is_a_note_and_the_schedule_beside_it_counts(
    write: Write, kind: str
) -> None:
    path = write(
        "F:\n  Type: AWS::Serverless::Function\n  Properties:\n    Handler: f.f\n    Events:\n"
        f"      Change: {{ Type: {kind}, Properties: {{ Pattern: {{ source: [aws.ssm] }} }} }}\n"
        "      Minute: { Type: Schedule, Properties: { Schedule: rate(1 minute) } }\n"
    )

    template = load(path)

    assert template.notes == ["F: events of EventBridge are not emulated, Change never fires"]
    assert [one.function for one in template.schedules] == ["F"]


@pytest.mark.req("SHAPE-4")
def test_the_projects_own_watcher_runs_by_its_schedule() -> None:
    template = load(ROOT / "template.yaml")

    assert ("PoliciesFunction", "rate(1 minute)") in [
        (one.function, one.expression) for one in template.schedules
    ]
    assert [note.partition(":")[0] for note in template.notes] == ["PoliciesFunction"]
