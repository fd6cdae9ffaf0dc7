"""What the functions may do, from the templates, beside what they did, from a record.

    python -m tests.permissions FILE…            fails where a call of a record is not allowed
    python -m tests.permissions --write FILE…    adds the records to tests/calls.txt

A record is what `--record` of the local cloud writes: ``function action resource``, a line each.
tests/calls.txt has those of all end-to-end tests; tests/unit/test_permissions.py reads it.
"""

from __future__ import annotations

import argparse
import fnmatch
import re
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from localstack.emulator.template import Resource, Template, load

ROOT = Path(__file__).parents[1]
RECORD = ROOT / "tests" / "calls.txt"
_ACCOUNT = "us-east-1:000000000000"
_READ = {
    "dynamodb:BatchGetItem",
    "dynamodb:ConditionCheckItem",
    "dynamodb:GetItem",
    "dynamodb:Query",
}
# Requests that are known by method and path.
_INVOKED = re.compile(r"lambda:POST /2015-03-31/functions/(.+)/invocations")
_NAMED = {"ses:POST /v2/email/outbound-emails": "ses:SendEmail"}


@dataclass(frozen=True, slots=True, order=True)
class Call:
    """One kind of call of one function."""

    function: str
    action: str
    resource: str


@dataclass(frozen=True, slots=True)
class Grant:
    """A statement's actions on one of its resources, and the functions that have its policy."""

    policy: str
    actions: tuple[str, ...]
    resource: str
    functions: frozenset[str]

    def covers(self, call: Call) -> bool:
        return (
            call.function in self.functions
            and any(fnmatch.fnmatchcase(call.action, one) for one in self.actions)
            and fnmatch.fnmatchcase(call.resource, self.resource)
        )

    @property
    def title(self) -> str:
        """Short and stable: policy, `read`, `write` or the action, and what it is about."""
        kind = "+".join(one.partition(":")[2] for one in self.actions)
        if len(self.actions) > 1 and self.actions[0].startswith("dynamodb:"):
            kind = "read" if self.actions[0] in _READ else "write"
        name = self.resource.rpartition(":")[2].removeprefix("table/lambchat-local-")
        return f"{self.policy} {kind} {name}"


def calls(lines: Iterable[str]) -> set[Call]:
    """The calls of a record."""
    return {_call(line) for line in lines if line.strip()}


def _call(line: str) -> Call:
    function, rest = line.split(maxsplit=1)
    for known, action in _NAMED.items():
        if rest.startswith(known):
            return Call(function, action, f"arn:aws:ses:{_ACCOUNT}:identity/any")
    if invoked := _INVOKED.fullmatch(rest):
        arn = f"arn:aws:lambda:{_ACCOUNT}:function:{invoked[1]}"
        return Call(function, "lambda:InvokeFunction", arn)
    action, resource = rest.split()
    api = _template().websocket_apis[0].id
    service = action.partition(":")[0]
    about = {
        "dynamodb": f"arn:aws:dynamodb:{_ACCOUNT}:table/{resource}",
        "ssm": f"arn:aws:ssm:{_ACCOUNT}:parameter{resource}",
        "s3": f"arn:aws:s3:::{resource}",
        "lambda": f"arn:aws:lambda:{_ACCOUNT}:function:{resource}",
        "execute-api": f"arn:aws:execute-api:{_ACCOUNT}:{api}/local/{resource}/@connections/x",
    }
    return Call(function, action, about.get(service, resource))


@cache
def _template() -> Template:
    return load(ROOT / "template.yaml")


def grants() -> list[Grant]:
    """What the templates allow in the stage local, which has no MSK."""
    resources = _template().resources
    having: dict[str, set[str]] = {}
    for one in resources:
        if one.type == "AWS::Serverless::Function":
            for policy in one.properties.get("Policies", ()):
                having.setdefault(policy, set()).add(one.logical_id)
    return [
        grant
        for one in resources
        if one.type == "AWS::IAM::ManagedPolicy"
        for grant in _granted(one, having)
    ]


def _granted(policy: Resource, having: dict[str, set[str]]) -> Iterator[Grant]:
    name = policy.logical_id.rpartition("/")[2]
    for statement in policy.properties["PolicyDocument"]["Statement"]:
        actions = _listed(statement["Action"])
        kinds = [[one for one in actions if (one in _READ) is is_read] for is_read in (True, False)]
        for resource in _listed(statement["Resource"]):
            for kind in filter(None, kinds):
                yield Grant(name, tuple(kind), resource, frozenset(having.get(name, ())))


def _listed(value: Any) -> list[str]:
    return value if isinstance(value, list) else [value]


def refused(made: Iterable[Call], allowed: Iterable[Grant]) -> list[Call]:
    """Calls that no policy allows."""
    allowed = list(allowed)
    return sorted(call for call in made if not any(grant.covers(call) for grant in allowed))


def unused(made: Iterable[Call], allowed: Iterable[Grant]) -> list[str]:
    """What is allowed and was not done."""
    made = list(made)
    return sorted({one.title for one in allowed if not any(map(one.covers, made))})


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--write", action="store_true")
    parser.add_argument("files", nargs="+", type=Path)
    options = parser.parse_args()
    lines = {line for path in options.files for line in path.read_text().splitlines()}
    if options.write:
        known = RECORD.read_text().splitlines() if RECORD.exists() else []
        RECORD.write_text("\n".join(sorted({*known, *lines})) + "\n")
        return 0
    found = refused(calls(lines), grants())
    for call in found:
        print(f"infra/permissions.yaml: {call.function} may not {call.action} {call.resource}")
    print(f"{len(lines)} kinds of calls, {len(found)} not allowed")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
