"""Weights kept in a folder under what they were learned from, so that nobody learns them twice."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path

from safetensors import SafetensorError
from safetensors.torch import load, save
from torch import Tensor, nn

from clustering.files import write_bytes

_folder: ContextVar[Path | None] = ContextVar("folder of kept weights", default=None)


@contextmanager
def weights_kept_in(folder: Path) -> Iterator[None]:
    """Let fits inside this block read from ``folder`` what was learned before and write what is new.

    Holds for the current thread or task. Files are named by a hash of all that decides the weights; the
    folder may be emptied at any time.
    """
    token = _folder.set(folder)
    try:
        yield
    finally:
        _folder.reset(token)


def keeping_weights() -> bool:
    """Return whether weights are being kept."""
    return _folder.get() is not None


def recalled_weights(mark: str) -> dict[str, Tensor] | None:
    """Return the weights kept under a mark, if there are any that can be read."""
    folder = _folder.get()
    if folder is None:
        return None
    try:
        return load((folder / f"{mark}.safetensors").read_bytes())
    except (OSError, SafetensorError):  # absent or broken: learn again
        return None


def remember_weights(mark: str, weights: Mapping[str, Tensor]) -> None:
    """Write weights under a mark, in one step, if they are being kept."""
    folder = _folder.get()
    if folder is not None:
        held = {name: tensor.detach().cpu().contiguous() for name, tensor in weights.items()}
        write_bytes(folder / f"{mark}.safetensors", save(held))


def weights_below(network: nn.Module, parts: tuple[str, ...]) -> dict[str, Tensor]:
    """Return the weights of the named parts of a network."""
    starts = tuple(f"{part}." for part in parts)
    return {name: value for name, value in network.state_dict().items() if name.startswith(starts)}


def taken_up(network: nn.Module, parts: tuple[str, ...], kept: Mapping[str, Tensor] | None) -> bool:
    """Put kept weights into the named parts; return False, with nothing changed, where they do not fit."""
    if kept is None:
        return False
    own = weights_below(network, parts)
    if {name: value.shape for name, value in own.items()} != {
        name: value.shape for name, value in kept.items()
    }:
        return False
    network.load_state_dict(dict(kept), strict=False)
    return True
