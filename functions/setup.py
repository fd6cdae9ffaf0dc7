"""Custom resource of template.yaml: the signing key and the topics, where they are missing.

Invoked by hand with ``{"admin_password": "…"}`` it makes the user ``admin``, too.
"""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from chalicelib import bootstrap_accounts as accounts
from chalicelib.logs import new_logger

logger = new_logger()
_ANSWER_SECONDS = 10


def handler(event: Mapping[str, Any], _context: object) -> dict[str, Any]:
    """Sets up, and tells CloudFormation when it is that which asks."""
    where = event.get("ResponseURL")
    if where is None:
        return _set_up(event)
    answer = {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= {"PhysicalResourceId": "lambchat-setup", "Status": "SUCCESS"}
    try:
        if event["RequestType"] != "Delete":
            answer["Data"] = _set_up(event["ResourceProperties"])
    except Exception as error:
        logger.exception("set-up failed")
        answer |= {"Status": "FAILED", "Reason": f"{type(error).__name__}: {error}"}
    request = urllib.request.Request(where, json.dumps(answer).encode(), method="PUT")
    request.add_header("Content-Type", "")  # the address is signed for none
    with urllib.request.urlopen(request, timeout=_ANSWER_SECONDS):
        return answer


def _set_up(wanted: Mapping[str, Any]) -> dict[str, Any]:
    kid = accounts.keys().ensure()
    created = accounts.ensure_topics(
        partitions=int(wanted.get("Partitions", 12)), replication=int(wanted.get("Replication", 3))
    )
    if password := wanted.get("admin_password"):
        accounts.auth().ensure_admin(password)
    logger.info("set up", extra={"kid": kid, "topics_created": created})
    return {"Tasks": "TASKS", "Events": "EVENTS"}
