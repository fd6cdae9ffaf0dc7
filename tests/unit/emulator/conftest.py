from __future__ import annotations

import asyncio
import inspect

import pytest
import uvloop

DEADLINE_SECONDS = 30


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Runs tests that are coroutines on uvloop, as the emulator itself runs."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    names = inspect.signature(pyfuncitem.obj).parameters
    test = pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in names})
    uvloop.run(asyncio.wait_for(test, DEADLINE_SECONDS))
    return True
