"""Controls made from parameter annotations: the few that matter first, the others under *More settings*."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from clustering.errors import StudioError
from clustering.parameters import Parameter
from clustering.ui.folding import folded

TITLES = {
    "n_clusters": "Groups",
    "random_state": "Seed",
    "latent_dim": "Latent dimensions",
    "hidden_dims": "Layer widths",
    "pretrain_epochs": "Pretraining epochs",
    "epochs": "Epochs",
    "batch_size": "Batch size",
    "learning_rate": "Learning rate",
    "device": "Device",
    "precision": "Precision",
    "n_init": "Seeds",
    "initial_centers": "First centres",
}
AUTOMATIC = "Automatic"


def form(
    parameters: Iterable[Parameter],
    key: str,
    defaults: Mapping[str, Any] | None = None,
    closed: Mapping[str, str] | None = None,
) -> dict[str, Any]:
    """Draw one control for each parameter and return what the person chose.

    Parameters
    ----------
    parameters : iterable of Parameter
    key : str
        Prefix of the widget keys; the values outlive a page switch.
    defaults : mapping, optional
        Values to start from instead of the annotated defaults.
    closed : mapping of str to str, optional
        Parameters that cannot be chosen here, each with the reason; they keep their default.

    Returns
    -------
    dict of str to Any
        Only values that differ from the annotated default, so that a run says what was chosen.

    Raises
    ------
    StudioError
        When a text cannot be read as what it should be.
    """
    listed = list(parameters)
    start, closed = dict(defaults or {}), dict(closed or {})
    chosen: dict[str, Any] = {}
    basics = [parameter for parameter in listed if not parameter.advanced]
    others = [parameter for parameter in listed if parameter.advanced]
    if basics:
        with st.container(horizontal=True, gap="medium", vertical_alignment="top", key=f"{key}-basics"):
            for parameter in basics:
                with st.container(width=230, gap="xxsmall"):
                    chosen[parameter.name] = _drawn(parameter, key, start, closed)
    more = folded("More settings", f"{key}-more") if others else None
    if more is None:
        chosen |= {parameter.name: _kept(parameter, key, start, closed) for parameter in others}
    else:
        with more:
            for row in range(0, len(others), 3):
                for column, parameter in zip(st.columns(3), others[row : row + 3], strict=False):
                    with column:
                        chosen[parameter.name] = _drawn(parameter, key, start, closed)
    return {name: value for name, value in chosen.items() if value != _default(listed, name)}


def _drawn(parameter: Parameter, key: str, start: Mapping[str, Any], closed: Mapping[str, str]) -> Any:
    if parameter.name not in closed:
        return control(parameter, f"{key}-{parameter.name}", start)
    shown = AUTOMATIC if parameter.default is None else str(parameter.default).replace("_", " ")
    st.selectbox(title(parameter.name), [shown], disabled=True, key=f"{key}-{parameter.name}-closed")
    st.caption(closed[parameter.name])
    return parameter.default


def _kept(parameter: Parameter, key: str, start: Mapping[str, Any], closed: Mapping[str, str]) -> Any:
    """Return what a control that is folded away was left at."""
    if parameter.name in closed:
        return parameter.default
    value, place = start.get(parameter.name, parameter.default), f"{key}-{parameter.name}"
    if parameter.kind in ("int", "float", "choice", "bool"):
        return st.session_state.get(place, value)
    return _read(parameter, st.session_state.get(place, _as_text(value)))


def control(parameter: Parameter, key: str, start: Mapping[str, Any]) -> Any:
    """Draw the control of one parameter and return its value."""
    value = start.get(parameter.name, parameter.default)
    label = title(parameter.name)
    help_text = f"{parameter.meaning}  \n`{parameter.name}`{_range(parameter)}"
    if parameter.kind == "bool":
        return st.toggle(label, value=bool(value), key=key, help=help_text, persist_state="session")
    if parameter.choices:
        return _choice(parameter, value, label, help_text, key)
    if parameter.kind in ("int", "float"):
        return _number(parameter, value, label, help_text, key)
    text = st.text_input(
        label, value=_as_text(value), key=key, help=help_text, placeholder=AUTOMATIC, persist_state="session"
    )
    return _read(parameter, text)


def _read(parameter: Parameter, text: str) -> Any:
    """Return the value a person wrote as text."""
    text = text.strip()
    if parameter.kind == "ints":
        return _ints(parameter, text)
    return text if text or not parameter.optional else None


def title(name: str) -> str:
    """Return a parameter's name as a label."""
    return TITLES.get(name, name.replace("_", " ").capitalize())


def _choice(parameter: Parameter, value: Any, label: str, help_text: str, key: str) -> Any:
    options: list[Any] = [None, *parameter.choices] if parameter.optional else list(parameter.choices)
    written = parameter.kind == "text"
    if written and (now := st.session_state.get(key, value)) not in options:
        options.append(now)  # what somebody wrote stays one of the choices
    return st.selectbox(
        label,
        options,
        index=options.index(value) if value in options else 0,
        format_func=lambda option: (
            AUTOMATIC if option is None else str(option) if written else str(option).replace("_", " ")
        ),
        key=key,
        help=help_text,
        accept_new_options=written,
        persist_state="session",
    )


def _number(parameter: Parameter, value: Any, label: str, help_text: str, key: str) -> Any:
    if parameter.slider:
        return _slider(parameter, value, label, help_text, key)
    whole = parameter.kind == "int"
    cast: Any = int if whole else float
    step = 1 if whole else max(float(value or 0.0) / 10, 1e-6)
    limits: dict[str, Any] = {
        "value": None if value is None else cast(value),
        "min_value": None if parameter.minimum is None else cast(parameter.minimum),
        "max_value": None if parameter.maximum is None else cast(parameter.maximum),
        "step": cast(step),
    }
    return st.number_input(
        label,
        **limits,
        format="%d" if whole else "%.6g",
        placeholder=AUTOMATIC,
        key=key,
        help=help_text,
        persist_state="session",
    )


def _slider(parameter: Parameter, value: Any, label: str, help_text: str, key: str) -> float:
    assert parameter.minimum is not None and parameter.maximum is not None  # a slider has two ends
    low, high = float(parameter.minimum), float(parameter.maximum)
    step = (high - low) / 20
    return st.slider(label, low, high, float(value), step, key=key, help=help_text, persist_state="session")


def _ints(parameter: Parameter, text: str) -> tuple[int, ...] | None:
    if not text and parameter.optional:
        return None
    parts = [part for part in text.replace("–", " ").replace(",", " ").split() if part != "-"]
    if not all(part.isdigit() and int(part) > 0 for part in parts) or not parts:
        raise StudioError(
            f"“{title(parameter.name)}” reads “{text}”, but it should be whole numbers such as “500, 2000”.",
            "Write the numbers with commas between them.",
        )
    return tuple(int(part) for part in parts)


def _as_text(value: Any) -> str:
    if value is None:
        return ""
    return ", ".join(str(part) for part in value) if isinstance(value, list | tuple) else str(value)


def _range(parameter: Parameter) -> str:
    low, high = parameter.minimum, parameter.maximum
    if low is None and high is None:
        return ""
    if high is None:
        return f", from {low:g}"
    return f", up to {high:g}" if low is None else f", {low:g} to {high:g}"


def _default(parameters: list[Parameter], name: str) -> Any:
    return next(parameter.default for parameter in parameters if parameter.name == name)
