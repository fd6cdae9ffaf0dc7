"""What ``Ref`` and ``Fn::GetAtt`` stand for in one template file."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from localstack.emulator.intrinsics import NO_VALUE, Resolver, TemplateError, parse

NESTED = ("AWS::Serverless::Application", "AWS::CloudFormation::Stack")
IMPLICIT_API = "ServerlessRestApi"  # SAM's name for the API of events that name none
_APIS = ("AWS::Serverless::WebSocketApi", "AWS::Serverless::Api")


def api_id(logical_id: str) -> str:
    """The stable id of an API: ten characters, as API Gateway's."""
    return hashlib.sha256(logical_id.encode()).hexdigest()[:10]


def document_at(path: Path) -> dict[str, Any]:
    """A template's document.

    Raises:
        TemplateError: It cannot be read.
    """
    try:
        return parse(path.read_text("utf-8"))
    except OSError as error:
        raise TemplateError(f"{path}: {error.strerror}") from error
    except TemplateError as error:
        raise TemplateError(f"{path.name}: {error}") from error


def values_of(declared: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, str]:
    """The values of a template's parameters: those that are given, else the defaults.

    Raises:
        TemplateError: One has none, or none of those that are allowed.
    """
    values = {}
    for name, declaration in declared.items():
        value = given.get(name, declaration.get("Default"))
        if value is None:
            raise TemplateError(f"the parameter {name} has no value")
        allowed = declaration.get("AllowedValues")
        if allowed and str(value) not in map(str, allowed):
            raise TemplateError(f"the parameter {name} is {value!r}, not one of {allowed}")
        values[name] = str(value)
    return values


class Names:
    """Resolves a template's values; logical ids stand for physical ones.

    Args:
        pseudo: CloudFormation's own parameters, such as ``AWS::Region``.
        parameters: The template's parameters with their values.
        document: The whole template.
        folder: Where it is; nested stacks are found from there.
    """

    def __init__(
        self,
        *,
        pseudo: Mapping[str, str],
        parameters: Mapping[str, str],
        document: Mapping[str, Any],
        folder: Path,
    ) -> None:
        self._pseudo, self._folder = pseudo, folder
        self._outputs: dict[str, tuple[Names, Mapping[str, Any]]] = {}
        self._values = {**pseudo, **parameters, "AWS::NoValue": NO_VALUE}
        self._resources: Mapping[str, Any] = document.get("Resources") or {}
        self._scope = f"{pseudo['AWS::Region']}:{pseudo['AWS::AccountId']}"
        self.conditions: dict[str, bool] = {}
        self._resolver = Resolver(self._ref, self._attribute, self.conditions)
        for name, expression in (document.get("Conditions") or {}).items():
            self.conditions[name] = bool(self.resolve(name, expression))

    def resolve(self, owner: str, value: Any) -> Any:
        """The value with every intrinsic function evaluated.

        Raises:
            TemplateError: It cannot be; the text names the owner.
        """
        try:
            return self._resolver.resolve(value)
        except TemplateError as error:
            raise TemplateError(f"{owner}: {error}") from error

    def _ref(self, name: str) -> Any:
        if name in self._values:
            return self._values[name]
        kind = self._type_of(name)
        if name.endswith(".Alias"):  # SAM's way to name a function's alias: here it is the function
            return self._attribute(name.replace(".Alias", ".Arn"))
        if kind in _APIS or name == IMPLICIT_API:
            return api_id(name)
        if kind == "AWS::DynamoDB::Table":
            return self._table(name)
        if kind or self._is_generated(name):
            return name
        raise TemplateError(f"there is no parameter or resource {name}")

    def _attribute(self, name: str) -> Any:
        logical_id, _, attribute = name.partition(".")
        kind = self._type_of(logical_id)
        if not kind:
            raise TemplateError(f"there is no resource {logical_id}")
        if kind in NESTED:
            return self._output(logical_id, attribute.partition(".")[2])
        if attribute == "Arn" and kind == "AWS::Serverless::Function":
            return f"arn:aws:lambda:{self._scope}:function:{logical_id}"
        if attribute == "Arn" and kind == "AWS::DynamoDB::Table":
            return f"arn:aws:dynamodb:{self._scope}:table/{self._table(logical_id)}"
        return f"{logical_id}.{attribute}"

    def nested(self, properties: Mapping[str, Any]) -> Path:
        """The file of a nested stack, from its resolved properties.

        Raises:
            TemplateError: There is none.
        """
        location = properties.get("Location") or properties.get("TemplateURL")
        if not isinstance(location, str):
            raise TemplateError("expected the path of a template in Location")
        path = self._folder / location
        if not path.is_file():
            raise TemplateError(f"there is no file {path}")
        return path

    def _output(self, logical_id: str, name: str) -> Any:
        if logical_id not in self._outputs:
            properties = self._resolver.resolve(self._resources[logical_id]["Properties"])
            path = self.nested(properties)
            document = document_at(path)
            given = values_of(document.get("Parameters") or {}, properties.get("Parameters") or {})
            inner = Names(
                pseudo=self._pseudo, parameters=given, document=document, folder=path.parent
            )
            self._outputs[logical_id] = inner, document.get("Outputs") or {}
        inner, outputs = self._outputs[logical_id]
        if name not in outputs:
            raise TemplateError(f"{logical_id} has no output {name}")
        return inner.resolve(name, outputs[name]["Value"])

    def _type_of(self, logical_id: str) -> str:
        return str((self._resources.get(logical_id) or {}).get("Type", ""))

    def _is_generated(self, name: str) -> bool:
        """Whether SAM makes a resource of this name, such as an API's route."""
        return any(
            name.startswith(logical_id) and self._type_of(logical_id).startswith("AWS::Serverless")
            for logical_id in self._resources
        )

    def _table(self, logical_id: str) -> Any:
        properties = self._resources[logical_id].get("Properties") or {}
        return self._resolver.resolve(properties.get("TableName", logical_id))
