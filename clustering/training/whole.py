"""What a phase knows of the whole set between two looks: targets for its loss, and which labels changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from torch import Tensor

from clustering.training.alarms import alarms, health
from clustering.training.phase import Refreshed


class WholeSet:
    """Looks at all items, and remembers what the last look showed.

    Parameters
    ----------
    targets : mapping of str to Tensor (n, …)
        Those of an interrupted phase.
    labels : int64 Tensor (n,), optional
        Likewise.

    Attributes
    ----------
    targets : dict of str to Tensor (n, …)
        For the loss; a look changes them in place, as a captured step reads this very memory.
    labels : int64 Tensor (n,) or None
        What the last look showed.
    last : Refreshed or None
        The last look itself.
    """

    def __init__(self, targets: Mapping[str, Tensor] | None = None, labels: Tensor | None = None) -> None:
        self.targets, self.labels = dict(targets or {}), labels
        self.last: Refreshed | None = None

    def look(
        self, refresh: Callable[[], Refreshed] | None
    ) -> tuple[float | None, tuple[int, ...], tuple[str, ...]]:
        """Return the share of changed labels, the cluster sizes and the alarms; nothing where none looks."""
        if refresh is None:
            return None, (), ()
        self.last = now = refresh()
        for name, values in now.targets.items():
            if name in self.targets:
                self.targets[name].copy_(values)
            else:
                self.targets[name] = values.clone()
        changed = None if self.labels is None else float((now.labels != self.labels).float().mean())
        self.labels = now.labels
        state = health(now.latents, now.labels, now.confidences, now.centers)
        if now.given:
            state = replace(state, dead=0)
        return changed, state.sizes, alarms(state)
