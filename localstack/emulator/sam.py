"""What SAM makes of a resource's properties: functions, APIs, triggers, schedules."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Set
from typing import Any

from localstack.emulator.declarations import (
    Authorizer,
    EventSourceMapping,
    Function,
    GatewayResponse,
    RestApi,
    RestRoute,
    Route,
    Schedule,
    WebSocketApi,
)
from localstack.emulator.intrinsics import TemplateError

Properties = Mapping[str, Any]
_INTEGRATION_TIMEOUT_MS = 29_000  # API Gateway's default, and most
GLOBALS = {
    "AWS::Serverless::Function": "Function",
    "AWS::Serverless::Api": "Api",
    "AWS::Serverless::WebSocketApi": "WebSocketApi",
}


def merge(common: Any, own: Any) -> Any:
    """Globals under a resource's own: maps are merged, lists added, the rest replaced."""
    if isinstance(common, dict) and isinstance(own, dict):
        both = {key: merge(common[key], own[key]) for key in common.keys() & own.keys()}
        return {**common, **own, **both}
    if isinstance(common, list) and isinstance(own, list):
        return common + own
    return own


def function(logical_id: str, properties: Properties) -> Function:
    """A function."""
    if "Handler" not in properties:
        raise TemplateError("expected a Handler")
    reserved = properties.get("ReservedConcurrentExecutions")
    variables = (properties.get("Environment") or {}).get("Variables") or {}
    return Function(
        name=logical_id,
        handler=str(properties["Handler"]),
        code_uri=str(properties.get("CodeUri", ".")),
        timeout_seconds=_number(properties, "Timeout", 3),
        memory_mb=int(_number(properties, "MemorySize", 128)),
        environment={key: _text(value) for key, value in variables.items()},
        reserved_concurrency=None if reserved is None else int(reserved),
        deployed_name=str(properties.get("FunctionName", "")),
    )


def events(
    function_name: str, properties: Properties
) -> Iterator[EventSourceMapping | Schedule | tuple[str, RestRoute] | str]:
    """What invokes a function; text says what never does here.

    A REST route comes with the id of its API, empty for SAM's own.
    """
    for name, event in (properties.get("Events") or {}).items():
        kind, own = event.get("Type"), event.get("Properties") or {}
        if kind in ("MSK", "SelfManagedKafka"):
            yield _mapping(name, function_name, own, name=function_name + name)
        elif kind in ("Schedule", "ScheduleV2"):
            yield _schedule(function_name, name, own)
        elif kind == "Api":
            route = RestRoute(
                method=str(own["Method"]).upper(), path=str(own["Path"]), function=function_name
            )
            yield str(own.get("RestApiId", "")), route
        elif kind in ("EventBridgeRule", "CloudWatchEvent"):
            yield f"{function_name}: events of EventBridge are not emulated, {name} never fires"
        else:
            raise TemplateError(f"events of the type {kind} are not supported")


def websocket_api(
    logical_id: str, api_id: str, properties: Properties, responses: Set[str]
) -> WebSocketApi:
    """A WebSocket API; ``responses`` are the route ids that have a route response."""
    limits = properties.get("DefaultRouteSettings") or {}
    burst = limits.get("ThrottlingBurstLimit")
    rate = limits.get("ThrottlingRateLimit")
    variables = properties.get("StageVariables") or {}
    return WebSocketApi(
        id=api_id,
        stage=str(properties.get("StageName", "default")),
        selection_expression=str(properties.get("RouteSelectionExpression", "")),
        routes={
            key: _route(logical_id, key, spec, responses)
            for key, spec in (properties.get("Routes") or {}).items()
        },
        authorizer=_authorizer(properties.get("Auth") or {}),
        stage_variables={key: _text(value) for key, value in variables.items()},
        rate=None if rate is None else float(rate),
        burst=None if burst is None else int(burst),
    )


def rest_api(api_id: str, properties: Properties, routes: tuple[RestRoute, ...]) -> RestApi:
    """A REST API with the routes that functions' events gave it."""
    variables = properties.get("Variables") or {}
    return RestApi(
        id=api_id,
        stage=str(properties.get("StageName", "Prod")),
        routes=routes,
        stage_variables={key: _text(value) for key, value in variables.items()},
        responses={
            kind: _gateway_response(own)
            for kind, own in (properties.get("GatewayResponses") or {}).items()
        },
    )


def _gateway_response(own: Properties) -> GatewayResponse:
    headers = (own.get("ResponseParameters") or {}).get("Headers") or {}
    templates = own.get("ResponseTemplates") or {}
    return GatewayResponse(
        status=int(_number(own, "StatusCode", 500)),
        headers={name: str(value).strip("'") for name, value in headers.items()},
        body=str(templates.get("application/json", "")),
    )


def _route(api: str, key: str, spec: Properties, responses: Set[str]) -> Route:
    # SAM's own id for the route: `$default` of Chat is ChatDefaultRoute.
    route_id = f"{api}{key.replace('$', '').capitalize()}Route"
    two_way = spec.get("RouteResponseSelectionExpression") == "$default"
    return Route(
        key=key,
        function=_function_of(spec.get("FunctionArn", "")),
        two_way=two_way and route_id in responses,
        timeout_seconds=_number(spec, "IntegrationTimeout", _INTEGRATION_TIMEOUT_MS) / 1000,
    )


def _authorizer(auth: Properties) -> Authorizer | None:
    kind = str(auth.get("AuthType", "NONE")).upper()
    if kind == "NONE":
        return None
    if kind != "CUSTOM":
        raise TemplateError(f"the AuthType {kind} is not supported: use CUSTOM or NONE")
    sources = auth.get("IdentitySource") or ()
    listed = sources.split(",") if isinstance(sources, str) else sources
    return Authorizer(
        function=_function_of(auth.get("AuthArn", "")),
        identity_sources=tuple(str(source).strip() for source in listed),
    )


def _function_of(arn: Any) -> str:
    if not isinstance(arn, str) or ":function:" not in arn:
        raise TemplateError(f"expected the ARN of a function, found {arn!r}")
    return arn.rpartition(":function:")[2]


def _schedule(function_name: str, name: str, own: Properties) -> Schedule:
    expression = own.get("ScheduleExpression") or own.get("Schedule")
    if not expression:
        raise TemplateError(f"{name}: expected a ScheduleExpression")
    return Schedule(
        name=function_name + name,
        function=function_name,
        expression=str(expression),
        input=own.get("Input"),
    )


def event_source(name: str, properties: Properties) -> EventSourceMapping:
    """A mapping that is a resource of its own."""
    function_name = _function_of(properties.get("FunctionName"))
    group = {
        **(properties.get("AmazonManagedKafkaEventSourceConfig") or {}),
        **(properties.get("SelfManagedKafkaEventSourceConfig") or {}),
    }
    own = {"Stream": properties.get("EventSourceArn", ""), **properties, **group}
    return _mapping(name, function_name, own, name=name)


def _mapping(event: str, function_name: str, own: Properties, *, name: str) -> EventSourceMapping:
    filters = (own.get("FilterCriteria") or {}).get("Filters") or ()
    destination = ((own.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
    topics = own.get("Topics") or ()
    if not topics:
        raise TemplateError(f"{event}: expected Topics")
    return EventSourceMapping(
        name=name,
        function=function_name,
        arn=str(own.get("Stream", "")),
        topics=tuple(str(topic) for topic in topics),
        group=str(own.get("ConsumerGroupId", name)),
        starting_position=str(own.get("StartingPosition", "TRIM_HORIZON")),
        batch_size=int(_number(own, "BatchSize", 100)),
        window_seconds=_number(own, "MaximumBatchingWindowInSeconds", 0.5),
        filters=tuple(_pattern(event, one) for one in filters),
        partial_failures="ReportBatchItemFailures" in (own.get("FunctionResponseTypes") or ()),
        bisect=bool(own.get("BisectBatchOnFunctionError", False)),
        max_attempts=int(_number(own, "MaximumRetryAttempts", -1)),
        max_age_seconds=int(_number(own, "MaximumRecordAgeInSeconds", -1)),
        on_failure=None if destination is None else str(destination),
        provisioned=bool(own.get("ProvisionedPollerConfig")),
        enabled=bool(own.get("Enabled", True)),
    )


def _pattern(name: str, one: Properties) -> dict[str, Any]:
    try:
        pattern = json.loads(one["Pattern"])
    except (KeyError, TypeError, ValueError) as error:
        raise TemplateError(f"{name}: a filter's Pattern is not JSON: {one!r}") from error
    if not isinstance(pattern, dict):
        raise TemplateError(f"{name}: a filter's Pattern is not a JSON object: {one!r}")
    return pattern


def _number(properties: Properties, key: str, default: float) -> float:
    value = properties.get(key, default)
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TemplateError(f"{key}: expected a number, found {value!r}") from error


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)
