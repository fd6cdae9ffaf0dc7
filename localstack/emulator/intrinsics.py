"""CloudFormation's YAML tags and intrinsic functions, as far as templates here use them."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

import yaml

Lookup = Callable[[str], Any]
_SUBSTITUTION = re.compile(r"\$\{(!?)([^}]+)\}")


class TemplateError(Exception):
    """A template cannot be read; the text names the resource and what is wrong."""


class _Loader(yaml.CSafeLoader):
    """YAML with the short forms of the intrinsic functions; in C, for it is read at each start."""


def _tagged(loader: _Loader, suffix: str, node: yaml.Node) -> dict[str, Any]:
    name = suffix if suffix in ("Ref", "Condition") else f"Fn::{suffix}"
    if isinstance(node, yaml.ScalarNode):
        value: Any = loader.construct_scalar(node)
        if suffix == "GetAtt":
            value = str(value).split(".", 1)
    elif isinstance(node, yaml.SequenceNode):
        value = loader.construct_sequence(node, deep=True)
    else:
        value = loader.construct_mapping(node, deep=True)  # type: ignore[arg-type]
    return {name: value}


_Loader.add_multi_constructor("!", _tagged)


def parse(text: str) -> dict[str, Any]:
    """Reads a template's YAML.

    Raises:
        TemplateError: It is not YAML, or no mapping.
    """
    try:
        document = yaml.load(text, _Loader)
    except yaml.YAMLError as error:
        raise TemplateError(f"not YAML: {error}") from error
    if not isinstance(document, dict):
        raise TemplateError("expected a mapping at the top")
    return document


class Resolver:
    """Evaluates intrinsic functions.

    Args:
        ref: The value of ``Ref``; raises KeyError for an unknown name.
        attribute: The value of ``Fn::GetAtt`` for ``Name.Attribute``.
        conditions: The template's conditions, evaluated.
    """

    def __init__(self, ref: Lookup, attribute: Lookup, conditions: Mapping[str, bool]) -> None:
        self._ref = ref
        self._attribute = attribute
        self._conditions = conditions

    def resolve(self, value: Any) -> Any:
        """The value with every intrinsic function evaluated.

        Raises:
            TemplateError: A function or a name is not known.
        """
        if isinstance(value, list):
            items = [self.resolve(one) for one in value]
            return [one for one in items if one is not NO_VALUE]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((name, argument),) = value.items()
            if _is_call(name, argument):
                return self._call(name, argument)
        pairs = {key: self.resolve(one) for key, one in value.items()}
        return {key: one for key, one in pairs.items() if one is not NO_VALUE}

    def _call(self, name: str, argument: Any) -> Any:
        method = {
            "Ref": self._ref,
            "Condition": self._condition,
            "Fn::GetAtt": self._getatt,
            "Fn::Sub": self._sub,
            "Fn::Join": self._join,
            "Fn::Select": self._select,
            "Fn::Split": self._split,
            "Fn::If": self._if,
            "Fn::Equals": self._equals,
            "Fn::Not": self._not,
            "Fn::And": self._and,
            "Fn::Or": self._or,
        }.get(name)
        if method is None:
            raise TemplateError(f"the function {name} is not supported")
        try:
            return method(argument)
        except KeyError as error:
            raise TemplateError(f"{name}: there is no {error}") from error
        except (TypeError, ValueError, IndexError) as error:
            raise TemplateError(f"{name}: cannot be used with {argument!r}") from error

    def _getatt(self, argument: Any) -> Any:
        parts = argument if isinstance(argument, list) else str(argument).split(".", 1)
        return self._attribute(".".join(map(str, parts)))

    def _sub(self, argument: Any) -> str:
        text, local = argument if isinstance(argument, list) else (argument, {})
        values = {key: self.resolve(one) for key, one in local.items()}

        def replace(match: re.Match[str]) -> str:
            literal, name = match.groups()
            if literal:
                return "${" + name + "}"
            if name in values:
                return str(values[name])
            return str(self._attribute(name) if "." in name else self._ref(name))

        return _SUBSTITUTION.sub(replace, text)

    def _join(self, argument: Any) -> str:
        separator, parts = argument
        return str(separator).join(map(str, self.resolve(parts)))

    def _select(self, argument: Any) -> Any:
        index, items = argument
        return self.resolve(items)[int(index)]

    def _split(self, argument: Any) -> list[str]:
        separator, text = argument
        return str(self.resolve(text)).split(separator)

    def _if(self, argument: Any) -> Any:
        condition, then, otherwise = argument
        return self.resolve(then if self._conditions[condition] else otherwise)

    def _equals(self, argument: Any) -> bool:
        one, other = self.resolve(argument)
        return str(one) == str(other)

    def _not(self, argument: Any) -> bool:
        return not self.resolve(argument)[0]

    def _and(self, argument: Any) -> bool:
        return all(self.resolve(argument))

    def _or(self, argument: Any) -> bool:
        return any(self.resolve(argument))

    def _condition(self, argument: str) -> bool:
        return self._conditions[argument]


def _is_call(name: Any, argument: Any) -> bool:
    # An IAM policy has a Condition too, but that is a mapping.
    if name in ("Ref", "Condition"):
        return isinstance(argument, str)
    return str(name).startswith("Fn::")


class _NoValue:
    """What ``AWS::NoValue`` stands for: the member is left out."""


NO_VALUE = _NoValue()
