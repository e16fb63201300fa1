"""Who moves the points of a map: a library on the CPU or our own optimiser on the device, and why."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from typing import Annotated, Literal

from clustering.errors import MemoryFullError
from clustering.neighbors import Neighbors
from clustering.parameters import Meaning

EngineName = Literal["auto", "library", "own"]
Engine = Annotated[
    EngineName,
    Meaning(
        "What moves the points: library is the well-known program on the processor, own is ours, which also "
        "runs on a graphics processor; auto takes ours where a graphics processor is there and pays.",
        advanced=True,
    ),
]


@dataclass(frozen=True)
class Chosen:
    """An engine and its reason.

    Parameters
    ----------
    own : bool
        Ours, in PyTorch, or else the library.
    device : str
        ``"cuda"`` or ``"cpu"``.
    sentence : str
        For a person: ``"umap-learn 0.5.12 on CPU: no graphics processor was found"``.
    """

    own: bool
    device: str
    sentence: str


def chosen_engine(wanted: EngineName, library: str, module: str, n_items: int, pays_from: int) -> Chosen:
    """Choose what maps ``n_items`` items.

    Parameters
    ----------
    wanted : {"auto", "library", "own"}
    library, module : str
        What to install and what to import: ``"umap-learn"``, ``"umap"``.
    pays_from : int
        Items from which our engine on a graphics processor is quicker than the library.
    """
    installed = find_spec(module) is not None
    if wanted == "library" or (wanted == "auto" and installed and n_items < pays_from):
        few = f"{n_items:,} items; a graphics processor pays from {pays_from:,}"
        return _library(library, "as asked" if wanted == "library" else few)
    device = device_for(n_items, 0 if wanted == "own" else pays_from)
    if device == "cuda":
        return _own("cuda", "as asked" if wanted == "own" else f"it pays from {pays_from:,} items")
    if wanted == "own":
        return _own("cpu", "as asked, and no graphics processor was found")
    if installed:
        return _library(library, "no graphics processor was found")
    return _own("cpu", f"{library} is not installed")


def with_search(sentence: str, found: Neighbors) -> str:
    """Return an engine's sentence; where the neighbours are not exactly the true ones, it says so."""
    return sentence if found.engine.startswith("exact") else f"{sentence}; neighbours by {found.engine}"


@contextmanager
def enough_memory(title: str, n_items: int) -> Iterator[None]:
    """Turn the word of a graphics processor that its memory is full into a sentence.

    Raises
    ------
    MemoryFullError
    """
    import torch

    try:
        yield
    except torch.OutOfMemoryError as error:
        raise MemoryFullError(
            f"{title} of {n_items:,} items does not fit in the memory of {torch.cuda.get_device_name()}.",
            "Choose “library” as the engine, which works in the main memory, or map fewer items.",
        ) from error


def device_for(n_items: int, pays_from: int) -> Literal["cuda", "cpu"]:
    """Return where work on so many items is done."""
    if n_items < pays_from:
        return "cpu"
    import torch

    return "cuda" if torch.cuda.is_available() else "cpu"


def _library(name: str, reason: str) -> Chosen:
    return Chosen(False, "cpu", f"{name} {version(name)} on CPU: {reason}")


def _own(device: Literal["cuda", "cpu"], reason: str) -> Chosen:
    import torch

    place = torch.cuda.get_device_name() if device == "cuda" else "CPU"
    return Chosen(True, device, f"our own (PyTorch {torch.__version__}) on {place}: {reason}")
