"""What schedules invoke, invoked once; its calls are then in the record of permissions."""

from __future__ import annotations

import json
import urllib.request

import pytest

from localstack.emulator.template import load
from tests.e2e.system import ROOT, System

SCHEDULED = sorted({one.function for one in load(ROOT / "template.yaml").schedules})


@pytest.mark.req("SHAPE-6")
@pytest.mark.parametrize("function", SCHEDULED)
def test_a_scheduled_function_does_its_work(system: System, function: str) -> None:
    where = system.environment()["AWS_ENDPOINT_URL_LAMBDA"]
    url = f"{where}/2015-03-31/functions/{function}/invocations"
    request = urllib.request.Request(url, b'{"source": "aws.events", "detail": {}}', method="POST")

    with urllib.request.urlopen(request, timeout=60) as answer:
        failed, body = answer.headers.get("X-Amz-Function-Error"), json.loads(answer.read())

    assert (failed, answer.status) == (None, 200), body
