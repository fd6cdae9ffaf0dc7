"""Schedule: access tokens are signed with a new key; those of the last keys stay valid."""

from __future__ import annotations

from chalicelib import bootstrap_accounts as accounts
from chalicelib.logs import new_logger

logger = new_logger()


def handler(_event: object, _context: object) -> dict[str, str]:
    """Rotates the key."""
    kid = accounts.keys().rotate()
    logger.info("signing key rotated", extra={"kid": kid})
    return {"kid": kid}
