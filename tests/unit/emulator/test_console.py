from __future__ import annotations

import io
import json
import re
from typing import Any

import pytest

from localstack.emulator.console import Console

REPORT = {
    "kind": "report",
    "function": "Send",
    "request_id": "r",
    "duration_ms": 12.34,
    "billed_ms": 13,
    "cold": False,
    "init_ms": None,
    "error": None,
}
ACCESS = {"kind": "access", "method": "GET", "path": "/v1/health", "status": 200}


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def shown(*lines: str | dict[str, Any], quiet: bool = False) -> list[str]:
    """What is printed of a child's lines, without the time of day."""
    out = io.StringIO()
    console = Console(quiet=quiet, out=out)
    for line in lines:
        console.child_line("cloud", line if isinstance(line, str) else json.dumps(line))
    return [re.sub(r"^\d\d:\d\d:\d\d ", "", line) for line in out.getvalue().splitlines()]


def log(message: str | dict[str, Any]) -> dict[str, Any]:
    text = message if isinstance(message, str) else json.dumps(message)
    return {"kind": "log", "function": "Send", "request_id": "r", "message": text}


def test_an_invocation_shows_function_duration_billed_time_and_temperature() -> None:
    cold = {**REPORT, "cold": True, "init_ms": 250}

    assert shown(REPORT, cold) == [
        "Send 12.3 ms, billed 13 ms warm",
        "Send 12.3 ms, billed 13 ms cold, init 250 ms",
    ]


@pytest.mark.parametrize("quiet", [False, True])
def test_a_failed_invocation_is_shown_whatever_the_level(quiet: bool) -> None:
    (line,) = shown({**REPORT, "error": "Timeout"}, quiet=quiet)

    assert line == "Send 12.3 ms, billed 13 ms warm Timeout"


def test_a_request_is_shown_with_its_status_and_time() -> None:
    opened = {"kind": "access", "method": "CONNECT", "path": "/dev", "status": 101}
    ids = {"connection_id": "abc=", "duration_ms": 3.25}
    closed = {**opened, "method": "DISCONNECT", "status": 1000, "connection_id": "abc="}

    assert shown({**ACCESS, "duration_ms": 1.0}, {**opened, **ids}, closed) == [
        "GET /v1/health 200 1.0 ms",
        "CONNECT /dev 101 3.2 ms connection_id=abc=",
        "DISCONNECT /dev 1000 connection_id=abc=",
    ]


def test_a_log_record_is_shown_with_its_fields_and_its_trace() -> None:
    record = {
        "level": "INFO",
        "message": "delivered",
        "timestamp": "2026-11-21",
        "location": "deliver:1",
        "service": "lambchat",
        "messages": 2,
        "nothing": None,
        "trace_id": "0123456789abcdef",
    }

    assert shown(log(record)) == ["Send info delivered messages=2 trace=01234567"]


def test_an_exception_follows_its_record() -> None:
    record = {"level": "ERROR", "message": "failed", "exception": "Traceback:\n  ValueError"}

    assert shown(log(record)) == ["Send ERROR failed", "Traceback:", "  ValueError"]


def test_what_is_no_record_is_shown_as_it_came() -> None:
    lines = ["plain words", '{"broken": ', '["a list"]', '{"kind": "of another"}']

    assert shown(*lines, log("printed")) == [*(f"cloud  {one}" for one in lines), "Send  printed"]


def test_when_quiet_only_what_went_wrong_is_shown() -> None:
    lines = [
        REPORT,
        ACCESS,
        "plain words",
        "an Error of a child",
        log("printed"),
        log("[ERROR] ValueError: no"),
        log({"level": "INFO", "message": "delivered"}),
        log({"level": "WARNING", "message": "slow"}),
    ]

    assert shown(*lines, quiet=True) == [
        "cloud  an Error of a child",
        "Send  [ERROR] ValueError: no",
        "Send WARNING slow",
    ]


def test_progress_is_said_even_when_quiet() -> None:
    out = io.StringIO()

    Console(quiet=True, out=out).say("ready")

    assert out.getvalue() == "ready\n"


def test_colours_are_for_terminals() -> None:
    out = Terminal()

    Console(out=out).child_line("cloud", json.dumps({**REPORT, "error": "Crash"}))

    assert "\033[32mSend\033[0m" in out.getvalue()
    assert "\033[31mCrash\033[0m" in out.getvalue()


def test_when_nobody_reads_any_more_it_goes_on_without() -> None:
    out = io.StringIO()
    console = Console(out=out)
    out.close()

    console.say("ready")
    console.child_line("cloud", "words")

    assert out.closed
