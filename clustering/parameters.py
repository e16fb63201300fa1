"""Parameters written once, as annotated constructor arguments, and read by forms, CLI, docs and checks."""

from __future__ import annotations

import inspect
import types
import typing
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import numpy as np
from annotated_types import Ge, Gt, Interval, Le, Lt
from pydantic import TypeAdapter, ValidationError

from clustering.errors import StudioError

Kind = Literal["int", "float", "bool", "choice", "text", "ints"]


@dataclass(frozen=True)
class Meaning:
    """What a parameter does, in one line a curator understands.

    Parameters
    ----------
    text : str
        The sentence shown beside the control.
    advanced : bool
        True folds the control under *More settings*.
    slider : bool
        True for a number between two ends that is felt rather than known.
    suggestions : tuple of str
        Of a text: what most people choose; any other may be written.
    """

    text: str
    advanced: bool = False
    slider: bool = False
    suggestions: tuple[str, ...] = ()


@dataclass(frozen=True)
class Parameter:
    """One constructor argument as a form, a command line or a page of docs needs it.

    A text with choices may be another one too.
    """

    name: str
    kind: Kind
    default: Any
    optional: bool
    meaning: str
    advanced: bool
    choices: tuple[str, ...] = ()
    minimum: float | None = None
    maximum: float | None = None
    slider: bool = False


def parameters_of(owner: type) -> tuple[Parameter, ...]:
    """Return the annotated constructor arguments of a class, in their written order.

    Raises
    ------
    TypeError
        When an argument lacks a `Meaning` or has a type no form can show.
    """
    hints = typing.get_type_hints(owner.__init__, include_extras=True)  # type: ignore[misc]
    signature = inspect.signature(owner)
    return tuple(
        _parameter(owner, name, hints[name], argument.default)
        for name, argument in signature.parameters.items()
    )


def checked_parameters(owner: type, values: Mapping[str, Any]) -> dict[str, Any]:
    """Return ``values`` converted to the annotated types, or say which one is wrong.

    Raises
    ------
    StudioError
        Naming the parameter, what was given, what is allowed and the mend.
    """
    hints = typing.get_type_hints(owner.__init__, include_extras=True)  # type: ignore[misc]
    known = [parameter.name for parameter in parameters_of(owner)]
    unknown = sorted(set(values) - set(known))
    if unknown:
        raise StudioError(
            f"{_called(owner)} has no parameter called “{unknown[0]}”.",
            f"It takes: {', '.join(known)}.",
        )
    return {name: _checked(owner, name, hints[name], value) for name, value in values.items()}


def _checked(owner: type, name: str, hint: Any, value: Any) -> Any:
    plain = value.item() if isinstance(value, np.generic) else value
    try:
        return TypeAdapter(hint).validate_python(plain)
    except ValidationError:
        default = inspect.signature(owner).parameters[name].default
        raise StudioError(
            f"{_called(owner)}: “{name}” is {plain!r}, but it should be {_allowed(hint)}.",
            f"Choose another value for “{name}”; {_in_words(default)} is the usual one.",
        ) from None


def _called(owner: type) -> str:
    return getattr(getattr(owner, "info", None), "title", owner.__name__)


def _in_words(value: Any) -> str:
    return "empty (None)" if value is None else repr(value)


def _allowed(hint: Any) -> str:
    """Say in words what a parameter may be: ``a whole number from 1 to 200, or empty (None)``."""
    base, optional, marks = _taken_apart(hint)
    if get_origin(base) is Literal:
        words = "one of " + ", ".join(map(repr, get_args(base)))
    elif get_origin(base) is tuple:
        inner, _, inner_marks = _taken_apart(get_args(base)[0])
        words = f"a list in which each is {_a_number(inner, inner_marks)}"
    elif base in (int, float):
        words = _a_number(base, marks)
    else:
        words = "True or False" if base is bool else "text"
    return f"{words}, or empty (None)" if optional else words


def _a_number(base: Any, marks: list[Any]) -> str:
    bounds = _bounds(marks)
    words = "a whole number" if base is int else "a number"
    if {"ge", "le"} <= set(bounds):
        return f"{words} from {bounds['ge']} to {bounds['le']}"
    said = {"ge": "not below", "gt": "above", "le": "not above", "lt": "below"}
    limits = [f"{said[name]} {bound}" for name, bound in bounds.items()]
    return " ".join([words, " and ".join(limits)]).strip()


def _parameter(owner: type, name: str, hint: Any, default: Any) -> Parameter:
    base, optional, marks = _taken_apart(hint)
    meanings = [mark for mark in marks if isinstance(mark, Meaning)]
    if not meanings:
        raise TypeError(f"{owner.__name__}.{name} needs a Meaning in its annotation")
    minimum, maximum = _range(marks)
    return Parameter(
        name=name,
        kind=_kind(owner, name, base),
        default=default,
        optional=optional,
        meaning=meanings[0].text,
        advanced=meanings[0].advanced,
        choices=tuple(get_args(base)) if get_origin(base) is Literal else meanings[0].suggestions,
        minimum=minimum,
        maximum=maximum,
        slider=meanings[0].slider,
    )


def _taken_apart(hint: Any) -> tuple[Any, bool, list[Any]]:
    """Return the plain type of an annotation, whether None is allowed too, and the marks on it."""
    base, marks = _without_marks(hint)
    optional = type(None) in get_args(base) and get_origin(base) in (Union, types.UnionType)
    if optional:
        base, inner = _without_marks(next(part for part in get_args(base) if part is not type(None)))
        marks += inner
    return base, optional, marks


def _without_marks(hint: Any) -> tuple[Any, list[Any]]:
    if get_origin(hint) is Annotated:
        base, *marks = get_args(hint)
        return base, list(marks)
    return hint, []


def _bounds(marks: list[Any]) -> dict[str, Any]:
    bounds: dict[str, Any] = {}
    for mark in marks:
        if isinstance(mark, Interval | Ge | Gt | Le | Lt):
            bounds |= {
                f.name: getattr(mark, f.name) for f in fields(mark) if getattr(mark, f.name) is not None
            }
    return bounds


def _range(marks: list[Any]) -> tuple[float | None, float | None]:
    bounds = _bounds(marks)
    return bounds.get("ge", bounds.get("gt")), bounds.get("le", bounds.get("lt"))


def _kind(owner: type, name: str, base: Any) -> Kind:
    if get_origin(base) is Literal:
        return "choice"
    if get_origin(base) is tuple:
        return "ints"
    kinds: dict[Any, Kind] = {bool: "bool", int: "int", float: "float", str: "text"}
    if base not in kinds:
        raise TypeError(f"{owner.__name__}.{name} has type {base!r}, which no form can show")
    return kinds[base]
