"""What the pages on operations say agrees with templates, command lines and costs."""

from __future__ import annotations

import dataclasses
import datetime
import functools
import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
import yaml
from botocore import xform_name

from bench import cost
from bench.prices import WORKLOADS, Workload
from chalicelib import cli

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [DOCS / "operations.md", *sorted((DOCS / "operations").glob("*.md"))]
MONITORING = (ROOT / "infra" / "monitoring.yaml").read_text()
pytestmark = pytest.mark.req("APP-18")
# Options of the `aws` command itself, with a value or without one.
GLOBAL = {"--query", "--output", "--cli-binary-format", "--region"}


SESSION = botocore.session.get_session()
service_model = functools.cache(SESSION.get_service_model)


class _Template(yaml.SafeLoader):
    """Reads a CloudFormation template; what refers to something else is its text."""


_Template.add_multi_constructor("!", lambda _loader, _tag, node: str(node.value))


def page(name: str) -> str:
    return (DOCS / "operations" / name).read_text()


def test_each_alarm_has_an_entry_and_each_entry_an_alarm() -> None:
    alarms = re.findall(r'AlarmName: !Sub "lambchat-\$\{Stage\}-([\w-]+)"', MONITORING)
    section = page("alarms.md").split("## What to do at each alarm")[1].split("\n## ")[0]
    entries = re.findall(r"^### ([\w-]+)$", section, re.MULTILINE)

    assert sorted(entries) == sorted(alarms)


def test_each_widget_of_the_dashboard_is_explained() -> None:
    section = page("alarms.md").split("## Reading the dashboard")[1].split("\n## ")[0]
    titles = re.findall(r'"title": "([^"]+)"', MONITORING)

    assert titles
    assert [title for title in titles if title not in section] == []


def commands() -> Iterator[tuple[str, str]]:
    """Each command of each shell block, with the page that it stands on."""
    for one in PAGES:
        blocks = re.findall(r"^ *```sh\n(.*?)^ *```", one.read_text(), re.DOTALL | re.MULTILINE)
        for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
            yield one.name, line.strip()


def multi_line() -> list[list[str]]:
    """The commands' words; a quoted argument may go over several lines."""
    found = []
    for _, group in itertools.groupby(commands(), key=lambda command: command[0]):
        text = ""
        for _, line in group:
            text += re.sub(r"\$\([^)]*\)", "0", line)  # what another command would print
            try:
                words = shlex.split(text, comments=True)
            except ValueError:  # a quotation is still open
                text += "\n"
                continue
            found.append(words)
            text = ""
    return [words for words in found if words]


@pytest.mark.parametrize("words", multi_line(), ids=" ".join)
def test_a_command_is_one_that_there_is(words: list[str]) -> None:
    match words:
        case ["aws", "s3", verb, *_]:
            assert verb in ("ls", "cp")
        case ["aws", "configure", "export-credentials", *_]:
            pass
        case ["aws", service, operation, *options]:
            check_aws(service, operation, options)
        case ["python" | ".venv/bin/python", "-m", "chalicelib.cli", *arguments]:
            cli._parser().parse_args([one.strip("<>") for one in arguments])
        case ["python" | ".venv/bin/python", "-m", module, *_]:
            assert (ROOT / (module.replace(".", "/") + ".py")).exists()
        case ["make", target, *_]:
            makefiles = [ROOT / "Makefile", *ROOT.glob("infra/*.mk")]
            text = "\n".join(one.read_text() for one in makefiles)
            assert re.search(rf"^{target}:", text, re.MULTILINE)
        case _:
            assert words[0] in ("set", "export", "eval") or words[0].startswith("RECORD_CALLS=")


def check_aws(service: str, operation: str, options: list[str]) -> None:
    """The operation exists and takes these options, none of the required ones missing."""
    if operation == "wait":
        waiters = {xform_name(name, "-") for name in SESSION.get_waiter_model(service).waiter_names}
        assert options.pop(0) in waiters
        return
    model = service_model(service)
    names = {xform_name(name, "-"): name for name in model.operation_names}
    shape = model.operation_model(names[operation]).input_shape
    members = {xform_name(name, "-"): name for name in shape.members}
    given: dict[str, Any] = {}
    while options:
        option = options.pop(0)
        if option in GLOBAL:
            options.pop(0)
            continue
        if not option.startswith("--"):
            assert (service, operation) == ("lambda", "invoke"), option  # the file for the answer
            continue
        value = options.pop(0) if options and not options[0].startswith("--") else True
        name = members.get(option[2:]) or members.get(option[2:].removeprefix("no-"))
        assert name is not None, f"{operation} has no {option}"
        given[name] = value
    missing = [name for name in shape.required_members if name not in given]
    assert missing == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_to_a_heading(page: Path) -> None:
    for link, anchor in re.findall(r"\]\(((?!http)[^)#]*)#([^)]+)\)", page.read_text()):
        target = (page.parent / link).resolve() if link else page
        headings = re.findall(r"^#+ (.+)$", target.read_text(), re.MULTILINE)
        slugs = {re.sub(r"[^\w -]", "", one.lower()).replace(" ", "-") for one in headings}
        assert anchor in slugs, f"{link}#{anchor}"


def test_the_page_on_costs_has_what_is_computed() -> None:
    shown = page("costs.md").split("<!-- python -m bench.cost -->\n")[1].split("<!-- end -->")[0]

    assert shown.strip() == cost.report()


def test_every_price_says_where_it_is_from() -> None:
    document = json.loads((ROOT / "bench" / "prices.json").read_text())

    assert datetime.date.fromisoformat(document["date"]).year >= 2026
    for entry in document["prices"].values():
        assert entry.keys() == {"usd", "per", "unit", "checked", "source"}
        assert entry["checked"] in document["checked"]
        assert entry["source"].startswith("https://")
        assert 0 < entry["usd"] < 10
        assert entry["per"] in (1, 10**6)


def test_the_units_of_a_step_are_those_of_the_data_model() -> None:
    rows = {
        cells[1].strip(): cells[3]
        for line in (DOCS / "05_data_models.md").read_text().splitlines()
        if line.startswith("|") and len(cells := line.split("|")) == 5
    }
    said = {name: rows[name] for name in cost.UNITS}

    assert said == {
        "a batch of messages of one direct conversation, both online": (
            " writes: size of the segment in KB, + 1/16 a message; reads: 2 "
        ),
        "send": " at most 2 reads ",
        "ack": " 4 reads, 1 write ",
        "connect": " 2 writes, about 7 reads, and 1 a group ",
    }
    assert list(cost.UNITS.values()) == [(2.0, 1.0), (2.0, 0.0), (4.0, 1.0), (7.0, 2.0)]


def test_the_memory_of_functions_is_the_templates() -> None:
    resources = yaml.load((ROOT / "template.yaml").read_text(), _Template)["Resources"]
    sizes = {
        one["Properties"]["FunctionName"].removeprefix("lambchat-${Stage}-"): size / 1024
        for one in resources.values()
        if (size := one.get("Properties", {}).get("MemorySize"))
    }

    assert cost.MEMORY_GB.items() <= sizes.items()


@pytest.mark.parametrize("load", WORKLOADS, ids=lambda load: load.name)
def test_frames_of_many_messages_never_cost_more(load: Workload) -> None:
    alone = cost.costs(load)
    together = cost.costs(dataclasses.replace(load, batch=25))

    assert all(together[name] <= alone[name] for name in alone)


def test_nothing_grows_faster_than_the_messages() -> None:
    small, large = (sum(cost.costs(one).values()) for one in WORKLOADS[-2:])

    assert large < small * WORKLOADS[-1].messages / WORKLOADS[-2].messages
