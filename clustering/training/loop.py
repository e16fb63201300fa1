"""The one training loop: phases, epochs, events, checkpoints; it knows nothing of any method."""

from __future__ import annotations

import json
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import nn

from clustering.errors import Stopped
from clustering.training.alarms import check_losses
from clustering.training.checkpoint import Checkpoint
from clustering.training.data import Data
from clustering.training.events import Epoch, Event, History
from clustering.training.guard import MOST_QUARTERS, MOST_RESTARTS, QUARTER, TOO_LARGE, Guard, Lifeline
from clustering.training.inference import with_weights
from clustering.training.passes import Passes
from clustering.training.phase import Phase
from clustering.training.position import Position
from clustering.training.seeds import derived_seed
from clustering.training.snapshots import LiveView
from clustering.training.step import Precision, Step
from clustering.training.whole import WholeSet


class Loop:
    """Run phases over one network and one data set.

    Parameters
    ----------
    network : Module
        On the device.
    view : LiveView
        Takes the snapshots.
    data : Data
    history : History
        Hears every event.
    random_state : int
    batch_size : int
    precision : {"float32", "tf32", "bfloat16"}
    checkpoint : Checkpoint, optional
    notices : tuple of str
        Sentences that ride on the first epoch's alarms.
    stop : bool
        True when the listener wants no training at all: only what phases begin with is done.

    Attributes
    ----------
    loss : float
        Mean total loss of the last epoch that had one; infinite before.
    """

    def __init__(
        self,
        network: nn.Module,
        view: LiveView,
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
        self._network, self._view, self._data, self._history = network, view, data, history
        self._random_state, self._precision = random_state, precision
        self._checkpoint, self._notices = checkpoint, notices
        self._passes = Passes(data, batch_size, random_state)
        self._guard = Guard(network, data, torch.from_numpy(view.rows))
        self._noise = torch.Generator(device=data.device)
        self._position = Position()
        self._whole = WholeSet()
        self.stop, self.loss = stop, math.inf
        self._reason = "All epochs were run."

    @property
    def reason(self) -> str:
        """Why it ended."""
        return "Stopped as asked." if self.stop else self._reason

    def turns(self, phases: Sequence[Phase], kept: dict[str, Any] | None = None) -> Iterator[None]:
        """Run the phases to their end, or on from a kept state, giving the word away while the device works.

        Raises
        ------
        StudioError
            When a loss is no longer finite, whatever the learning rate.
        Stopped
            When the listener raised it; the state is kept first, so the fit can go on later.
        """
        if kept:
            self._position = Position(**kept["position"])
            self._reason, self._notices, self.loss = kept["reason"], (), kept["loss"]
            with_weights(self._network, kept["network"])
        self._started = time.monotonic() - self._position.elapsed
        for number in range(self._position.phase, len(phases)):
            self._phases, self._phase = phases[number:], phases[number]
            going_on = kept if kept and number == kept["position"]["phase"] and kept["optimiser"] else None
            self._enter(number, going_on)
            while self._goes_on():
                steps = self._take_steps()
                yield
                self._end_epoch(self._step.means(steps) if self._step else {})
            if not self.stop:
                self._position = Position(number + 1, elapsed=self.seconds)
                self._keep(between=True)

    def _enter(self, number: int, kept: dict[str, Any] | None) -> None:
        """Begin a phase, or take up a kept one where it was left."""
        if kept:
            self._whole = WholeSet(kept["targets"], kept["labels"])
        else:
            self._position = Position(number, elapsed=self.seconds)
            self._whole = WholeSet()
            if self._phase.begin:
                self._phase.begin()
            self._whole.look(self._phase.refresh)
            if not self.stop:
                self._show()
        self._prepare(kept["optimiser"] if kept else None)

    def _prepare(self, state: dict[str, Any] | None) -> None:
        """Build the optimiser and the step of the phase."""
        phase, device = self._phase, self._data.device
        self._steps_taken, self._phase_begun, self._went_back_to = 0, time.monotonic(), -1
        self._optimiser = self._step = None
        if phase.optimiser is None or not phase.trains:
            return
        self._optimiser = phase.optimiser.build(phase.parameters, device)
        if state:
            self._optimiser.load_state_dict(state)
        elif phase.respond and phase.loss:
            self._position.lowest_loss = self._guard.first_loss(phase.loss)
            self._position.untrained = self._guard.spread(phase.respond)
        self._step = Step(
            phase.taken, self._optimiser, self._whole.targets, self._data, self._noise, self._precision
        )
        self._lifeline = Lifeline(self._network, self._optimiser)

    def _goes_on(self) -> bool:
        return not (self.stop or self._converged() or self._position.epoch >= self._phase.epochs)

    def _end_epoch(self, losses: dict[str, float]) -> None:
        phase, position = self._phase, self._position
        finite = all(map(math.isfinite, losses.values()))
        # An epoch that fails a second time has weights before it that are no good either.
        can_go_back = position.epoch not in (0, self._went_back_to)
        if (finite or not can_go_back) and self._must_start_again(losses):
            self._start_again()
            return
        if not finite:
            if position.restarts >= MOST_RESTARTS:
                check_losses(losses, phase.name, position.epoch + 1)
            self._go_back("The loss was no longer a finite number")
            return
        if phase.again and (why := phase.again()):
            self._position = Position(position.phase, elapsed=self.seconds)
            self._prepare(None)
            self._notices = (*self._notices, why)
            return
        changed, sizes, found = self._whole.look(phase.refresh)
        if phase.upheaval < (changed or 0) and position.restarts < MOST_QUARTERS:
            self._go_back(f"{changed:.0%} of the items changed their group at once")
            self._whole.look(phase.refresh)  # targets and labels of before
            return
        position.epoch += 1
        if losses:
            self.loss = losses["total"]
            self._lifeline.hold()
        if phase.watch:
            found += phase.watch()
        if phase.tolerance is not None and changed is not None:
            position.calm = position.calm + 1 if changed < phase.tolerance else 0
        notices, self._notices = self._notices, ()
        position.elapsed = self.seconds
        event = Epoch(
            phase.name,
            position.epoch,
            phase.epochs,
            losses,
            sizes,
            changed,
            notices + found,
            position.elapsed,
            self._remaining(),
            dict(self._whole.last.figures) if self._whole.last else {},
            self._whole.last.told if self._whole.last else (),
        )
        try:
            self._tell(event)
            last = phase.epochs if not self._converged() else position.epoch
            if self._view.wants(position.epoch, last, position.elapsed):
                self._show()
        except Stopped:
            self._keep()
            raise
        if self._checkpoint and (self.stop or self._checkpoint.due()):
            self._keep()

    def _take_steps(self) -> int:
        """Hand the steps of an epoch to the device and return their number."""
        phase, epoch = self._phase, self._position.epoch
        if self._step is None or self._optimiser is None or phase.optimiser is None:
            return 0
        steps = phase.steps_an_epoch(self._passes.steps)
        phase.optimiser.set_rate(self._optimiser, epoch / phase.epochs, QUARTER**self._position.restarts)
        if phase.noisy:
            self._noise.manual_seed(derived_seed(self._random_state, "noise", phase.name, epoch))
        if phase.draw:
            self._step.run(phase.draw(steps, self._passes.generator("draw", phase.name, epoch)))
        else:
            for table in self._passes.tables(phase.name, epoch * steps, steps):
                self._step.run(table)
        self._steps_taken += steps
        return steps

    def _must_start_again(self, losses: Mapping[str, float]) -> bool:
        position, respond = self._position, self._phase.respond
        if respond is None or position.restarts >= MOST_RESTARTS:
            return False
        if self._guard.ran_away(losses["total"], position.lowest_loss, respond, position.untrained):
            return True
        position.lowest_loss = min(position.lowest_loss, losses["total"])
        return False

    def _start_again(self) -> None:
        """Go back to the first weights, with a quarter of the learning rate."""
        assert self._phase.optimiser is not None
        self._guard.restore()
        self._position = Position(restarts=self._position.restarts + 1, elapsed=self.seconds)
        self._prepare(None)
        rate = self._phase.optimiser.learning_rate * QUARTER**self._position.restarts
        self._say_instead(
            TOO_LARGE, f"{TOO_LARGE}; the training began again with a learning rate of {rate:.2g}."
        )

    def _go_back(self, why: str) -> None:
        """Return to the end of the last epoch that went well, with a quarter of the learning rate."""
        position, optimiser = self._position, self._phase.optimiser
        assert optimiser is not None
        self._lifeline.pull()
        self._went_back_to = position.epoch
        position.restarts += 1
        rate = optimiser.learning_rate * QUARTER**position.restarts
        place = f"the end of epoch {position.epoch}" if position.epoch else "where this stage began"
        told = f" in epoch {position.epoch + 1}; the training went back to "
        self._say_instead(told, f"{why}{told}{place} and goes on with a learning rate of {rate:.2g}.")

    def _say_instead(self, told: str, notice: str) -> None:
        """Tell a notice with the next epoch, in place of those that told the same of an earlier try."""
        self._notices = (*(before for before in self._notices if told not in before), notice)

    def _converged(self) -> bool:
        if self._phase.ends and (reason := self._phase.ends()):
            self._reason = reason
            return True
        # One quiet refresh may be chance when the interval is short; DEC's own rule stops at the first.
        if self._position.calm < 2:
            return False
        self._reason = f"Fewer than {self._phase.tolerance:.2%} of the labels changed, twice in a row."
        return True

    def _show(self) -> None:
        if self._history.emit is not None:  # nobody else looks at a snapshot
            self._view.show(self._phase.name, self._position.epoch, self._whole.last, self._tell)

    def _tell(self, event: Event) -> None:
        self.stop = bool(self._history(event)) or self.stop

    @property
    def seconds(self) -> float:
        """Wall time since the start of the fit, that before an interruption counted in."""
        return time.monotonic() - self._started

    def _remaining(self) -> float | None:
        """Estimate the seconds left if every phase runs all its epochs at the pace of this one."""
        if not self._steps_taken:
            return None
        done = [self._position.epoch, *(0 for _ in self._phases[1:])]
        left = sum(
            (phase.epochs - epoch) * phase.steps_an_epoch(self._passes.steps)
            for phase, epoch in zip(self._phases, done, strict=True)
            if phase.trains
        )
        return left * (time.monotonic() - self._phase_begun) / self._steps_taken

    def _keep(self, between: bool = False) -> None:
        """Write the state: within a phase with its optimiser, or ``between`` two phases without."""
        if self._checkpoint is None:
            return
        optimiser = None if between else self._optimiser
        try:
            self._checkpoint.write(
                {
                    "position": vars(self._position),
                    "network": self._network.state_dict(),
                    "optimiser": optimiser.state_dict() if optimiser else None,
                    "targets": self._whole.targets if optimiser else {},
                    "labels": self._whole.labels if optimiser else None,
                    "reason": self._reason,
                    "loss": self.loss,
                    "history": json.dumps(self._history.rows),
                    "threads": torch.get_num_threads(),
                }
            )
        except OSError as error:
            self._notices = (
                f"The state of this training could not be kept ({error.strerror or error}): "
                "it goes on, but cannot be resumed if it is interrupted.",
            )
