"""What every method with a trained network does with it: place items, judge new ones, be kept in files."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator
from typing import Any

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Generator, Tensor, nn

from clustering.methods.base import Clusterer, Judge
from clustering.methods.inputs import checked_items
from clustering.training.data import Data, as_tensor
from clustering.training.device import DeviceName
from clustering.training.inference import ROWS_AT_ONCE, with_weights
from clustering.training.seeds import torch_generator


class NetworkClusterer(Clusterer):
    """Base of methods that find clusters with a network.

    Attributes
    ----------
    weights_ : dict of str to array
        Every weight of the trained network by name.
    shift_, factor_ : float64 array (d,)
        How the features were scaled: (x − shift) · factor.
    """

    device: DeviceName
    random_state: int
    weights_: dict[str, NDArray[Any]]
    shift_: NDArray[np.float64]
    factor_: NDArray[np.float64]

    @abstractmethod
    def setup(self, n_features: int, generator: Generator) -> nn.Module:
        """Return the untrained network; it has ``encode`` and ``centers`` (K, m)."""

    @abstractmethod
    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return the soft assignments (n, K) of latents (n, m)."""

    def place(self, network: Any, latents: Tensor) -> Tensor:  # noqa: ARG002
        """Return where items lie in the space the clusters are found in: the latents, by default."""
        return latents

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the soft assignments of ``X``, float32 (n, K); rows sum to 1."""
        check_is_fitted(self)
        return self._embed(checked_items(self, X))[1]

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the latents of ``X``, float32 (n, m)."""
        check_is_fitted(self)
        return self._embed(checked_items(self, X))[0]

    def prepared(self) -> Judge:
        """Return a function from rows to their latents and soft assignments, with the network built once."""
        check_is_fitted(self)
        ready = self._trained()
        return lambda X: self._embed(checked_items(self, X), ready=ready)

    def _embed(
        self,
        items: NDArray[np.float32],
        data: Data | None = None,
        ready: tuple[Any, torch.device] | None = None,
    ) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return places (n, m) and soft assignments (n, K), reading from ``data`` what is on the device.

        In double precision, rounded at the end: no row then depends on its company, its chunk or the device,
        so a subset gives the same as the whole.
        """
        network, device = ready or self._trained()
        places, assignments = [], []
        with torch.inference_mode():
            for latents in self._latents(items, network, device, data):
                places.append(self.place(network, latents).float().cpu().numpy())
                assignments.append(self.assign(network, latents).float().cpu().numpy())
        return np.concatenate(places), np.concatenate(assignments)

    @torch.inference_mode()
    def _latents(
        self, items: NDArray[np.float32], network: Any, device: torch.device, data: Data | None = None
    ) -> Iterator[Tensor]:
        """Yield the latents of some rows at a time, in double precision."""
        shift, factor = torch.from_numpy(self.shift_).to(device), torch.from_numpy(self.factor_).to(device)
        for start in range(0, len(items), ROWS_AT_ONCE):
            part = slice(start, start + ROWS_AT_ONCE)
            rows = as_tensor(items[part]) if data is None else data.features[part]
            yield network.encode((rows.to(device).double() - shift) * factor)

    def _trained(self) -> tuple[Any, torch.device]:
        """Return the trained network in double precision, and where it lies."""
        device = _device_of_inference(self.device)
        generator = torch_generator(self.random_state, "weights")
        network = with_weights(self.setup(self.n_features_in_, generator), self.weights_)
        return network.to(device).double(), device


def _device_of_inference(name: DeviceName) -> torch.device:
    """Return CUDA where it may be used, else the CPU: Apple's processor has no double precision."""
    if name in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("cpu")
