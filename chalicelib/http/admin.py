"""What operators may ask: role admin only."""

from __future__ import annotations

from chalicelib import bootstrap_admin as operators
from chalicelib import bootstrap_tasks
from chalicelib.errors import UnavailableError
from chalicelib.http.routing import Api, Call
from chalicelib.http.schema import (
    JsonObject,
    array,
    boolean,
    integer,
    obj,
    open_object,
    string,
    timestamp,
)
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
_DAY = obj(
    "DayOfMessages",
    day=string(format="date"),
    total=integer(minimum=0),
    by_type={**open_object(), "description": "by type of conversation"},
)
_DEAD_LETTERS = obj(
    "DeadLetterCount",
    topic=string(),
    count=integer(minimum=0),
    complete=boolean(),
)
COUNTERS = obj(
    "Counters",
    accounts={**integer(minimum=0), "description": "ever made; hours old, and about right"},
    connections=integer(minimum=0),
    messages=array(_DAY),
    dead_letters=array(_DEAD_LETTERS),
    open_breakers=array(
        obj("OpenBreaker", name=string(), processes=array(string(), min_items=1)),
    ),
)


@api.route(
    "GET",
    "/v1/admin/counters",
    summary="How the system is doing: accounts, connections, messages, dead letters, breakers.",
    role="admin",
    query={"days": integer(minimum=1, maximum=31, default=7)},
    answer=COUNTERS,
)
def counters(call: Call) -> JsonObject:
    """The numbers as they are now."""
    found = operators.counters().read(call.query["days"])
    return {
        "accounts": found.accounts,
        "connections": found.connections,
        "messages": [
            {"day": day, "total": sum(counts.values()), "by_type": dict(counts)}
            for day, counts in found.messages.items()
        ],
        "dead_letters": [
            {"topic": topic, "count": count, "complete": complete}
            for topic, (count, complete) in found.dead_letters.items()
        ],
        "open_breakers": [
            {"name": name, "processes": list(processes)}
            for name, processes in found.open_breakers.items()
        ],
    }


@api.route(
    "GET",
    "/v1/admin/breakers",
    summary="Circuit breakers: policies, state here, latest changes in all processes",
    role="admin",
    answer=obj("Breakers", items=array(BREAKER)),
    errors=(UnavailableError,),
)
def breakers(call: Call) -> JsonObject:
    """Every breaker of this system."""
    return {
        "items": [
            {
                "name": one.name,
                "state": one.state,
                "policy": dict(one.policy),
                "changes": [_change(change) for change in one.changes],
            }
            for one in bootstrap_tasks.breaker_reports().report()
        ]
    }


def _change(change: BreakerChange) -> JsonObject:
    return {
        "old_state": change.old_state,
        "new_state": change.new_state,
        "process": change.process,
        "at": rfc3339(change.at),
    }
