from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable
from pathlib import Path

import pytest
import uvloop

DEADLINE_SECONDS = 30
Write = Callable[..., Path]


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs tests that are coroutines on uvloop, or as their module's ``run`` does it."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    run = getattr(pyfuncitem.module, "run", uvloop.run)
    run(asyncio.wait_for(test, DEADLINE_SECONDS))
    return True


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(resources: str, head: str = "", name: str = "template.yaml") -> Path:
        path = tmp_path / name
        lines = "".join(f"  {line}\n" for line in resources.splitlines())
        path.write_text(f"{head}\nResources:\n{lines}")
        return path

    return write
