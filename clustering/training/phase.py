"""What the loop runs: a named stretch of training with its loss, optimiser and whole-set refresh."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from torch import Generator, Tensor, nn

from clustering.training.events import Generated
from clustering.training.optimisers import Optimiser
from clustering.training.step import Loss, Turns, at_once


@dataclass(frozen=True)
class Refreshed:
    """What a look at the whole set gives.

    Parameters
    ----------
    latents : Tensor (n, m)
    centers : Tensor (K, m)
    labels : int64 Tensor (n,)
    confidences : Tensor (n,)
        Largest soft assignment.
    targets : dict of str to Tensor (n, …)
        Handed to the loss row by row; the same names and shapes every time.
    figures : dict of str to float
        Numbers of this look that nothing minimises, told with the epoch.
    told : tuple of str
        Sentences of this look that are no alarms, told with the epoch.
    generated : callable, optional
        What generators make now; called only where somebody looks.
    given : bool
        Whether the latents are the features as they were given: then no network is to blame for those that do
        not vary.
    """

    latents: Tensor
    centers: Tensor
    labels: Tensor
    confidences: Tensor
    targets: Mapping[str, Tensor]
    figures: Mapping[str, float] = field(default_factory=dict)
    told: tuple[str, ...] = ()
    given: bool = False
    generated: Callable[[], Generated] | None = None


@dataclass(frozen=True)
class Phase:
    """A stretch of training.

    Parameters
    ----------
    name : str
        ``"pretrain"`` or ``"cluster"``, or a stage of them.
    epochs : int
        At most so many.
    loss : callable, optional
        Batch → named terms; None for a phase that only looks (its epoch takes no step).
    parameters : sequence of Parameter
        What this phase moves.
    optimiser : Optimiser, optional
        With a loss.
    begin : callable, optional
        Runs once before the first epoch; its outcome must follow from the network and the seed.
    refresh : callable, optional
        A look at the whole set before the first epoch and after each.
    steps : int or callable, optional
        Steps an epoch takes; by default one pass over the data. A function is asked before every epoch, and
        for an estimate before the phase has begun.
    turns : callable, optional
        Instead of a loss: Batch → pairs of named terms and the parameters that learn from them alone, one
        after the other within a step, as the sides of a GAN do.
    tolerance : float, optional
        The phase ends when fewer than this share of the labels changed at two refreshes in a row.
    upheaval : float
        An epoch that changes more than this share of the labels is taken back, and the learning rate
        quartered; 1 allows any change.
    noisy : bool
        True when the loss draws random numbers.
    draw : callable, optional
        (steps of an epoch, generator on the device) → row numbers int64 (steps, b), b ever the same, where
        the batches are not to be passes over the data; the outcome must follow from the network.
    watch : callable, optional
        The method's own alarms after an epoch: sentences a person should read now.
    ends : callable, optional
        Asked before every epoch: why the phase is over already, from the network, or an empty string.
    again : callable, optional
        Asked after every epoch: why the phase must begin once more, from the first weights that this very
        call has put into the network, or an empty string.
    respond : callable, optional
        Features (b, d) → what the network makes of them. Given for the first phase of a fit, it lets the loop
        start again with a quarter of the learning rate when the steps turn out too large for the data: the
        loss runs away, or every item gets the same response because all units have died.
    """

    name: str
    epochs: int
    loss: Loss | None = None
    parameters: Sequence[nn.Parameter] = ()
    optimiser: Optimiser | None = None
    begin: Callable[[], None] | None = None
    refresh: Callable[[], Refreshed] | None = None
    steps: int | Callable[[], int] | None = None
    tolerance: float | None = None
    upheaval: float = 1.0
    noisy: bool = False
    draw: Callable[[int, Generator], Tensor] | None = None
    watch: Callable[[], tuple[str, ...]] | None = None
    ends: Callable[[], str] | None = None
    again: Callable[[], str] | None = None
    turns: Turns | None = None
    respond: Callable[[Tensor], Tensor] | None = None

    @property
    def trains(self) -> bool:
        """Whether an epoch takes steps."""
        return self.optimiser is not None and (self.loss is not None or self.turns is not None)

    @property
    def taken(self) -> Turns:
        """What a step does: the turns, or the loss as the only one."""
        assert self.loss or self.turns
        return self.turns or at_once(self.loss)  # type: ignore[arg-type]

    def steps_an_epoch(self, a_pass: int) -> int:
        """Return the steps of the next epoch, where a pass over the data takes ``a_pass``."""
        return (self.steps() if callable(self.steps) else self.steps) or a_pass
