"""The frame of every deep method: scikit-learn's contract outside, one training loop inside."""

from __future__ import annotations

import time
from abc import abstractmethod
from pathlib import Path
from typing import Any, Literal, Self

import numpy as np
import torch
from numpy.typing import ArrayLike, NDArray
from torch import Tensor, nn

from clustering.arrays import distinct_rows
from clustering.errors import StudioError
from clustering.methods.beside import Beside, checked_beside
from clustering.methods.fitting import Fit, run_all
from clustering.methods.inputs import check_group_count, checked_items, checked_settings
from clustering.methods.labels import checked_labels
from clustering.methods.with_network import NetworkClusterer
from clustering.metrics.stability import medoid
from clustering.training.alarms import scale_alarms
from clustering.training.checkpoint import Checkpoint, fingerprint
from clustering.training.data import Data
from clustering.training.device import choose_device
from clustering.training.events import Emit, Failed, Finished, History
from clustering.training.inference import encode_all, in_parts, weights_of
from clustering.training.memory import memory_told
from clustering.training.phase import Phase, Refreshed
from clustering.training.scaling import scaling, varying
from clustering.training.step import Batch, Precision, products_in


class DeepClusterer(NetworkClusterer):
    """Base of methods that train a network.

    A method writes what is its own: `setup` (the network, with an ``encode``), `phases` (what is trained, in
    which order), `loss` (named terms of a batch), `refresh` (whole-set tensors for the loss) and `assign`.
    Its constructor holds at least the parameters named below.

    Attributes
    ----------
    device_ : str
        The sentence that says where the fit ran and why.
    init_seeds_, init_losses_ : arrays (n_init,)
        The seeds that were tried, and the mean loss of each in its last epoch; the lowest is kept.
    init_labels_ : int64 array (n_init, n)
        What each seed found: a measure of how stable the clusters are.
    medoid_seed_ : int
        The seed whose clusters are most like those of all others (mean ARI); it need not be the kept one.
    """

    n_clusters: int
    batch_size: int | None
    scale: Literal["none", "unit", "standardize"]
    precision: Precision
    n_init: int = 1

    # What a method writes ------------------------------------------------------------------------------

    @abstractmethod
    def phases(self, network: Any, data: Data) -> tuple[Phase, ...]:
        """Return the phases of a fit in their order."""

    def refresh(self, assignments: Tensor) -> dict[str, Tensor]:  # noqa: ARG002
        """Return whole-set tensors (n, …) the loss of a batch needs, from the soft assignments (n, K)."""
        return {}

    def agreed(self, network: Any, data: Data, assignments: Tensor) -> Tensor:  # noqa: ARG002
        """Return the soft assignments (n, K) that `refresh` is given: those of the items, by default."""
        return assignments

    def loss(self, network: Any, batch: Batch) -> dict[str, Tensor]:
        """Return the named terms of the clustering loss of a batch; their sum is minimised."""
        raise NotImplementedError

    def links(self, data: Data, given: NDArray[np.int64] | None) -> NDArray[np.int64] | None:  # noqa: ARG002
        """Return the links between items that the training is to use, int64 (e, 2): those given, if any."""
        return given

    def scaling(
        self, mean: NDArray[np.float64], variance: NDArray[np.float64]
    ) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Return shift and factor of every column, float64 (d,): the network sees (x − shift) · factor."""
        return scaling(self.scale, mean, variance)

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
        return self._fit(X, emit, checkpoint)

    def _fit(
        self,
        X: ArrayLike,
        emit: Emit | None,
        checkpoint: Path | None,
        edges: ArrayLike | None = None,
        must_link: ArrayLike | None = None,
        cannot_link: ArrayLike | None = None,
        labels: ArrayLike | None = None,
    ) -> Self:
        settings = checked_settings(self)
        items = checked_items(self, X, fitting=True)
        check_group_count(settings["n_clusters"], len(items), _distinct(items, settings["n_clusters"]))
        known = None if labels is None else checked_labels(labels, len(items), settings["n_clusters"])
        beside = checked_beside(len(items), edges, must_link, cannot_link, known)
        # The constructor stored what it was given; the work is done by a twin that holds the checked values.
        twin = self._with(settings)
        twin.n_features_in_ = self.n_features_in_
        try:
            with memory_told(twin.rows_a_batch(len(items)), len(items)):
                twin._train(items, emit, checkpoint, beside)
        except StudioError as error:
            if emit:
                emit(Failed(error.problem, error.mend))
            raise
        self.__dict__.update({name: value for name, value in vars(twin).items() if name.endswith("_")})
        return self

    def _train(
        self,
        items: NDArray[np.float32],
        emit: Emit | None,
        folder: Path | None,
        beside: Beside,
    ) -> None:
        begun = time.monotonic()
        device = choose_device(self.device)
        data = Data(items, device.device)
        mean, variance = data.moments()
        self.shift_, self.factor_ = self.scaling(mean, variance)
        data.scale(self.shift_, self.factor_)
        links = self.links(data, beside.edges)
        data.edges_given = beside.edges is not None
        data.edges = None if links is None else torch.from_numpy(links).to(device.device)
        data.together, data.apart = (torch.from_numpy(part).to(device.device) for part in beside.pairs)
        notices: tuple[str, ...] = ()
        if self.scale == "none":
            notices = scale_alarms(
                float((variance + mean**2).mean()), np.flatnonzero(~varying(mean, variance)).tolist()
            )
        mark = ""
        if folder is not None:
            settings, kind = self.get_params(deep=False), device.device.type
            decisive = {**beside.arrays(), **self._decisive()}
            mark = fingerprint(self.info.name, settings, kind, items, decisive)
        data.labels = None if beside.labels is None else torch.from_numpy(beside.labels).to(device.device)
        fits = []
        for number in range(self.n_init):
            # Each fit is just what this method with that random_state alone would give.
            model = self._seeded((self.random_state + number) % 2**32)
            kept = Checkpoint(folder / f"fit-{number}", f"{mark}-{number}") if folder is not None else None
            history = History(emit, model.random_state)
            fits.append(Fit(model, data, device, history, kept, notices, 1 / self.n_init))
        run_all(fits, device.device)
        best = min(fits, key=lambda fit: fit.loop.loss)
        self.device_ = device.reason
        self.init_seeds_ = np.array([fit.model.random_state for fit in fits])
        self.init_losses_ = np.array([fit.loop.loss for fit in fits])
        # The kept one comes last: its weights are those that stay.
        found = {
            fit: self._found(fit.network, items, data) for fit in sorted(fits, key=lambda fit: fit is best)
        }
        self.init_labels_ = np.stack([found[fit][2] for fit in fits])
        self.medoid_seed_ = int(self.init_seeds_[medoid(self.init_labels_)])
        self.embedding_, self.soft_assignments_, self.labels_ = found[best]
        self.cluster_centers_ = np.asarray(self.weights_["centers"], dtype=np.float32)
        best.history(Finished(self._ending(best, fits), time.monotonic() - begun))
        self.history_ = best.history.rows

    def _seeded(self, random_state: int) -> Self:
        """Return this method with another seed."""
        return self._with(self.get_params(deep=False) | {"random_state": random_state})

    def _with(self, settings: dict[str, Any]) -> Self:
        """Return this method with these settings."""
        return type(self)(**settings)

    def _decisive(self) -> dict[str, NDArray[Any]]:
        """Return what decides a fit besides settings, items and what it was handed: nothing, by default."""
        return {}

    def _found(
        self, network: nn.Module, items: NDArray[np.float32], data: Data
    ) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.int64]]:
        """Take up the weights; return places, soft assignments and labels, as `predict` would."""
        self.weights_ = weights_of(network)
        there = data.resident and data.as_given  # else scaled in double precision, as for a new item
        places, assignments = self._embed(items, data if there else None)
        return places, assignments, np.asarray(assignments.argmax(axis=1), dtype=np.int64)

    def _ending(self, best: Fit, fits: list[Fit]) -> str:
        if len(fits) == 1:
            return best.loop.reason
        return (
            f"{best.loop.reason} Of {len(fits)} seeds, {best.model.random_state} is kept: "
            "its loss is the lowest."
        )

    def encoded(self, network: Any, data: Data) -> Tensor:
        """Return the latents of all items, float32 (n, m), by the network as it is now."""
        with products_in(self.precision):
            return encode_all(network, data)

    def look(self, network: Any, data: Data) -> Refreshed:
        """Look at the whole set with the network as it is now."""
        latents = self.encoded(network, data)
        with torch.no_grad():
            assignments = in_parts(lambda rows: self.assign(network, rows), latents)
            confidences, labels = assignments.max(dim=1)
            return Refreshed(
                self.place(network, latents),
                network.centers.detach(),
                labels,
                confidences,
                self.refresh(self.agreed(network, data, assignments)),
            )


def _distinct(items: NDArray[np.float32], n_clusters: int) -> int:
    """Return how many different rows there are, looking only until there are enough."""
    some = len(distinct_rows(items[: 20 * n_clusters])[0])
    return some if some >= n_clusters else len(distinct_rows(items)[0])
