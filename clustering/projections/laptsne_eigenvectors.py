"""The first eigenvectors of a graph's Laplacian, from a good guess: blocks of conjugate gradients."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

DENSE_UP_TO = 300  # items; an exact solver is as quick there
DENSE_PER_VECTOR = 6  # items; of fewer, the blocks would be as wide as the whole
SPARE = 4  # eigenvectors more than wanted, so that the wanted ones settle

Multiply = Callable[[Tensor], Tensor]


def first_eigenvectors(
    similarities: Multiply,
    degrees: Tensor,
    count: int,
    *,
    guess: Tensor | None = None,
    seed: int = 0,
    steps: int = 100,
    tolerance: float = 1e-3,
) -> tuple[Tensor, Tensor]:
    """Return the first eigenvectors of L = 1 − D^−½ W D^−½ and their eigenvalues, smallest first.

    The very first is known, √d with eigenvalue 0; the others are sought at right angles to it.

    Parameters
    ----------
    similarities : callable
        (n, m) → D^−½ W D^−½ times it.
    degrees : Tensor (n,)
    count : int
        Eigenvectors wanted, from 1 to n.
    guess : Tensor (n, m), optional
        The first eigenvectors of a similar graph; chance where there are none.
    steps : int
        At most.
    tolerance : float
        Length of L v − λ v at which a vector is good enough.

    Returns
    -------
    vectors : Tensor (n, count)
        Of length 1.
    values : Tensor (count,)
        At least 0.
    """
    n = len(degrees)
    trivial = degrees.sqrt()[:, None]
    trivial = trivial / torch.linalg.vector_norm(trivial)

    def without_trivial(vectors: Tensor) -> Tensor:
        return vectors - trivial @ (trivial.T @ vectors)

    def deflated(vectors: Tensor) -> Tensor:
        """S, but for the trivial vector, whose eigenvalue becomes −2: below all others."""
        along = trivial.T @ vectors
        return without_trivial(similarities(vectors - trivial @ along)) - 2 * trivial @ along

    wanted = count - 1
    width = min(wanted + SPARE, n - 1)
    if n <= max(DENSE_UP_TO, DENSE_PER_VECTOR * width):
        whole = deflated(torch.eye(n, dtype=degrees.dtype, device=degrees.device)).double()
        similar, vectors = torch.linalg.eigh((whole + whole.T) / 2)
        found = vectors.flip(1)[:, :wanted].to(degrees.dtype), similar.flip(0)[:wanted].to(degrees.dtype)
    else:
        start = _completed(guess, n, width, seed, degrees)
        found = _descended(deflated, without_trivial(start), wanted, steps, tolerance)
    values = torch.cat([torch.zeros_like(degrees[:1]), (1 - found[1]).clamp_min(0)])
    return torch.cat([trivial, found[0]], dim=1), values


def _completed(guess: Tensor | None, n: int, width: int, seed: int, like: Tensor) -> Tensor:
    generator = torch.Generator().manual_seed(seed)
    start = torch.randn((n, width), generator=generator).to(like)
    if guess is not None:
        known = guess[:, 1 : width + 1]
        start[:, : known.shape[1]] = known
    return start


def _descended(
    multiply: Multiply, start: Tensor, count: int, steps: int, tolerance: float
) -> tuple[Tensor, Tensor]:
    """Return the largest eigenpairs by LOBPCG (Knyazev 2001): of block, residuals and last move the best."""
    block = torch.linalg.qr(start).Q
    product = multiply(block)
    move = block[:, :0]
    for step in range(steps + 1):
        values, turn = torch.linalg.eigh((block.T @ product).double())
        values, turn = values.flip(0).to(block.dtype), turn.flip(1).to(block.dtype)
        block, product = block @ turn, product @ turn
        residual = product - block * values
        lengths = torch.linalg.vector_norm(residual, dim=0)
        if step == steps or bool((lengths[:count] <= tolerance).all()):
            break
        move = move / torch.linalg.vector_norm(move, dim=0).clamp_min(torch.finfo(block.dtype).tiny)
        width = block.shape[1]
        basis = torch.linalg.qr(torch.cat([block, residual / lengths.clamp_min(1e-30), move], dim=1)).Q
        inside = multiply(basis)
        best = torch.linalg.eigh((basis.T @ inside).double()).eigenvectors.flip(1)[:, :width].to(block.dtype)
        move = basis[:, width:] @ best[width:]
        block, product = basis @ best, inside @ best
    return block[:, :count], values[:count]
