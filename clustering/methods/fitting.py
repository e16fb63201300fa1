"""Fits of one deep method from several seeds, side by side."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import torch

from clustering.training.checkpoint import Checkpoint
from clustering.training.data import Data
from clustering.training.device import Device
from clustering.training.events import Finished, History, Started
from clustering.training.inference import threads
from clustering.training.lanes import side_by_side
from clustering.training.loop import Loop
from clustering.training.seeds import torch_generator
from clustering.training.snapshots import LiveView

if TYPE_CHECKING:
    from clustering.methods.deep import DeepClusterer


class Fit:
    """One network in training, with its history, its checkpoint and its place in the rotation.

    Parameters
    ----------
    model : DeepClusterer
        With the seed of this fit.
    data, device, history, checkpoint, notices
        See `clustering.training.loop.Loop`.
    share : float
        Of the time that the live view may cost.
    """

    def __init__(
        self,
        model: DeepClusterer,
        data: Data,
        device: Device,
        history: History,
        checkpoint: Checkpoint | None,
        notices: tuple[str, ...],
        share: float,
    ) -> None:
        self.model, self.history = model, history
        self.network = model.setup(data.n_features, torch_generator(model.random_state, "weights"))
        self.network.to(device.device)
        self._phases = model.phases(self.network, data)
        self._kept = checkpoint.read(device.device) if checkpoint else None
        self.threads = self._kept["threads"] if self._kept else None
        self.loop = Loop(
            self.network,
            LiveView(data, self.network.encode, model.random_state, share),  # type: ignore[arg-type]
            data,
            history,
            random_state=model.random_state,
            batch_size=model.rows_a_batch(data.n_items),
            precision=model.precision,
            checkpoint=checkpoint,
            notices=notices,
            stop=self._announced(data, device),
        )

    def turns(self) -> Iterator[None]:
        """Train, or go on from the checkpoint."""
        return self.loop.turns(self._phases, self._kept)

    def _announced(self, data: Data, device: Device) -> bool:
        """Announce the fit, or announce again that a kept one goes on; return whether to stop at once."""
        history = self.history
        started = Started(
            self.model.info.name,
            tuple((phase.name, phase.epochs) for phase in self._phases),
            data.n_items,
            data.n_features,
            device.device.type,
            device.reason,
        )
        if self._kept is None:
            return bool(history(started))
        history.rows.extend(json.loads(self._kept["history"]))  # it holds the first announcement already
        return bool(history.tell(started))


def run_all(fits: Sequence[Fit], device: torch.device) -> None:
    """Train all side by side; of several each tells its end."""

    def ended(number: int) -> None:
        loop = fits[number].loop
        if len(fits) > 1 and fits[number].history.tell(Finished(loop.reason, loop.seconds)):
            loop.stop = True
        if loop.stop:  # a wish to stop holds for all
            for fit in fits:
                fit.loop.stop = True

    with threads(fits[0].threads):
        side_by_side([fit.turns() for fit in fits], device, ended)
