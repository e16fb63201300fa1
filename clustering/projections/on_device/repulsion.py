"""The force between all pairs of t-SNE's points: exactly, or by a Fourier transform on a grid in O(n).

With w(δ) = (1 + |δ|²/ν)^−ν every point feels Σ_j w^(1 + 1/ν) (y_i − y_j), and Z_i = Σ_j w normalises it
(van der Maaten and Hinton 2008, eq. 5; ν degrees of freedom: Kobak 2019).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

EXACT_UP_TO = {1: 3_000, 2: 3_000, 3: 20_000}  # points, by dimensions; above, the grid is quicker
CELLS_AT_ONCE = 2**23  # pairs held at a time
SPACING = 1 / 3  # wanted between the nodes of the grid; at ν = 1 the kernel is 1 wide (Linderman 2019)
FEWEST_NODES = 128  # along an axis
MOST_NODES = {1: 2**17, 2: 2048, 3: 128}  # by dimensions
SIZES = (1, 1.25, 1.5, 1.75, 2)  # times a power of 2: quick to transform
MARGIN = 2  # nodes beyond the outermost points
FIXED_POINT = 2.0**32  # charges are summed as integers, whose sum does not depend on the order


def exact_repulsion(places: Tensor, others: Tensor, dof: float) -> tuple[Tensor, Tensor]:
    """Return the force (m, c) of ``others`` (n, c) on ``places`` (m, c) and Z_i (m,), pair by pair.

    A point that is among the others counts itself: 1 in Z_i, nothing in the force.
    """
    forces, totals = torch.empty_like(places), places.new_empty(len(places))
    step = max(1, CELLS_AT_ONCE // len(others))
    lengths = others.square().sum(dim=1)
    for start in range(0, len(places), step):
        block = places[start : start + step]
        squared = torch.addmm(lengths[None, :], block, others.T, alpha=-2)
        squared += block.square().sum(dim=1, keepdim=True)
        inverse = squared.clamp_(min=0).div_(dof).add_(1).reciprocal_()
        kernel = inverse if dof == 1 else inverse.pow(dof)
        totals[start : start + step] = kernel.sum(dim=1)
        strong = kernel * inverse
        forces[start : start + step] = block * strong.sum(dim=1, keepdim=True) - strong @ others
    return forces, totals


def nodes_for(width: float, n_dimensions: int, dof: float = 1.0) -> int:
    """Return how many nodes along an axis a map of that width needs, a size that transforms quickly.

    The kernel is √ν wide: a narrower one than that of ν = 1 needs a finer grid.
    """
    needed = math.ceil(width / (SPACING * min(1.0, math.sqrt(dof)))) + 2 * MARGIN + 2
    wanted = min(max(needed, FEWEST_NODES), MOST_NODES[n_dimensions])
    power = 2 ** ((wanted - 1).bit_length() - 1)
    return int(next(size * power for size in SIZES if size * power >= wanted))


@dataclass(frozen=True)
class Field:
    """The force and Z of a set of points everywhere in the box around them, on a grid.

    Parameters
    ----------
    low : Tensor (c,)
        Where the first node lies.
    spacing : Tensor ()
    values : Tensor (nodes ** c, c + 1)
        Force and Z at the nodes.
    n_nodes : int
        Along each axis.
    """

    low: Tensor
    spacing: Tensor
    values: Tensor
    n_nodes: int

    @classmethod
    def of(cls, points: Tensor, n_nodes: int, dof: float, margin: int = MARGIN) -> Field:
        """Spread charges over the nodes near each point and convolve them with the force and with w."""
        low, high = points.amin(dim=0), points.amax(dim=0)
        width = (high - low).amax().clamp_min(1e-9)
        spacing = width / (n_nodes - 2 * margin - 1)
        low = (low + high) / 2 - spacing * (n_nodes - 1) / 2
        c = points.shape[1]
        charges = torch.zeros(n_nodes**c, dtype=torch.int64, device=points.device)
        nodes, weights = _near(points, low, spacing, n_nodes)
        charges.index_add_(0, nodes.view(-1), weights.mul_(FIXED_POINT).round_().long().view(-1))
        density = charges.to(points.dtype).div_(FIXED_POINT).view((n_nodes,) * c)
        size = (2 * n_nodes,) * c
        axes = tuple(range(1, c + 1))
        spectrum = torch.fft.rfftn(_kernels(spacing, n_nodes, c, dof), dim=axes)
        spectrum *= torch.fft.rfftn(density, s=size)
        values = torch.fft.irfftn(spectrum, s=size, dim=axes)[(slice(None), *(slice(n_nodes),) * c)]
        return cls(low, spacing, values.reshape(c + 1, -1).T.contiguous(), n_nodes)

    def at(self, places: Tensor) -> tuple[Tensor, Tensor]:
        """Return the force (m, c) and Z_i (m,) at places inside the box."""
        nodes, weights = _near(places, self.low, self.spacing, self.n_nodes)
        there = self.values.index_select(0, nodes.view(-1)).view(*nodes.shape, -1)  # (m, 3^c, c + 1)
        felt = there.mul_(weights[:, :, None]).sum(dim=1)
        return felt[:, :-1], felt[:, -1]

    def inside(self, places: Tensor) -> Tensor:
        """Return the places (m, c), those beyond the box moved to its edge."""
        low = self.low + self.spacing
        return torch.minimum(torch.maximum(places, low), low + self.spacing * (self.n_nodes - 3))


def _near(points: Tensor, low: Tensor, spacing: Tensor, n_nodes: int) -> tuple[Tensor, Tensor]:
    """Return the 3^c nodes around each point and their weights of quadratic interpolation, (n, 3^c) each."""
    scaled = (points - low) / spacing
    nearest = scaled.round().clamp_(1, n_nodes - 2)
    off = scaled - nearest  # (n, c) within a half
    along = torch.stack([off * (off - 1) / 2, 1 - off * off, off * (off + 1) / 2], dim=2)  # (n, c, 3)
    nearest = nearest.long()
    shifts = torch.arange(-1, 2, device=points.device)
    nodes = nearest[:, :1] + shifts
    weights = along[:, 0]
    for axis in range(1, points.shape[1]):
        step = nearest[:, axis, None] + shifts  # (n, 3)
        nodes = (nodes[:, :, None] * n_nodes + step[:, None]).flatten(1)
        weights = (weights[:, :, None] * along[:, axis, None]).flatten(1)
    return nodes, weights


def _kernels(spacing: Tensor, n_nodes: int, c: int, dof: float) -> Tensor:
    """Return δ w^(1 + 1/ν) along each axis and w, at all differences of nodes, (c + 1, 2 nodes, …)."""
    steps = torch.fft.fftfreq(2 * n_nodes, 1 / (2 * n_nodes), device=spacing.device, dtype=spacing.dtype)
    apart = torch.stack(torch.meshgrid(*[steps * spacing] * c, indexing="ij"))
    inverse = apart.square().sum(dim=0).div_(dof).add_(1).reciprocal_()
    kernel = inverse if dof == 1 else inverse.pow(dof)
    return torch.cat([apart * (kernel * inverse), kernel[None]])
