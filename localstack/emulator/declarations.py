"""What a template declares, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

__all__ = [
    "Authorizer",
    "EventSourceMapping",
    "Function",
    "GatewayResponse",
    "Resource",
    "RestApi",
    "RestRoute",
    "Route",
    "Schedule",
    "Template",
    "WebSocketApi",
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Function:
    """A Lambda function."""

    name: str
    handler: str
    code_uri: str
    timeout_seconds: float
    memory_mb: int
    environment: dict[str, str]
    reserved_concurrency: int | None
    deployed_name: str = ""  # its FunctionName, by which others invoke it


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """A route of a WebSocket API; ``two_way`` when it answers on the connection."""

    key: str
    function: str
    two_way: bool
    timeout_seconds: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Authorizer:
    """A REQUEST authorizer; without identity sources it is always asked."""

    function: str
    identity_sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class WebSocketApi:
    """A WebSocket API with its one stage; ``rate`` and ``burst`` are its default route's."""

    id: str
    stage: str
    selection_expression: str
    routes: dict[str, Route]
    authorizer: Authorizer | None = None
    stage_variables: dict[str, str] = field(default_factory=dict)
    rate: float | None = None
    burst: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class RestRoute:
    """A method (or ``ANY``) on a resource path of a REST API."""

    method: str
    path: str
    function: str


@dataclass(frozen=True, slots=True, kw_only=True)
class GatewayResponse:
    """What a REST API answers by itself; ``$context.requestId`` in its body is filled in."""

    status: int
    headers: dict[str, str]
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RestApi:
    """A REST API with its one stage; ``responses`` are those of its own that it changes."""

    id: str
    stage: str
    routes: tuple[RestRoute, ...]
    stage_variables: dict[str, str] = field(default_factory=dict)
    responses: dict[str, GatewayResponse] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class EventSourceMapping:
    """A Kafka trigger of a function; -1 is AWS's way to say that a limit is infinite."""

    name: str
    function: str
    arn: str
    topics: tuple[str, ...]
    group: str
    starting_position: str = "TRIM_HORIZON"
    batch_size: int = 100
    window_seconds: float = 0.5
    filters: tuple[dict[str, Any], ...] = ()
    partial_failures: bool = False
    bisect: bool = False
    max_attempts: int = -1
    max_age_seconds: int = -1
    on_failure: str | None = None
    provisioned: bool = False
    enabled: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A rate or cron expression that invokes a function."""

    name: str
    function: str
    expression: str
    input: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Resource:
    """Any resource, its properties resolved; a nested stack's id comes before its own."""

    logical_id: str
    type: str
    properties: dict[str, Any]


@dataclass(slots=True, kw_only=True)
class Template:
    """Everything that a template declares, nested stacks included.

    Attributes:
        notes: What it declares and the local cloud does not do, a sentence each.
    """

    functions: dict[str, Function] = field(default_factory=dict)
    websocket_apis: list[WebSocketApi] = field(default_factory=list)
    rest_apis: list[RestApi] = field(default_factory=list)
    mappings: list[EventSourceMapping] = field(default_factory=list)
    schedules: list[Schedule] = field(default_factory=list)
    resources: list[Resource] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
