"""The frame of every deep method: scikit-learn's contract outside, one training loop inside."""

from __future__ import annotations

import json
import time
from abc import abstractmethod
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from sklearn.utils.validation import check_is_fitted
from torch import Generator, Tensor, nn

from clustering.arrays import distinct_rows
from clustering.errors import StudioError
from clustering.methods.base import Clusterer
from clustering.methods.inputs import check_group_count, checked_items, checked_settings
from clustering.methods.saving import load_fitted, save_fitted
from clustering.training.alarms import scale_alarms
from clustering.training.checkpoint import Checkpoint, fingerprint
from clustering.training.data import Data, as_tensor
from clustering.training.device import Device, DeviceName, choose_device
from clustering.training.events import Emit, Failed, Finished, History, Started
from clustering.training.inference import ROWS_AT_ONCE, encode_all, threads, weights_of, with_weights
from clustering.training.loop import Loop
from clustering.training.phase import Phase, Refreshed
from clustering.training.scaling import column_moments, scaled, scaling, varying
from clustering.training.seeds import torch_generator
from clustering.training.step import Batch, Precision


class DeepClusterer(Clusterer):
    """Base of methods that train a network.

    A method writes what is its own: `setup` (the network, with an ``encode``), `phases` (what is trained, in
    which order), `loss` (named terms of a batch), `refresh` (whole-set tensors for the loss) and `assign`.
    Its constructor holds at least the parameters named below.

    Attributes
    ----------
    weights_ : dict of str to array
        Every weight of the trained network by name.
    shift_, factor_ : float64 array (d,)
        How the features were scaled: (x − shift) · factor.
    device_ : str
        The sentence that says where the fit ran and why.
    """

    n_clusters: int
    batch_size: int | None
    scale: Literal["none", "unit", "standardize"]
    device: DeviceName
    precision: Precision
    random_state: int

    # What a method writes ------------------------------------------------------------------------------

    @abstractmethod
    def setup(self, n_features: int, generator: Generator) -> nn.Module:
        """Return the untrained network; it has ``encode`` and ``centers`` (K, m)."""

    @abstractmethod
    def phases(self, network: Any, data: Data) -> tuple[Phase, ...]:
        """Return the phases of a fit in their order."""

    def refresh(self, assignments: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        """Return whole-set tensors (n, …) the loss of a batch needs, from the soft assignments (n, K)."""
        return {}

    def loss(self, network: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms of the clustering loss of a batch; their sum is minimised."""
        raise NotImplementedError

    @abstractmethod
    def assign(self, network: Any, latents: Tensor) -> Tensor:
        """Return the soft assignments (n, K) of latents (n, m)."""

    def place(self, network: Any, latents: Tensor) -> Tensor:  # noqa: ARG002
        """Return where items lie in the space the clusters are found in: the latents, by default."""
        return latents

    def rows_a_batch(self, n_items: int) -> int:  # noqa: ARG002
        """Return the batch size for a collection of ``n_items``."""
        return self.batch_size or 256

    # What every method shares --------------------------------------------------------------------------

    def fit(
        self,
        X: ArrayLike,
        y: Any = None,  # noqa: ARG002
        *,
        emit: Emit | None = None,
        checkpoint: Path | None = None,
    ) -> Self:
        """Train the network on ``X`` and find its clusters.

        Parameters
        ----------
        X : array-like (n, d)
            Finite numbers; used as float32.
        y : ignored
            No label ever chooses anything.
        emit : callable, optional
            Hears every event. Returning True ends the fit after the running epoch with what was found so far;
            raising `clustering.errors.Stopped` interrupts it, to go on later from the checkpoint.
        checkpoint : Path, optional
            Folder for checkpoints; when it already holds one of this very fit, the fit goes on from there and
            ends with the labels of an unbroken one.

        Returns
        -------
        self

        Raises
        ------
        StudioError
            When a parameter or the data cannot be used, or the training runs away.
        """
        settings = checked_settings(self)
        items = checked_items(self, X, fitting=True)
        check_group_count(settings["n_clusters"], len(items), _distinct(items, settings["n_clusters"]))
        # The constructor stored what it was given; the work is done by a twin that holds the checked values.
        twin = type(self)(**settings)
        twin.n_features_in_ = self.n_features_in_
        history = History(emit)
        try:
            twin._train(items, history, checkpoint)
        except StudioError as error:
            history(Failed(error.problem, error.mend))
            raise
        self.__dict__.update({name: value for name, value in vars(twin).items() if name.endswith("_")})
        return self

    def predict(self, X: ArrayLike) -> NDArray[np.int64]:
        """Return the cluster of each row of ``X``, int64 (n,)."""
        return np.asarray(self.predict_proba(X).argmax(axis=1), dtype=np.int64)

    def predict_proba(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the soft assignments of ``X``, float32 (n, K); rows sum to 1."""
        check_is_fitted(self)
        return self._embed(checked_items(self, X))[1]

    def transform(self, X: ArrayLike) -> NDArray[np.float32]:
        """Return the latents of ``X``, float32 (n, m)."""
        check_is_fitted(self)
        return self._embed(checked_items(self, X))[0]

    def save(self, folder: Path) -> None:
        """Write the fitted model to ``folder``: ``model.json`` and ``arrays.safetensors``, no pickle."""
        check_is_fitted(self)
        save_fitted(self, folder)

    @classmethod
    def load(cls, folder: Path) -> Self:
        """Read a model that `save` wrote.

        Raises
        ------
        StudioError
            When the folder holds no such model.
        """
        return load_fitted(cls, folder)

    def _train(self, items: NDArray[np.float32], history: History, folder: Path | None) -> None:
        begun = time.monotonic()
        device = choose_device(self.device)
        mean, variance = column_moments(items)
        self.shift_, self.factor_ = scaling(self.scale, mean, variance)
        features = scaled(items, self.shift_, self.factor_)
        notices: tuple[str, ...] = ()
        if self.scale == "none":
            notices = scale_alarms(
                float((variance + mean**2).mean()), np.flatnonzero(~varying(mean, variance)).tolist()
            )
        data = Data(features, device.device)
        network = self.setup(data.n_features, torch_generator(self.random_state, "weights"))
        network.to(device.device)
        phases = self.phases(network, data)
        checkpoint = None
        if folder is not None:
            mark = fingerprint(self.info.name, self.get_params(deep=False), device.device.type, items)
            checkpoint = Checkpoint(folder, mark)
        kept = checkpoint.read(device.device) if checkpoint else None
        stop = self._start(history, phases, data, device, kept)
        loop = Loop(
            network,
            network.encode,  # type: ignore[arg-type]
            data,
            history,
            random_state=self.random_state,
            batch_size=self.rows_a_batch(data.n_items),
            precision=self.precision,
            checkpoint=checkpoint,
            notices=notices,
            stop=stop,
        )
        with threads(kept["threads"] if kept else None):
            reason = loop.run(phases, kept)
        self.weights_ = weights_of(network)
        self.cluster_centers_ = np.asarray(self.weights_["centers"], dtype=np.float32)
        self.device_ = device.reason
        # By the very path a new item takes, so that fit and predict agree.
        self.embedding_, self.soft_assignments_ = self._embed(items)
        self.labels_ = np.asarray(self.soft_assignments_.argmax(axis=1), dtype=np.int64)
        history(Finished(reason, time.monotonic() - begun))
        self.history_ = history.rows

    def _start(
        self,
        history: History,
        phases: tuple[Phase, ...],
        data: Data,
        device: Device,
        kept: dict[str, Any] | None,
    ) -> bool:
        """Announce the fit, or announce again that a kept one goes on; return whether to stop at once."""
        started = Started(
            self.info.name,
            tuple((phase.name, phase.epochs) for phase in phases),
            data.n_items,
            data.n_features,
            device.device.type,
            device.reason,
        )
        if kept is None:
            return bool(history(started))
        history.rows.extend(json.loads(kept["history"]))  # it holds the first announcement already
        return bool(history.emit(started)) if history.emit else False

    def look(self, network: Any, data: Data) -> Refreshed:
        """Look at the whole set with the network as it is now."""
        latents = encode_all(network, data)
        with torch.no_grad():
            assignments = self.assign(network, latents)
            confidences, labels = assignments.max(dim=1)
            return Refreshed(
                self.place(network, latents),
                network.centers.detach(),
                labels,
                confidences,
                self.refresh(assignments),
            )

    def _embed(self, items: NDArray[np.float32]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Return places (n, m) and soft assignments (n, K).

        In double precision, rounded at the end: no row then depends on its company, its chunk or the device,
        so a subset gives the same as the whole.
        """
        device = _device_of_inference(self.device)
        generator = torch_generator(self.random_state, "weights")
        network: Any = with_weights(self.setup(self.n_features_in_, generator), self.weights_)
        network.to(device).double()
        shift, factor = torch.from_numpy(self.shift_).to(device), torch.from_numpy(self.factor_).to(device)
        places, assignments = [], []
        with torch.inference_mode():
            for start in range(0, len(items), ROWS_AT_ONCE):
                rows = as_tensor(items[start : start + ROWS_AT_ONCE]).to(device).double()
                latents = network.encode((rows - shift) * factor)
                places.append(self.place(network, latents).float().cpu().numpy())
                assignments.append(self.assign(network, latents).float().cpu().numpy())
        return np.concatenate(places), np.concatenate(assignments)


def _device_of_inference(name: DeviceName) -> torch.device:
    """Return CUDA where it may be used, else the CPU: Apple's processor has no double precision."""
    if name in ("auto", "cuda") and torch.cuda.is_available():
        return torch.device("cuda")
    return torch.device("cpu")


def _distinct(items: NDArray[np.float32], n_clusters: int) -> int:
    """Return how many different rows there are, looking only until there are enough."""
    some = len(distinct_rows(items[: 20 * n_clusters])[0])
    return some if some >= n_clusters else len(distinct_rows(items)[0])
