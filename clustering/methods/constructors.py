"""Constructors of another library's estimators, read as annotated parameters with ranges and sentences."""

from __future__ import annotations

import inspect
import re
import textwrap
import types
import typing
from dataclasses import dataclass
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge

from clustering.methods.inputs import NClusters, RandomState
from clustering.parameters import Meaning
from clustering.training.device import DeviceName

FIRST = ("n_clusters", "n_clusters_init", "pretrain_epochs", "clustering_epochs")  # others are folded
HIDDEN = ("debug", "augmentation_invariance")  # the second needs loaders no form can give
USUAL_GROUPS = 8
VIEWS = "clusters_per_view"  # our name of their n_clusters where it is a list
RENAMED = {"max_iter": "iterations"}  # scikit-learn wants n_iter_ of every estimator with a max_iter

Device = Annotated[DeviceName, Meaning("Where to compute; “auto” takes the fastest there is.", advanced=True)]


@dataclass(frozen=True)
class Argument:
    """One constructor argument that a form can show.

    Parameters
    ----------
    name : str
        Ours.
    theirs : str
        Theirs; empty for one that they do not take.
    annotation : type
        With a range and a `Meaning`.
    default : Any
    """

    name: str
    theirs: str
    annotation: Any
    default: Any


def arguments_of(owner: type) -> tuple[Argument, ...]:
    """Return what a form can show of a constructor, the number of groups first, the seed last.

    What is no number, list of whole numbers, switch or text (networks, loaders, functions) keeps its default.
    """
    hints = _hints(owner)
    sentences = parameter_sentences(inspect.getdoc(owner) or "")
    found = []
    for name, given in inspect.signature(owner).parameters.items():
        argument = _argument(name, hints.get(name, Any), given.default, sentences.get(name, ""))
        if argument is not None and name not in HIDDEN:
            found.append(argument)
    seeded = any(argument.name == "random_state" for argument in found)
    found = [argument for argument in found if argument.name != "random_state"]
    found.append(Argument("random_state", "random_state" if seeded else "", RandomState, 0))
    return tuple(sorted(found, key=lambda argument: argument.name not in ("n_clusters", VIEWS)))


def parameter_sentences(documentation: str) -> dict[str, str]:
    """Return what a numpydoc text says of every parameter, in one line each."""
    section = re.search(r"^Parameters\n-+\n(.*?)(?=^\w[^\n]*\n-{3,}|\Z)", documentation, re.M | re.S)
    if section is None:
        return {}
    entries = re.split(r"^(\w+)\s*:[^\n]*\n", textwrap.dedent(section[1]), flags=re.M)[1:]
    pairs = zip(entries[::2], entries[1::2], strict=True)
    return {name: " ".join(text.split()) for name, text in pairs}


def _hints(owner: type) -> dict[str, Any]:
    try:
        return typing.get_type_hints(owner.__init__)  # type: ignore[misc]
    except NameError:  # an annotation that names what only type checkers import
        return {name: given.annotation for name, given in inspect.signature(owner).parameters.items()}


def _argument(name: str, hint: Any, default: Any, sentence: str) -> Argument | None:
    if name == "random_state":
        return Argument(name, name, RandomState, 0)
    if name == "device":
        return Argument(name, name, Device, "auto")
    parts = _parts(hint)
    if name == "n_clusters":
        if list in parts or tuple in parts:
            default = default if isinstance(default, tuple) else (3, 3)
            meaning = Meaning("How many groups to look for in each of several views of the data.")
            return Argument(
                VIEWS, name, Annotated[tuple[Annotated[int, Ge(1)], ...], meaning], tuple(default)
            )
        return Argument(name, name, NClusters, default if isinstance(default, int) else USUAL_GROUPS)
    if default is inspect.Parameter.empty:
        return None
    kind = _kind(parts, default)
    if kind is None:
        return None
    if kind is float and default is not None:
        default = float(default)
    meaning = Meaning(_sentence(name, sentence), advanced=name not in FIRST)
    choices = _choices(sentence, default) if kind is str else ()
    base: Any = Literal[choices] if choices else kind
    annotation: Any = base | None if type(None) in parts or default is None else base
    return Argument(
        RENAMED.get(name, name), name, Annotated[annotation, *_range(kind, default), meaning], default
    )


def _parts(hint: Any) -> set[Any]:
    """Return the plain types an annotation allows: ``list[int] | int | None`` → {list, int, NoneType}."""
    if isinstance(hint, str):
        known = {"int": int, "float": float, "bool": bool, "str": str, "list": list, "tuple": tuple}
        names = [part.strip().partition("[")[0] for part in hint.split("|")]
        return {known.get(part, type(None) if part == "None" else object) for part in names}
    if get_origin(hint) in (Union, types.UnionType):
        return set().union(*(_parts(part) for part in get_args(hint)))
    return {get_origin(hint) or hint}


def _kind(parts: set[Any], default: Any) -> type | None:
    """Return what a form shows for an argument, or None: an argument without annotation is as its default."""
    if parts in ({Any}, {inspect.Parameter.empty}):
        parts = {type(default)}
    plain = parts - {type(None)}
    for kind in (bool, float, int, str):
        if kind in plain and plain <= {kind, int}:
            return kind
    return None


def _range(kind: type, default: Any) -> tuple[Any, ...]:
    """Return a lower bound where the default shows one: what starts at 0 or above stays there."""
    if kind is int and (default is None or default >= 0):
        return (Ge(1 if default is None or default > 0 else 0),)
    if kind is float and default is not None and default >= 0:
        return (Ge(0),)
    return ()


def _sentence(name: str, told: str) -> str:
    words = re.sub(r"\s*\(default:[^)]*\)+", "", told).strip() or name.replace("_", " ")
    first = re.split(r"(?<=[a-z)]\.)\s+(?=[A-Z])", words)[0].rstrip(".")
    return f"{first[0].upper()}{first[1:]}."


def _choices(told: str, default: Any) -> tuple[str, ...]:
    """Return the quoted words of “possibilities are 'one' and 'two'”, if the default is among them."""
    listed = re.search(
        r"(?:[Pp]ossibilit\w+|[Cc]an be|[Mm]ust be|either)\b(.*)", told.partition("(default")[0]
    )
    words = tuple(dict.fromkeys(re.findall(r"['\"]([\w+-]+)['\"]", listed[1]))) if listed else ()
    return words if default in words else ()
