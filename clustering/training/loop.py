"""The one training loop: phases, epochs, events, checkpoints; it knows nothing of any method."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from clustering.errors import Stopped
from clustering.training.alarms import alarms, check_losses, health
from clustering.training.checkpoint import Checkpoint
from clustering.training.data import Data, batch_shape
from clustering.training.events import Epoch, Event, History, Snapshot
from clustering.training.inference import with_weights
from clustering.training.phase import Phase, Refreshed
from clustering.training.seeds import derived_seed
from clustering.training.snapshots import is_snapshot_epoch, snapshot_rows
from clustering.training.step import Precision, Step


@dataclass
class Position:
    """Where in a fit the loop stands; with the network and the optimiser this is all a resumed fit needs."""

    phase: int = 0
    epoch: int = 0
    calm: int = 0  # refreshes in a row that changed fewer labels than the tolerance
    elapsed: float = 0.0


class Loop:
    """Run phases over one network and one data set.

    Parameters
    ----------
    network : Module
        On the device.
    encode : callable
        Features (b, d) → latents (b, m), for snapshots.
    data : Data
    history : History
        Hears every event.
    random_state : int
    batch_size : int
    precision : {"float32", "bfloat16"}
    checkpoint : Checkpoint, optional
    notices : tuple of str
        Sentences that ride on the first epoch's alarms.
    stop : bool
        True when the listener wants no training at all: only what phases begin with is done.
    """

    def __init__(
        self,
        network: nn.Module,
        encode: Callable[[Tensor], Tensor],
        data: Data,
        history: History,
        *,
        random_state: int,
        batch_size: int,
        precision: Precision = "float32",
        checkpoint: Checkpoint | None = None,
        notices: tuple[str, ...] = (),
        stop: bool = False,
    ) -> None:
        self._network, self._encode, self._data, self._history = network, encode, data, history
        self._random_state, self._precision = random_state, precision
        self._checkpoint, self._notices = checkpoint, notices
        self._batches, self._batch_size = batch_shape(data.n_items, batch_size)
        self._shown = snapshot_rows(data.n_items, random_state)
        self._shown_rows = torch.from_numpy(self._shown).to(data.device)
        self._generator = torch.Generator(device=data.device)
        self._noise = torch.Generator(device=data.device)
        self._position = Position()
        self._targets: dict[str, Tensor] = {}
        self._labels: Tensor | None = None
        self._last: Refreshed | None = None
        self._stop = stop
        self._reason = "All epochs were run."

    def run(self, phases: Sequence[Phase], kept: dict[str, Any] | None = None) -> str:
        """Run the phases to their end, or on from a kept state, and return a sentence saying why it ended.

        Raises
        ------
        StudioError
            When a loss is no longer finite.
        Stopped
            When the listener raised it; the state is kept first, so the fit can go on later.
        """
        if kept:
            self._position = Position(**kept["position"])
            with_weights(self._network, kept["network"])
        self._started = time.monotonic() - self._position.elapsed
        for number in range(self._position.phase, len(phases)):
            going_on = kept if kept and number == kept["position"]["phase"] and kept["optimiser"] else None
            self._run_phase(number, phases, going_on)
        return "Stopped as asked." if self._stop else self._reason

    def _run_phase(self, number: int, phases: Sequence[Phase], kept: dict[str, Any] | None) -> None:
        phase = phases[number]
        optimiser = phase.optimiser.build(phase.parameters, self._data.device) if phase.optimiser else None
        if kept and optimiser:
            optimiser.load_state_dict(kept["optimiser"])
            self._targets, self._labels = dict(kept["targets"]), kept["labels"]
        else:
            self._position = Position(number, elapsed=self._seconds())
            self._targets, self._labels = {}, None
            if phase.begin:
                phase.begin()
            self._refresh(phase)
            if not self._stop:
                self._show(phase)
        step = self._step(phase, optimiser)
        self._steps_taken, self._phase_begun = 0, time.monotonic()
        while self._position.epoch < phase.epochs and not self._stop and not self._converged(phase):
            self._run_epoch(phases, phase, step, optimiser)
        if not self._stop:
            self._position = Position(number + 1, elapsed=self._seconds())
            self._keep(None)

    def _step(self, phase: Phase, optimiser: torch.optim.Optimizer | None) -> Step | None:
        if phase.loss is None or optimiser is None:
            return None
        return Step(
            phase.loss,
            optimiser,
            self._targets,
            self._noise,
            self._data.device,
            self._precision,
            capture=not phase.noisy,
        )

    def _run_epoch(
        self,
        phases: Sequence[Phase],
        phase: Phase,
        step: Step | None,
        optimiser: torch.optim.Optimizer | None,
    ) -> None:
        position = self._position
        losses = self._steps(phase, step, optimiser) if step and optimiser else {}
        position.epoch += 1
        check_losses(losses, phase.name, position.epoch)
        changed, sizes, found = self._refresh(phase)
        if phase.tolerance is not None and changed is not None:
            position.calm = position.calm + 1 if changed < phase.tolerance else 0
        notices, self._notices = self._notices, ()
        position.elapsed = self._seconds()
        event = Epoch(
            phase.name,
            position.epoch,
            phase.epochs,
            losses,
            sizes,
            changed,
            notices + found,
            position.elapsed,
            self._remaining(phases),
        )
        try:
            self._tell(event)
            if is_snapshot_epoch(position.epoch, phase.epochs) or self._converged(phase):
                self._show(phase)
        except Stopped:
            self._keep(optimiser)
            raise
        if self._checkpoint and (self._stop or self._checkpoint.due()):
            self._keep(optimiser)

    def _steps(self, phase: Phase, step: Step, optimiser: torch.optim.Optimizer) -> dict[str, float]:
        """Take the steps of an epoch and return the mean of each loss term."""
        epoch, steps = self._position.epoch, phase.steps or self._batches
        assert phase.optimiser is not None
        phase.optimiser.set_rate(optimiser, epoch / phase.epochs)
        if phase.noisy:
            self._noise.manual_seed(derived_seed(self._random_state, "noise", phase.name, epoch))
        for rows, features in self._some_batches(phase.name, epoch * steps, steps):
            step(rows, features)
        self._steps_taken += steps
        return step.means(steps)

    def _some_batches(self, name: str, first: int, count: int) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield ``count`` batches of the endless stream of passes, from step ``first`` of the phase on."""
        while count:
            in_pass = first % self._batches
            taken = min(count, self._batches - in_pass)
            seed = derived_seed(self._random_state, "order", name, first // self._batches)
            order = self._data.order(self._generator.manual_seed(seed))
            table = order[: self._batches * self._batch_size].view(self._batches, self._batch_size)
            yield from self._data.batches(table[in_pass : in_pass + taken])
            first, count = first + taken, count - taken

    def _refresh(self, phase: Phase) -> tuple[float | None, tuple[int, ...], tuple[str, ...]]:
        """Look at the whole set; return the share of changed labels, the cluster sizes and the alarms."""
        if phase.refresh is None:
            self._last = None
            return None, (), ()
        self._last = now = phase.refresh()
        for name, values in now.targets.items():
            if name in self._targets:
                self._targets[name].copy_(values)  # in place: a captured step reads this very memory
            else:
                self._targets[name] = values.clone()
        changed = None if self._labels is None else float((now.labels != self._labels).float().mean())
        self._labels = now.labels
        state = health(now.latents, now.labels, now.confidences, now.centers)
        return changed, state.sizes, alarms(state)

    def _converged(self, phase: Phase) -> bool:
        # One quiet refresh may be chance when the interval is short; DEC's own rule stops at the first.
        if self._position.calm < 2:
            return False
        self._reason = f"Fewer than {phase.tolerance:.2%} of the labels changed, twice in a row."
        return True

    def _show(self, phase: Phase) -> None:
        if self._history.emit is None:
            return
        shown = self._shown_rows
        if self._last is None:
            features = self._data.take(shown)
            with torch.inference_mode():
                latents = self._encode(features)
            labels, confidences = np.full(len(shown), -1), np.zeros(len(shown), np.float32)
            centers = np.zeros((0, latents.shape[1]), np.float32)
        else:
            latents = self._last.latents[shown]
            labels = self._last.labels[shown].cpu().numpy()
            confidences = self._last.confidences[shown].float().cpu().numpy()
            centers = self._last.centers.float().cpu().numpy()
        self._tell(
            Snapshot(
                phase.name,
                self._position.epoch,
                self._shown,
                latents.float().cpu().numpy(),
                labels,
                confidences,
                centers,
            )
        )

    def _tell(self, event: Event) -> None:
        self._stop = bool(self._history(event)) or self._stop

    def _seconds(self) -> float:
        return time.monotonic() - self._started

    def _remaining(self, phases: Sequence[Phase]) -> float | None:
        """Estimate the seconds left if every phase runs all its epochs at the pace of this one."""
        if not self._steps_taken:
            return None
        position = self._position
        done = [position.epoch, *(0 for _ in phases[position.phase + 1 :])]
        left = sum(
            (phase.epochs - epoch) * (phase.steps or self._batches)
            for phase, epoch in zip(phases[position.phase :], done, strict=True)
            if phase.loss
        )
        return left * (time.monotonic() - self._phase_begun) / self._steps_taken

    def _keep(self, optimiser: torch.optim.Optimizer | None) -> None:
        """Write the state: within a phase with its optimiser, or at the start of the next without."""
        if self._checkpoint is None:
            return
        try:
            self._checkpoint.write(
                {
                    "position": vars(self._position),
                    "network": self._network.state_dict(),
                    "optimiser": optimiser.state_dict() if optimiser else None,
                    "targets": self._targets if optimiser else {},
                    "labels": self._labels if optimiser else None,
                    "history": json.dumps(self._history.rows),
                    "threads": torch.get_num_threads(),
                }
            )
        except OSError as error:
            self._notices = (
                f"The state of this training could not be kept ({error.strerror or error}): "
                "it goes on, but cannot be resumed if it is interrupted.",
            )
