"""Routes that say what they take and answer; the package's docstring shows how."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from chalice.app import Blueprint, Request, Response

from chalicelib.context import Context, lambda_context
from chalicelib.errors import IMError, InternalError, UnauthorizedError
from chalicelib.http import guard, idempotency, validation
from chalicelib.http.problem import problem
from chalicelib.http.schema import JsonObject, Schema
from chalicelib.logic.ids import new_id
from chalicelib.logic.tokens import Identity

logger = logging.getLogger(__name__)

_DEADLINE_SECONDS = 25.0  # API Gateway gives up after 29
_TRACE = re.compile(r"Root=1-([0-9a-f]{8})-([0-9a-f]{24})")
_HEADERS = {"Content-Type": "application/json", "Cache-Control": "no-store"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request that passed its route's checks."""

    ctx: Context
    identity: Identity | None
    path: Mapping[str, str]
    query: JsonObject
    body: JsonObject
    source_address: str
    operation_id: str

    @property
    def caller(self) -> Identity:
        """Who is asking, on a route with authentication."""
        if self.identity is None:
            raise UnauthorizedError
        return self.identity

    @property
    def user_id(self) -> str:
        """The id of who is asking."""
        return self.caller.user_id


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An answer that says more than its body; a body of type str goes out as it is."""

    body: JsonObject | str | None = None
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


Handler = Callable[[Call], JsonObject | Answer | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a route declares."""

    tag: str
    method: str
    path: str
    handler: Handler
    summary: str
    auth: bool = True
    role: str = ""
    query: Mapping[str, Schema] = field(default_factory=dict)
    body: Schema | None = None
    body_optional: bool = False
    status: int = 200
    other_statuses: tuple[int, ...] = ()  # of success too, with the same answer
    answer: Schema | None = None
    media_type: str = "application/json"
    errors: tuple[type[IMError], ...] = ()
    idempotent: bool = False


class Api:
    """A blueprint whose routes are declared with ``route``."""

    def __init__(self, tag: str) -> None:
        self.tag = tag
        self.blueprint = Blueprint(f"chalicelib.http.{tag}")

    def route(self, method: str, path: str, **declared: Any) -> Callable[[Handler], Handler]:
        """Declares a route; ``declared`` are the members of Operation."""

        def register(handler: Handler) -> Handler:
            operation = Operation(
                tag=self.tag, method=method, path=path, handler=handler, **declared
            )
            view = View(operation, lambda: self.blueprint.current_request)
            # Chalice's own check of the content type would refuse requests without a body too.
            self.blueprint.route(
                path, methods=[method], name=f"{self.tag}.{handler.__name__}", content_types=[]
            )(view)
            return handler

        return register


class View:
    """What Chalice calls: the checks of one route in order, its handler, its errors."""

    def __init__(self, operation: Operation, request: Callable[[], Request]) -> None:
        self.operation = operation
        self.__name__ = operation.handler.__name__
        self._request = request

    def __call__(self, **path: str) -> Response:
        """Answers the current request."""
        request = self._request()
        trace_id = trace_of(request.headers)
        try:
            return self._answer(request, path, trace_id)
        except IMError as error:
            if error.__cause__ is not None and error.http_status >= 500:
                logger.warning(
                    "request failed", extra={"code": error.code, "cause": str(error.__cause__)}
                )
            return problem(error, trace_id)
        except Exception:
            logger.exception("request failed unexpectedly", extra={"path": self.operation.path})
            return problem(InternalError(), trace_id)

    def _answer(self, request: Request, path: Mapping[str, str], trace_id: str) -> Response:
        operation = self.operation
        if operation.tag != "documents":  # which say how to go on
            guard.check_version(request.headers)
        needs_identity = operation.auth or operation.role
        identity = guard.authenticate(request.headers, operation.role) if needs_identity else None
        address = request.context.get("identity", {}).get("sourceIp", "")
        user_id = identity.user_id if identity else None
        guard.limit(operation.method, operation.path, user_id=user_id, address=address)
        call = Call(
            ctx=_context(trace_id, identity),
            identity=identity,
            path=validation.path_values(path),
            query=validation.query_values(operation.query, request.query_params),
            body=self._body(request),
            source_address=address,
            operation_id=new_id(),
        )
        key = request.headers.get(idempotency.HEADER) if operation.idempotent else None
        return self._once(key, call) if key is not None else self._response(call)

    def _body(self, request: Request) -> JsonObject:
        if self.operation.body is None:
            return {}
        return validation.body_values(
            self.operation.body, request, may_be_absent=self.operation.body_optional
        )

    def _once(self, key: str, call: Call) -> Response:
        def work(operation_id: str) -> idempotency.StatusAndText:
            response = self._response(replace(call, operation_id=operation_id))
            return response.status_code, response.body

        status, text = idempotency.once(
            key,
            caller=call.identity.user_id if call.identity else call.source_address,
            route=f"{self.operation.method} {self.operation.path} {sorted(call.path.items())}",
            body=call.body,
            work=work,
        )
        return Response(body=text, status_code=status, headers=dict(_HEADERS))

    def _response(self, call: Call) -> Response:
        result = self.operation.handler(call)
        answer = result if isinstance(result, Answer) else Answer(body=result)
        status = answer.status or self.operation.status
        text = answer.body or ""
        if not isinstance(text, str):
            text = json.dumps(text, ensure_ascii=False, separators=(",", ":"))
        headers = _HEADERS if text else {"Cache-Control": "no-store"}
        return Response(body=text, status_code=status, headers={**headers, **answer.headers})


def trace_of(headers: Mapping[str, str]) -> str:
    """The trace that API Gateway put into the request, else the one of the invocation."""
    found = _TRACE.search(headers.get("x-amzn-trace-id", ""))
    return "".join(found.groups()) if found else lambda_context().trace_id


def _context(trace_id: str, identity: Identity | None) -> Context:
    timed = lambda_context(timeout=_DEADLINE_SECONDS)
    return Context(
        trace_id=trace_id, deadline=timed.deadline, user=identity.user_id if identity else None
    )
