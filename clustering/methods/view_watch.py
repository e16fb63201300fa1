"""How much each of several views counts, how many pairs are kept, and a warning where one view decides."""

from __future__ import annotations

from typing import Any

from torch import Tensor

from clustering.training.data import Data

ALONE = 0.9  # weight of one view from which the others hardly count


class ViewWatch:
    """Watches the weights of the views, and the pairs made by hand.

    Parameters
    ----------
    network : Module
        With ``weight_logits`` (V, K).
    data : Data
        With the pairs.
    """

    def __init__(self, network: Any, data: Data) -> None:
        self._network, self._data = network, data

    def figures(self, labels: Tensor) -> dict[str, float]:
        """Return the mean weight of every view, and the share of pairs that labels (n,) keep."""
        weights = self._weights()
        found = {f"weight of view {at}": weight for at, weight in enumerate(weights, 1) if len(weights) > 1}
        data = self._data
        n_pairs = len(data.together) + len(data.apart)
        if n_pairs:
            same, other = (
                labels[pairs[:, 0]] == labels[pairs[:, 1]] for pairs in (data.together, data.apart)
            )
            found["pairs kept"] = float(same.sum() + (~other).sum()) / n_pairs
        return found

    def warnings(self) -> tuple[str, ...]:
        """Say where one view decides alone."""
        weights = self._weights()
        if len(weights) < 2 or max(weights) < ALONE:
            return ()
        return (
            f"View {weights.index(max(weights)) + 1} alone decides about the groups (its weight is "
            f"{max(weights):.0%}): the others hardly count any more.",
        )

    def _weights(self) -> list[float]:
        weights: list[float] = self._network.weight_logits.detach().softmax(dim=0).mean(dim=1).tolist()
        return weights
