"""Items moved the way that changes most what a network makes of them: views nobody had to design."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor
from torch.nn.functional import normalize

from clustering.losses.kl import kl_divergence


def random_directions(rows: Tensor, generator: Generator) -> Tensor:
    """Return a direction of length 1 for every row, (b, d), all directions alike likely."""
    drawn = torch.empty_like(rows).normal_(generator=generator)
    return normalize(drawn, dim=1)


def adversarial_directions(logits_of: Callable[[Tensor], Tensor], rows: Tensor, probes: Tensor) -> Tensor:
    """Return for every row the direction in which KL(p(x) ‖ p(x + r)) grows fastest at r = probe, (b, d).

    Virtual adversarial training (Miyato, Maeda, Koyama, Ishii 2018) with one power iteration. At r = 0 the
    gradient is zero, so a probe must not be. Where there is no gradient at all the probe's own direction is
    kept.

    Parameters
    ----------
    logits_of : callable
        Rows (b, d) → logits (b, k). It should leave no trace of the probes, such as in running statistics.
    rows : Tensor (b, d)
    probes : Tensor (b, d)
        Small steps away from the rows.
    """
    with torch.no_grad():
        targets = torch.softmax(logits_of(rows), dim=1)
    with torch.enable_grad():
        step = probes.detach().requires_grad_()
        log_moved = torch.log_softmax(logits_of(rows + step), dim=1)
        (gradient,) = torch.autograd.grad(kl_divergence(targets, log_moved), step)
    # Squares of what is tiny would vanish before the root.
    largest = gradient.abs().amax(dim=1, keepdim=True)
    tiny = torch.finfo(gradient.dtype).tiny
    return normalize(torch.where(largest > 0, gradient / largest.clamp_min(tiny), probes), dim=1)
