"""LaptSNE's penalty: the smallest eigenvalues of the map's graph made smaller still, so that it falls apart.

Sun, Han and Fan (arXiv 2207.12214) add β Σ_{i=2..k} log λ_i(L) to t-SNE's loss; L is the normalised
Laplacian of the map's graph, whose first k eigenvalues are 0 when it has k separate parts. The logarithm is
concave, so the sum lies below its tangent at the present map, and by Ky Fan's theorem below tr(M L) but for a
constant, with M = Σ_i c_i v_i v_iᵀ of the present map held fixed while the points move (majorisation). The
theorem wants falling weights: c_i = 1/λ_i, and for the first vector, whose eigenvalue is 0, c_1 = 1/λ_2. The
authors' code gives it the weight 1, with which, as without it, the bound can be broken; at the present map
its gradient is 0 either way.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from clustering.losses.student_graph import StudentGraph

SMALLEST = 1e-6  # eigenvalue; the logarithm of a smaller one would outweigh everything else


@dataclass(frozen=True)
class Surrogate:
    """The bound tr(M L) from above, from the eigenvectors of some map.

    Parameters
    ----------
    vectors : Tensor (n, k)
        v_i of L, i = 1 … k, of length 1.
    values : Tensor (k,)
        λ_i, smallest first.
    """

    vectors: Tensor
    values: Tensor

    @property
    def penalty(self) -> float:
        """Σ_{i ≥ 2} log λ_i of the map it was made from."""
        return float(self.values[1:].double().clamp_min(SMALLEST).log().sum())

    def value(self, graph: StudentGraph) -> Tensor:
        """Return tr(M L) of a map, a scalar."""
        weighted = self._weighted()
        return weighted.square().sum() - (weighted * graph.similarities(weighted)).sum()

    def gradient(self, graph: StudentGraph) -> Tensor:
        """Return ∂ tr(M L) / ∂y with M fixed, shape (n, c).

        With r = d^−½ and e_a = d_a^(−3/2) Σ_j M_aj w_aj r_j:
        ∂/∂y_a = −2 Σ_b (e_a + e_b − 2 M_ab r_a r_b) w_ab² (y_a − y_b). As M has rank k, all sums are
        those of the kernel's square with (k + 2)(c + 1) charges, and no other (n, n) matrix is needed.
        """
        places, root = graph.places, graph.degrees.rsqrt()[:, None]
        weighted = self._weighted()
        pulled = root * weighted  # (n, k)
        own = root**3 * (weighted * graph.sums(pulled, 1)).sum(dim=1, keepdim=True)  # e, (n, 1)
        # Σ_b H_ab w_ab² q_b = Σ_m left_am (W² (right_m q))_a, for q = 1 and the coordinates of y.
        left = torch.cat([-2 * pulled, own, torch.ones_like(own)], dim=1)  # (n, k + 2)
        right = torch.cat([pulled, torch.ones_like(own), own], dim=1)
        factors = torch.cat([torch.ones_like(own), places], dim=1)  # (n, c + 1)
        charges = (right[:, :, None] * factors[:, None, :]).flatten(1)
        felt = graph.sums(charges, 2).view(len(places), right.shape[1], -1)
        felt = (left[:, :, None] * felt).sum(dim=1)  # (n, c + 1)
        return -2 * (places * felt[:, :1] - felt[:, 1:])

    def _weighted(self) -> Tensor:
        second = min(1, len(self.values) - 1)
        least = self.values[second].clamp_min(SMALLEST)
        return self.vectors / torch.maximum(self.values, least).sqrt()
