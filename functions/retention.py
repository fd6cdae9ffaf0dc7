"""Schedule: messages older than `policy/retention` allows lose their content."""

from __future__ import annotations

import time

from chalicelib import bootstrap_retention as retention
from chalicelib import metrics
from chalicelib.logs import new_logger
from functions._entry import entry

logger = new_logger()

_SECONDS = 240.0  # of the 300 that template.yaml gives it


@entry
def handler(_event: object, _context: object) -> dict[str, object]:
    """Goes on with the sweep; what is left is for the next run."""
    swept = retention.retention().sweep(time.time() + _SECONDS)
    logger.info("swept", extra={"segments": swept.segments, "finished": swept.finished})
    if swept.segments:
        metrics.emit({"SegmentsSwept": swept.segments})
    return {"segments": swept.segments, "finished": swept.finished}
