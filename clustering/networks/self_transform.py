"""SSL by self-transformation's network: features of length 1 beside prototypes that learn."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import torch
from torch import Generator, Tensor, nn
from torch.nn.functional import normalize

from clustering.networks.convolutions import Picture
from clustering.networks.pseudo_labels import ProjectedNetwork


class SelfTransformNetwork(ProjectedNetwork):
    """Rows (b, d) → features (b, D) of length 1 → their cosines with prototypes.

    Parameters
    ----------
    n_prototypes : int
        k.
    *others
        As in `ProjectedNetwork`.

    Attributes
    ----------
    prototypes : Parameter (k, D)
    radii : Tensor (n,)
        How far a view of each item may lie from it.
    """

    radii: Tensor

    def __init__(
        self,
        n_features: int,
        picture: Picture | None,
        hidden_dims: Sequence[int],
        n_outputs: int,
        n_clusters: int,
        n_prototypes: int,
        generator: Generator,
    ) -> None:
        super().__init__(n_features, picture, hidden_dims, n_outputs, n_clusters, generator)
        self.last.register_parameter("bias", None)
        drawn = torch.empty(n_prototypes, n_outputs).normal_(generator=generator)
        self.prototypes = nn.Parameter(normalize(drawn, dim=1))
        self.register_buffer("radii", torch.zeros(0))
        self.eval()

    def remember(self, n_items: int, n_heads: int) -> None:
        """Make room for what is kept of ``n_items`` items."""
        super().remember(n_items, n_heads)
        self.radii = self.radii.new_zeros(n_items)

    def forget(self) -> None:
        """Drop what is kept of every item."""
        super().forget()
        self.radii = self.radii[:0]

    def keep_prototypes(self, count: int) -> None:
        """Go on with the first ``count`` prototypes."""
        self.prototypes = nn.Parameter(self.prototypes.detach()[:count].clone())

    def normalise_prototypes(self) -> None:
        """Bring the prototypes back to length 1; in place, for a captured step reads them."""
        with torch.no_grad():
            self.prototypes.copy_(normalize(self.prototypes, dim=1))

    def scores(self, features: Tensor) -> Tensor:
        """Return the cosines (b, k) of features (b, D) with the prototypes, never in half precision."""
        with torch.autocast(features.device.type, enabled=False):
            return features.float() @ self.prototypes.T

    def probe(self, inputs: Tensor) -> Tensor:
        """Map (b, d) to features (b, D) by the statistics of this batch, which are not gathered."""
        with self._not_gathering():
            return self.learn(inputs)

    @contextmanager
    def _not_gathering(self) -> Iterator[None]:
        norms = [part for part in self.modules() if isinstance(part, nn.BatchNorm1d | nn.BatchNorm2d)]
        for norm in norms:
            norm.track_running_stats = False
        try:
            yield
        finally:
            for norm in norms:
                norm.track_running_stats = True
