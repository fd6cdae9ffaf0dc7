"""What the composition root has built and keeps."""

from __future__ import annotations

import sys


def forget_built() -> None:
    """Has all of it built anew, from whatever stands at the ports by then."""
    for name, module in list(sys.modules.items()):
        if name.startswith("chalicelib.bootstrap"):
            for member in list(vars(module).values()):
                if hasattr(member, "cache_clear"):
                    member.cache_clear()
