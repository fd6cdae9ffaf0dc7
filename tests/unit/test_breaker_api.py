from __future__ import annotations

import inspect
import sys
from types import ModuleType
from typing import get_type_hints

import pytest

from chalicelib import breaker as library
from tests.unit.test_breaker_fakes import Guarded


@pytest.mark.req("BRK-1", "BRK-6")
def test_the_public_names_are_these() -> None:
    names = {
        name
        for name, value in vars(library).items()
        if not name.startswith("_") and not isinstance(value, ModuleType)
    }

    assert names == set(library.__all__)
    assert sorted(names) == [
        "Breaker",
        "BreakerOpenError",
        "Config",
        "Policy",
        "PolicyError",
        "Provider",
        "new",
        "with_clock",
        "with_config_centre",
        "with_logger",
        "with_on_change",
    ]


@pytest.mark.req("BRK-1")
def test_the_public_methods_are_these() -> None:
    def public(kind: type) -> set[str]:
        return {name for name in dir(kind) if not name.startswith("_")}

    assert public(library.Provider) == {"get_breaker", "close"}
    assert public(library.Breaker) == {"do", "name", "state"}


@pytest.mark.req("BRK-1")
def test_nothing_of_pybreaker_is_visible() -> None:
    assert "pybreaker" in sys.modules
    for name in library.__all__:
        value = getattr(library, name)
        members = [value, *(v for _, v in inspect.getmembers(value, inspect.isfunction))]
        for member in (*members, *getattr(value, "__mro__", ())):
            assert "pybreaker" not in member.__module__
            module = sys.modules[member.__module__]
            assert "pybreaker" not in str(get_type_hints(member, vars(module)))
    assert type(Guarded().state) is str
