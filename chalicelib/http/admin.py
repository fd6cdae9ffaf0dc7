"""What operators may ask: role admin only."""

from __future__ import annotations

from chalicelib import bootstrap
from chalicelib.errors import ForbiddenError, UnavailableError
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import JsonObject, array, obj, open_object, string, timestamp
from chalicelib.models import BreakerChange, rfc3339

api = Api("admin")

_STATES = ("closed", "open", "half-open")
BREAKER_CHANGE = obj(
    "BreakerChange",
    old_state=string(choices=_STATES),
    new_state=string(choices=_STATES),
    process=string(description="the function, or the host of a worker"),
    at=timestamp(),
)
BREAKER = obj(
    "Breaker",
    name=string(),
    state=string(choices=_STATES, description="in the process that answers"),
    policy=open_object(),
    changes=array(BREAKER_CHANGE),
)


@api.route(
    "GET",
    "/v1/admin/breakers",
    summary="Circuit breakers: policies, state here, latest changes in all processes",
    answer=obj("Breakers", items=array(BREAKER)),
    errors=(ForbiddenError, UnavailableError),
)
def breakers(call: Call) -> JsonObject:
    """Every breaker of this system."""
    require_admin(call)
    return {
        "items": [
            {
                "name": one.name,
                "state": one.state,
                "policy": dict(one.policy),
                "changes": [_change(change) for change in one.changes],
            }
            for one in bootstrap.breaker_reports().report()
        ]
    }


def require_admin(call: Call) -> None:
    """Refuses everybody else.

    Raises:
        ForbiddenError: Who is asking has not the role admin.
    """
    if "admin" not in call.caller.roles:
        raise ForbiddenError("this needs the role admin")


def _change(change: BreakerChange) -> JsonObject:
    return {
        "old_state": change.old_state,
        "new_state": change.new_state,
        "process": change.process,
        "at": rfc3339(change.at),
    }
