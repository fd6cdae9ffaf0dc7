"""Schedule: connections that ended without a word are removed, and friends told."""

from __future__ import annotations

import time

from chalicelib import bootstrap_presence
from chalicelib.logs import new_logger
from functions._entry import entry

logger = new_logger()

_SECONDS = 240.0  # of the 300 that template.yaml gives it


@entry
def handler(_event: object, _context: object) -> dict[str, int]:
    """Looks at every connection, if there is time."""
    gone = bootstrap_presence.vanished().sweep(time.time() + _SECONDS)
    logger.info("looked for vanished connections", extra={"gone": gone})
    return {"gone": gone}
