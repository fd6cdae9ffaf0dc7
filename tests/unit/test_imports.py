"""Who may import whom: the table of docs/01_overview.md, read from every file with `ast`."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PURE = {
    "chalicelib.change_frames",
    "chalicelib.errors",
    "chalicelib.frame_fields",
    "chalicelib.frames",
    "chalicelib.models",
}
ENTRY = PURE | {
    "chalicelib.bootstrap",
    "chalicelib.bootstrap_accounts",
    "chalicelib.bootstrap_admin",
    "chalicelib.bootstrap_changes",
    "chalicelib.bootstrap_data",
    "chalicelib.bootstrap_downstream",
    "chalicelib.bootstrap_groups",
    "chalicelib.bootstrap_identity",
    "chalicelib.bootstrap_integration",
    "chalicelib.bootstrap_limits",
    "chalicelib.bootstrap_mentions",
    "chalicelib.bootstrap_messaging",
    "chalicelib.bootstrap_people",
    "chalicelib.bootstrap_policies",
    "chalicelib.bootstrap_presence",
    "chalicelib.bootstrap_push",
    "chalicelib.bootstrap_repair",
    "chalicelib.bootstrap_retention",
    "chalicelib.bootstrap_tasks",
    "chalicelib.logic",
    "chalicelib.context",
    "chalicelib.logs",
    "chalicelib.metrics",
}
# The longest prefix of a module's name decides what it may import beside the standard library.
ALLOWED: dict[str, set[str]] = {
    "chalicelib": set(),
    "chalicelib.errors": set(),
    "chalicelib.models": {"chalicelib.errors", "chalicelib.models"},
    "chalicelib.frame_fields": {"chalicelib.errors"},
    "chalicelib.change_frames": {"chalicelib.frame_fields"},
    "chalicelib.frames": {
        "chalicelib.change_frames",
        "chalicelib.errors",
        "chalicelib.frame_fields",
        "chalicelib.models",
    },
    "chalicelib.aws": {"chalicelib.aws"},
    "chalicelib.context": set(),
    "chalicelib.logic": PURE
    | {"chalicelib.logic", "chalicelib.context", "jwt", "argon2", "cryptography"},
    "chalicelib.repo": {
        "chalicelib.aws",
        "chalicelib.errors",
        "chalicelib.models",
        "chalicelib.repo",
        "pynamodb",
    },
    "chalicelib.repo.s3": {"chalicelib.aws", "chalicelib.errors", "boto3", "botocore"},
    "chalicelib.push": {"chalicelib.aws", "chalicelib.models", "chalicelib.push"},
    "chalicelib.coord": {"chalicelib.aws", "chalicelib.coord"},
    "chalicelib.mq": {
        "chalicelib.mq",
        "chalicelib.coord",
        "chalicelib.context",
        "aws_msk_iam_sasl_signer",
        "kafka",
        "confluent_kafka",
    },
    "chalicelib.breaker": {
        "chalicelib.breaker",
        "chalicelib.coord",
        "chalicelib.context",
        "pybreaker",
    },
    "chalicelib.broker": {"chalicelib.broker", "chalicelib.mq", "chalicelib.context"},
    "chalicelib.guards": {
        "chalicelib.aws",
        "chalicelib.breaker",
        "chalicelib.context",
        "chalicelib.errors",
        "chalicelib.mq",
    },
    "chalicelib.fetch": {"chalicelib.errors"},
    "chalicelib.outbound": {"chalicelib.errors"},
    "chalicelib.invoke": {"chalicelib.aws", "chalicelib.errors"},
    "chalicelib.mail": {"chalicelib.aws", "chalicelib.errors", "chalicelib.models"},
    "chalicelib.sns": {"chalicelib.aws", "chalicelib.errors", "chalicelib.models"},
    "chalicelib.logs": {"aws_lambda_powertools"},
    "chalicelib.metrics": {"aws_lambda_powertools"},
    "chalicelib.task": ENTRY | {"chalicelib.task", "chalicelib.broker", "chalicelib.mq"},
    "chalicelib.http": ENTRY | {"chalicelib.http", "chalice"},
    "chalicelib.asyncapi": PURE
    | {
        "chalicelib.asyncapi",
        "chalicelib.broker",
        "chalicelib.http.message_schema",
        "chalicelib.http.schema",
        "chalicelib.logic",
        "chalicelib.task.events",
    },
    "chalicelib.cli": ENTRY
    | {"chalicelib.cli_admin", "chalicelib.cli_identity"}
    | {"chalicelib.cli_integration", "chalicelib.cli_repair"}
    | {"chalicelib.mq", "chalicelib.coord", "chalicelib.broker"},
    "chalicelib.cli_admin": ENTRY,
    "chalicelib.cli_identity": ENTRY,
    "chalicelib.cli_integration": ENTRY | {"chalicelib.cli_admin"},
    "chalicelib.cli_repair": ENTRY | {"chalicelib.broker", "chalicelib.mq"},
    "chalicelib.bootstrap": {"chalicelib"},
    "chalicelib.bootstrap_accounts": {"chalicelib"},
    "chalicelib.bootstrap_admin": {"chalicelib"},
    "chalicelib.bootstrap_changes": {"chalicelib"},
    "chalicelib.bootstrap_data": {"chalicelib"},
    "chalicelib.bootstrap_downstream": {"chalicelib"},
    "chalicelib.bootstrap_groups": {"chalicelib"},
    "chalicelib.bootstrap_identity": {"chalicelib"},
    "chalicelib.bootstrap_integration": {"chalicelib"},
    "chalicelib.bootstrap_limits": {"chalicelib"},
    "chalicelib.bootstrap_mentions": {"chalicelib"},
    "chalicelib.bootstrap_messaging": {"chalicelib"},
    "chalicelib.bootstrap_people": {"chalicelib"},
    "chalicelib.bootstrap_policies": {"chalicelib"},
    "chalicelib.bootstrap_presence": {"chalicelib"},
    "chalicelib.bootstrap_push": {"chalicelib"},
    "chalicelib.bootstrap_repair": {"chalicelib"},
    "chalicelib.bootstrap_retention": {"chalicelib"},
    "chalicelib.bootstrap_tasks": {"chalicelib"},
    "functions": ENTRY | {"functions", "chalicelib.broker"},
    "app": ENTRY | {"chalicelib.http", "chalice", "functions"},
    "localstack": {
        "localstack",
        "boto3",
        "botocore",
        "confluent_kafka",
        "httptools",
        "uvloop",
        "websockets",
        "yaml",
    },
}


def covers(prefix: str, name: str) -> bool:
    return name == prefix or name.startswith(prefix + ".")


def imported(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute"
            for alias in node.names:
                whole = f"{node.module}.{alias.name}"
                is_module = (ROOT / Path(*whole.split("."))).with_suffix(".py").exists()
                is_package = (ROOT / Path(*whole.split("."))).is_dir()
                yield whole if is_module or is_package else str(node.module)


def violations(module: str, source: str) -> list[str]:
    rule = max((prefix for prefix in ALLOWED if covers(prefix, module)), key=len)
    return [
        f"{module} imports {name}"
        for name in imported(source)
        if name.split(".")[0] not in sys.stdlib_module_names
        and not any(covers(allowed, name) for allowed in ALLOWED[rule])
    ]


def modules() -> Iterator[tuple[str, Path]]:
    files = [ROOT / "app.py"]
    for folder in ("chalicelib", "functions", "localstack/emulator"):
        files.extend(sorted((ROOT / folder).rglob("*.py")))
    for path in files:
        name = ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield name.removesuffix(".__init__"), path


def test_every_import_is_allowed() -> None:
    found = [line for name, path in modules() for line in violations(name, path.read_text())]

    assert found == []


def test_there_is_no_package_file_directly_in_localstack() -> None:
    assert not (ROOT / "localstack" / "__init__.py").exists()


@pytest.mark.parametrize(
    ("module", "planted"),
    [
        ("chalicelib.logic.messages", "import boto3"),
        ("chalicelib.logic.messages", "def f():\n    from chalicelib.repo import users"),
        ("chalicelib.logic.messages", "from chalicelib import bootstrap"),
        ("chalicelib.models", "from chalicelib.frames import dump"),
        ("chalicelib.repo.users", "from chalicelib.logic.auth import AuthService"),
        ("chalicelib.coord.centre", "from chalicelib import mq"),
        ("chalicelib.mq.producer", "from chalicelib.broker import Broker"),
        ("functions.send", "from chalicelib.repo.messages import MessageRepository"),
        ("functions.send", "import pynamodb.models"),
        ("chalicelib.http.users", "import aws_lambda_powertools"),
        ("localstack.emulator.gateway", "from chalicelib.frames import dump"),
        ("app", "import kafka"),
    ],
)
def test_a_planted_violation_is_found(module: str, planted: str) -> None:
    assert len(violations(module, planted)) == 1
