"""Parameters on the command line: ``--set name=value``, checked by the same annotations as a page's form."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from clustering.errors import StudioError
from clustering.parameters import Parameter, checked_parameters, parameters_of


def settings(owner: type, given: Sequence[str], shared: dict[str, Any] | None = None) -> dict[str, Any]:
    """Return the parameters of ``owner`` named by ``--set`` and by common options.

    Parameters
    ----------
    owner : type
        A method, projection or encoder.
    given : sequence of str
        ``name=value``; lists as ``500,500,2000``, nothing as ``none``.
    shared : dict
        Values of common options; those that were not given are None, and are left out.

    Raises
    ------
    StudioError
        When a parameter does not exist or cannot have this value.
    """
    known = {parameter.name: parameter for parameter in parameters_of(owner)}
    chosen = {name: value for name, value in (shared or {}).items() if value is not None}
    for entry in given:
        name, equals, text = entry.partition("=")
        if not equals:
            raise StudioError(f"“{entry}” says no value.", "Write it as name=value, such as n_clusters=6.")
        name = name.strip().replace("-", "_")
        chosen[name] = _read(known[name], text.strip()) if name in known else text.strip()
    return checked_parameters(owner, chosen)


def load_options(kind: str | None, ending: str, given: Sequence[str]) -> dict[str, Any]:
    """Return what ``--set`` chose for loading a kind of collection.

    Parameters
    ----------
    kind : str or None
        By default the only kind with such options that a file with this ending may hold.
    ending : str
        Of the file, with its dot.
    given : sequence of str

    Raises
    ------
    StudioError
        When the kind does not exist or takes no such option.
    """
    from clustering.collections.readers import READERS, NoOptions, kinds_of_ending

    kinds = (
        [kind] if kind else [one for one in kinds_of_ending(ending) if READERS[one].options is not NoOptions]
    )
    if len(kinds) != 1 or kinds[0] not in READERS:
        raise StudioError(
            "Nobody said what kind of collection these settings are for.",
            f"Add --kind with one of: {', '.join(READERS)}.",
        )
    return settings(READERS[kinds[0]].options, given)  # type: ignore[index]


def _read(parameter: Parameter, text: str) -> Any:
    if parameter.optional and text.lower() in ("", "none"):
        return None
    if parameter.kind == "ints":
        return tuple(part.strip() for part in text.strip("()[]").split(",") if part.strip())
    return text


def described(parameter: Parameter) -> tuple[str, str, str, str]:
    """Return a parameter as a table row: name, default, what is allowed, what it does."""
    default = ",".join(map(str, parameter.default)) if parameter.kind == "ints" and parameter.default else (
        "none" if parameter.default is None else str(parameter.default)
    )  # fmt: skip
    return parameter.name, default, _allowed(parameter), parameter.meaning


def _allowed(parameter: Parameter) -> str:
    if parameter.choices:
        return " | ".join((*parameter.choices, *(["another text"] if parameter.kind == "text" else [])))
    kinds = {
        "int": "whole number",
        "float": "number",
        "bool": "true | false",
        "text": "text",
        "ints": "1,2,…",
    }
    low, high = parameter.minimum, parameter.maximum
    bounds = {
        (False, False): "",
        (True, False): f" from {low}",
        (False, True): f" to {high}",
        (True, True): f" {low} … {high}",
    }[low is not None, high is not None]
    return kinds[parameter.kind] + bounds + (" | none" if parameter.optional else "")
