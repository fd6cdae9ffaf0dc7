"""Reads a SAM template and its nested stacks into what the local cloud runs."""

from __future__ import annotations

import collections.abc as abc
import re
from pathlib import Path
from types import MappingProxyType
from typing import Any

from localstack.emulator import sam
from localstack.emulator.declarations import (
    Authorizer,
    EventSourceMapping,
    Function,
    Resource,
    RestApi,
    RestRoute,
    Route,
    Schedule,
    Template,
    WebSocketApi,
)
from localstack.emulator.intrinsics import TemplateError
from localstack.emulator.names import (
    IMPLICIT_API,
    NESTED,
    Names,
    api_id,
    document_at,
    values_of,
)

__all__ = [
    "Authorizer",
    "EventSourceMapping",
    "Function",
    "Mapping",
    "Resource",
    "RestApi",
    "RestRoute",
    "Route",
    "Schedule",
    "Template",
    "TemplateError",
    "WebSocketApi",
    "api_id",
    "load",
]

Mapping = EventSourceMapping  # its short name here; the abstract one is abc.Mapping
_NONE: abc.Mapping[str, str] = MappingProxyType({})
_HOST = re.compile(r"(https|wss)://([a-z0-9]+)\.execute-api\.[a-z0-9-]+\.amazonaws\.com")
_LOCAL_SCHEME = {"https": "http", "wss": "ws"}


def load(
    path: Path,
    parameters: abc.Mapping[str, str] = _NONE,
    *,
    region: str = "us-east-1",
    account: str = "000000000000",
    hosts: abc.Mapping[str, str] = _NONE,
) -> Template:
    """Reads a template and its nested stacks.

    Args:
        path: The template.
        parameters: Values that replace the defaults of its parameters.
        region: The value of ``AWS::Region``.
        account: The value of ``AWS::AccountId``.
        hosts: For an API's id the local address that stands in for its public one.

    Raises:
        TemplateError: Something in it cannot be read or is not supported.
    """
    template = Template()
    pseudo = {
        "AWS::Region": region,
        "AWS::AccountId": account,
        "AWS::Partition": "aws",
        "AWS::URLSuffix": "amazonaws.com",
        "AWS::StackName": "local",
        "AWS::StackId": f"arn:aws:cloudformation:{region}:{account}:stack/local/local",
    }
    _read(path, parameters, template, pseudo=pseudo, hosts=hosts)
    return template


def _read(
    path: Path,
    parameters: abc.Mapping[str, str],
    template: Template,
    *,
    pseudo: abc.Mapping[str, str],
    hosts: abc.Mapping[str, str],
    prefix: str = "",
) -> None:
    document = document_at(path)
    try:
        values = values_of(document.get("Parameters") or {}, parameters)
        names = Names(pseudo=pseudo, parameters=values, document=document, folder=path.parent)
        stack = _Stack(document, names, template, hosts=hosts, prefix=prefix)
        nested = stack.read()
    except TemplateError as error:
        raise TemplateError(f"{path.name}: {error}") from error
    for logical_id, location, own in nested:
        inner = f"{prefix}{logical_id}/"
        _read(location, own, template, pseudo=pseudo, hosts=hosts, prefix=inner)


class _Stack:
    """One template file with its parameters."""

    def __init__(
        self,
        document: abc.Mapping[str, Any],
        names: Names,
        template: Template,
        *,
        hosts: abc.Mapping[str, str],
        prefix: str,
    ) -> None:
        self._names, self._template = names, template
        self._hosts, self._prefix = hosts, prefix
        self._resources: dict[str, Any] = document.get("Resources") or {}
        self._globals: dict[str, Any] = document.get("Globals") or {}
        self._responses = _routes_with_response(self._resources)
        self._rest_routes: list[tuple[str, RestRoute]] = []
        self._nested: list[tuple[str, Path, dict[str, str]]] = []

    def read(self) -> list[tuple[str, Path, dict[str, str]]]:
        """Adds what the file declares to the template; returns its nested stacks."""
        apis = {}
        for logical_id, resource in self._resources.items():
            if not isinstance(resource, dict) or "Type" not in resource:
                raise TemplateError(f"{logical_id}: expected a Type")
            if not self._names.conditions.get(resource.get("Condition", ""), True):
                continue
            properties = self._properties(logical_id, resource)
            if resource["Type"] == "AWS::Serverless::Api":
                apis[logical_id] = properties
            try:
                self._take(logical_id, resource["Type"], properties)
            except TemplateError as error:
                raise TemplateError(f"{logical_id}: {error}") from error
        self._add_rest_apis(apis)
        return self._nested

    def _take(self, logical_id: str, kind: str, properties: dict[str, Any]) -> None:
        if kind in NESTED:
            self._nest(logical_id, properties)
            return
        if kind == "AWS::Serverless::Function":
            self._template.functions[logical_id] = sam.function(logical_id, properties)
            self._take_events(logical_id, properties)
        elif kind == "AWS::Serverless::WebSocketApi":
            api = sam.websocket_api(logical_id, api_id(logical_id), properties, self._responses)
            self._template.websocket_apis.append(api)
        elif kind == "AWS::Lambda::EventSourceMapping":
            self._template.mappings.append(sam.event_source(self._prefix + logical_id, properties))
        elif kind in ("AWS::ApiGatewayV2::Api", "AWS::ApiGatewayV2::Route"):
            raise TemplateError(f"{kind} is not supported: use AWS::Serverless::WebSocketApi")
        self._template.resources.append(
            Resource(logical_id=self._prefix + logical_id, type=kind, properties=properties)
        )

    def _take_events(self, function: str, properties: dict[str, Any]) -> None:
        for event in sam.events(function, properties):
            if isinstance(event, EventSourceMapping):
                self._template.mappings.append(event)
            elif isinstance(event, Schedule):
                self._template.schedules.append(event)
            elif isinstance(event, str):
                self._template.notes.append(event)
            else:
                self._rest_routes.append(event)

    def _add_rest_apis(self, apis: dict[str, dict[str, Any]]) -> None:
        if any(not api for api, _ in self._rest_routes):
            apis = {**apis, IMPLICIT_API: {}}
        for logical_id, properties in apis.items():
            key = "" if logical_id == IMPLICIT_API else api_id(logical_id)
            routes = tuple(route for api, route in self._rest_routes if api == key)
            self._template.rest_apis.append(sam.rest_api(api_id(logical_id), properties, routes))

    def _nest(self, logical_id: str, properties: abc.Mapping[str, Any]) -> None:
        path = self._names.nested(properties)
        self._nested.append((logical_id, path, properties.get("Parameters") or {}))

    def _properties(self, logical_id: str, resource: abc.Mapping[str, Any]) -> dict[str, Any]:
        own = resource.get("Properties") or {}
        common = self._globals.get(sam.GLOBALS.get(resource["Type"], ""))
        merged = sam.merge(common, own) if common else own
        properties: dict[str, Any] = self._local(self._names.resolve(logical_id, merged))
        return properties

    def _local(self, value: Any) -> Any:
        """Public addresses of our APIs become local ones."""
        if isinstance(value, str):
            return _HOST.sub(self._local_host, value)
        if isinstance(value, list):
            return [self._local(one) for one in value]
        if isinstance(value, dict):
            return {key: self._local(one) for key, one in value.items()}
        return value

    def _local_host(self, match: re.Match[str]) -> str:
        scheme, name = match.groups()
        host = self._hosts.get(name)
        return f"{_LOCAL_SCHEME[scheme]}://{host}" if host else match[0]


def _routes_with_response(resources: abc.Mapping[str, Any]) -> set[str]:
    """The logical ids (they are SAM's) of the routes that a RouteResponse is for."""
    return {
        str((resource.get("Properties") or {}).get("RouteId", {}).get("Ref"))
        for resource in resources.values()
        if isinstance(resource, dict) and resource.get("Type") == "AWS::ApiGatewayV2::RouteResponse"
    }
