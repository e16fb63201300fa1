"""Fitted models on disk without pickle: a JSON file a person can read and a safetensors file of arrays."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load_file
from safetensors.numpy import save as as_bytes

from clustering.errors import StudioError
from clustering.parameters import checked_parameters

if TYPE_CHECKING:
    from clustering.methods.base import Clusterer

ARRAYS, MODEL = "arrays.safetensors", "model.json"
C = TypeVar("C", bound="Clusterer")


def save_fitted(model: Clusterer, folder: Path) -> None:
    """Write every fitted attribute (name ending in ``_``) of ``model`` to ``folder``.

    Each file is written under a temporary name and then renamed.
    """
    folder = Path(folder)
    folder.mkdir(parents=True, exist_ok=True)
    fitted = {name: value for name, value in vars(model).items() if name.endswith("_")}
    arrays = {
        name: np.ascontiguousarray(value)
        for name, value in fitted.items()
        if isinstance(value, np.ndarray) and value.dtype != object
    }
    weights = {name: value for name, value in fitted.items() if _is_weights(value)}
    for name, parts in weights.items():
        arrays |= {f"{name}/{part}": np.ascontiguousarray(value) for part, value in parts.items()}
    rest = {name: value for name, value in fitted.items() if name not in arrays and name not in weights}
    record = {"method": model.info.name, "parameters": model.get_params(deep=False), "fitted": rest}
    _write(folder / ARRAYS, as_bytes(arrays))
    _write(folder / MODEL, json.dumps(record, indent=1, default=_plain).encode())


def load_fitted(cls: type[C], folder: Path) -> C:
    """Read what `save_fitted` wrote.

    Raises
    ------
    StudioError
        When a file is missing, damaged or of another method.
    """
    folder = Path(folder)
    try:
        record = json.loads((folder / MODEL).read_text())
        arrays = load_file(folder / ARRAYS)
        method, parameters, rest = record["method"], record["parameters"], record["fitted"]
    except OSError as error:
        raise StudioError(
            f"There is no complete saved model in {folder} ({error.strerror}).",
            f"Choose a folder that holds {MODEL} and {ARRAYS}.",
        ) from None
    except (ValueError, KeyError, TypeError, SafetensorError) as error:
        raise StudioError(
            f"The saved model in {folder} is damaged: {error}.", "Fit and save it again."
        ) from None
    if method != cls.info.name:
        raise StudioError(
            f"The folder {folder} holds a fitted “{method}”, not a “{cls.info.name}”.",
            "Load it with the method that saved it.",
        )
    model = cls(**checked_parameters(cls, parameters))  # JSON has no tuples
    for name, value in (rest | arrays).items():
        owner, _, part = name.partition("/")
        if part:
            model.__dict__.setdefault(owner, {})[part] = value
        else:
            setattr(model, name, value)
    if "feature_names_in_" in rest:
        model.feature_names_in_ = np.asarray(rest["feature_names_in_"], dtype=object)
    return model


def _is_weights(value: object) -> bool:
    """Say whether a fitted attribute is a network's weights: arrays by name."""
    return isinstance(value, dict) and bool(value) and all(isinstance(v, np.ndarray) for v in value.values())


def _write(path: Path, content: bytes) -> None:
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    part.write_bytes(content)
    part.replace(path)


def _plain(value: object) -> object:
    if isinstance(value, np.ndarray | np.generic):
        return value.tolist()
    raise TypeError(f"a fitted model holds {type(value).__name__}, which JSON cannot keep")
