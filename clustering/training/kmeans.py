"""k-means with restarts on latents: side by side as matrix products on CUDA, else scikit-learn's."""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Generator, Tensor

from clustering.training.seeds import derived_seed

N_RESTARTS = 20  # DEC: 20 restarts, the best is kept
MAX_ITERATIONS = 300
# Elements of the largest work tensor, whatever the number of items; 2²⁴ float32 are 64 MiB.
WORK_ELEMENTS = 2**24
BLOCK = 1024  # rows of one product of a batched sum
SAMPLE = 2**18  # items from which on the starts are sought in a random sample of this many
LAG = 2  # iterations the device is ahead of the host's knowledge of it, so that neither waits


def kmeans(latents: Tensor, n_clusters: int, seed: int, n_restarts: int = N_RESTARTS) -> tuple[Tensor, float]:
    """Return the best of several k-means solutions.

    Parameters
    ----------
    latents : float32 Tensor (n, m)
    n_clusters, seed, n_restarts : int

    Returns
    -------
    centers : float32 Tensor (K, m)
        On the device of ``latents``.
    inertia : float
        Sum of squared distances to the nearest centre.
    """
    if latents.device.type == "cuda":
        return batched_kmeans(latents, n_clusters, seed, n_restarts)
    return _scikit_learn(latents, n_clusters, seed, n_restarts)


def _scikit_learn(latents: Tensor, n_clusters: int, seed: int, n_restarts: int) -> tuple[Tensor, float]:
    from sklearn.cluster import KMeans
    from threadpoolctl import threadpool_limits

    # One thread: its parallel sums are added in the order the threads finish, which changes the last bits.
    with threadpool_limits(1):
        fitted = KMeans(n_clusters, n_init=n_restarts, random_state=seed).fit(latents.cpu().double().numpy())
    return torch.from_numpy(fitted.cluster_centers_).to(latents), float(fitted.inertia_)


def batched_kmeans(
    latents: Tensor, n_clusters: int, seed: int, n_restarts: int = N_RESTARTS
) -> tuple[Tensor, float]:
    """Return what `kmeans` returns, running the restarts side by side as matrix products on any device.

    The same seed gives the same bits: nothing is added up in an order that is left to chance. Above `SAMPLE`
    items every restart first converges on a random sample of them and then, from there, on all.
    """
    points = _Points(latents)
    together = max(1, min(n_restarts, WORK_ELEMENTS // (BLOCK * n_clusters)))
    best: Tensor | None = None
    lowest = float("inf")
    for first in range(0, n_restarts, together):
        generator = torch.Generator(device=latents.device).manual_seed(derived_seed(seed, first))
        centers = _started(points, n_clusters, min(together, n_restarts - first), generator)
        centers = _lloyd(points, centers)
        inertia, index = _inertias(points, centers).min(dim=0)
        if best is None or float(inertia) < lowest:
            lowest, best = float(inertia), centers[index]
    assert best is not None
    return best + points.mean, lowest


class _Points:
    """Centred points z in rows (z, 1, ‖z‖², 0…), so that one product gives distances, or sums and sizes.

    A row (−2μ, ‖μ‖², 1) times such a row is the squared distance ‖z − μ‖². The rows fill whole blocks; those
    behind the last point are zero and add nothing to any sum.
    """

    def __init__(self, latents: Tensor) -> None:
        self.n, self.m = latents.shape
        width = -(-(self.m + 2) // 4) * 4  # a multiple of four floats: loads of 16 bytes
        self.mean = latents.mean(dim=0)
        self.rows = latents.new_zeros(-(-self.n // BLOCK) * BLOCK, width)
        z = self.rows[: self.n, : self.m]
        torch.sub(latents, self.mean, out=z)
        self.rows[: self.n, self.m] = 1
        for start in range(0, self.n, SAMPLE):
            some = slice(start, min(start + SAMPLE, self.n))
            self.rows[some, self.m + 1] = z[some].square().sum(dim=1)

    def sample(self, size: int, generator: Generator) -> _Points:
        """Return random points; some may be there twice."""
        chosen = torch.randint(self.n, (size,), generator=generator, device=self.rows.device)
        return _Points(self.rows[chosen, : self.m])

    def parts(self, elements: int) -> Iterator[tuple[slice, Tensor]]:
        """Yield whole blocks of rows (N, w), as many at once as ``elements`` a row leave room for."""
        size = max(1, WORK_ELEMENTS // (BLOCK * elements)) * BLOCK
        for start in range(0, len(self.rows), size):
            part = slice(start, min(start + size, len(self.rows)))
            yield part, self.rows[part]

    def factors(self, centers: Tensor, lengths: bool) -> Tensor:
        """Return what rows are multiplied by, (centres, w): with ``lengths`` the product is ‖z − μ‖².

        Without, it is ‖z − μ‖² − ‖z‖², whose order is the same and whose rounding is smaller.
        """
        flat = centers.reshape(-1, self.m)
        factors = flat.new_zeros(len(flat), self.rows.shape[1])
        factors[:, : self.m] = flat * -2
        factors[:, self.m] = flat.square().sum(dim=1)
        if lengths:
            factors[:, self.m + 1] = 1
        return factors


def _started(points: _Points, n_clusters: int, restarts: int, generator: Generator) -> Tensor:
    """Return first centres (r, K, m)."""
    size = max(SAMPLE, 256 * n_clusters)
    if points.n <= size:
        return _plus_plus(points, n_clusters, restarts, generator)
    sample = points.sample(size, generator)
    return _lloyd(sample, _plus_plus(sample, n_clusters, restarts, generator)) + sample.mean


def _plus_plus(points: _Points, n_clusters: int, restarts: int, generator: Generator) -> Tensor:
    """k-means++ (Arthur, Vassilvitskii 2007), greedy: of several draws the one that helps most is taken.

    Each draw is a point with a chance in proportion to its squared distance to the nearest centre so far.
    """
    trials = 2 + int(math.log(n_clusters))  # as many as scikit-learn
    restart = torch.arange(restarts, device=points.rows.device)
    drawn = torch.randint(points.n, (restarts,), generator=generator, device=points.rows.device)
    newest = points.rows[drawn, : points.m]  # (r, m)
    centers = [newest]
    nearest = points.rows.new_full((restarts, len(points.rows)), torch.inf)
    for _ in range(n_clusters - 1):
        _approach(points, nearest, newest)
        candidates = points.rows[_draws(nearest, trials, generator), : points.m]  # (r, t, m)
        newest = candidates[restart, _potentials(points, nearest, candidates).argmin(dim=1)]
        centers.append(newest)
    return torch.stack(centers, dim=1)


def _approach(points: _Points, nearest: Tensor, newest: Tensor) -> None:
    """Lower the squared distances to the nearest centre, (r, N), to what the newest centres (r, m) allow."""
    factors = points.factors(newest, lengths=True)
    for part, rows in points.parts(len(newest)):
        distances = torch.mm(factors, rows.T).clamp_min_(0)
        torch.minimum(nearest[:, part], distances, out=nearest[:, part])


def _draws(weights: Tensor, trials: int, generator: Generator) -> Tensor:
    """Return column numbers (r, t), drawn from each row of weights (r, N) with replacement.

    Exponential times divided by the weights: the first to ring is a draw by weight. Unlike a search in
    cumulative sums, this adds nothing up and so gives the same draw every time on every device.
    """
    restarts, n = weights.shape
    strongest = weights.new_full((restarts, trials), -1)
    chosen = torch.zeros(restarts, trials, dtype=torch.int64, device=weights.device)
    size = max(BLOCK, WORK_ELEMENTS // (restarts * trials))
    for start in range(0, n, size):
        some = weights[:, None, start : start + size]
        rates = weights.new_empty(restarts, trials, some.shape[2]).exponential_(generator=generator)
        torch.div(some, rates.clamp_min_(torch.finfo(weights.dtype).tiny), out=rates)
        here, where = rates.max(dim=2)
        better = here > strongest
        strongest = torch.where(better, here, strongest)
        chosen = torch.where(better, where + start, chosen)
    return chosen


def _potentials(points: _Points, nearest: Tensor, candidates: Tensor) -> Tensor:
    """Return the inertias (r, t) that each candidate (r, t, m) would leave."""
    restarts, trials, _ = candidates.shape
    factors = points.factors(candidates, lengths=True)
    total = torch.zeros(restarts, trials, dtype=torch.float64, device=nearest.device)
    for part, rows in points.parts(restarts * trials):
        distances = torch.mm(factors, rows.T).clamp_min_(0).view(restarts, trials, -1)
        total += torch.minimum(distances, nearest[:, None, part], out=distances).sum(dim=2).double()
    return total


def _lloyd(points: _Points, centers: Tensor) -> Tensor:
    """Move centres (r, K, m) to the means of their points until each restart stands still.

    A restart that stands still is frozen, so the outcome does not depend on when the host hears of it.
    """
    # As scikit-learn: a ten-thousandth of the mean variance of the columns, from the squared lengths.
    tolerance = 1e-4 * points.rows[:, points.m + 1].mean(dtype=torch.float64) / points.m
    found = torch.empty_like(centers)
    running = torch.arange(len(centers), device=centers.device)
    moving = torch.ones(len(centers), dtype=torch.bool, device=centers.device)
    news = _News(len(centers), centers.device)
    for iteration in range(MAX_ITERATIONS):
        moved = _means(points, centers)
        shift = (moved - centers).square().sum(dim=(1, 2))
        centers = torch.where(moving[:, None, None], moved, centers)
        moving = moving & (shift > tolerance)
        news.send(iteration, moving)
        heard = news.hear(iteration - LAG)
        if heard is None:
            continue
        if not heard.any():
            break
        if 2 * int(heard.sum()) <= len(heard):  # go on with those that still move
            found[running] = centers
            still = heard.nonzero()[:, 0].to(centers.device, non_blocking=True)
            running, centers, moving = running[still], centers[still], moving[still]
            news.forget(iteration, len(running))
    found[running] = centers
    return found


def _means(points: _Points, centers: Tensor) -> Tensor:
    """Return the mean of the points nearest to each centre (r, K, m); an empty cluster stays where it is."""
    restarts, n_clusters, m = centers.shape
    factors = points.factors(centers, lengths=False)
    width = factors.shape[1]
    sums = torch.zeros(len(factors), width, dtype=torch.float64, device=centers.device)
    for _, rows in points.parts(len(factors)):
        work = torch.mm(factors, rows.T).view(restarts, n_clusters, -1)
        nearest = work.argmin(dim=1, keepdim=True)  # (r, 1, N)
        # The distances have served: the same memory now says 1 where a point is a cluster's, else 0.
        members = work.zero_().scatter_(1, nearest, 1.0).view(len(factors), -1, BLOCK).transpose(0, 1)
        sums += torch.bmm(members, rows.view(-1, BLOCK, width)).sum(dim=0, dtype=torch.float64)
    sizes = sums[:, m, None]
    means = (sums[:, :m] / sizes.clamp_min(1)).to(centers.dtype).view_as(centers)
    return torch.where(sizes.view(restarts, n_clusters, 1) > 0, means, centers)


def _inertias(points: _Points, centers: Tensor) -> Tensor:
    """Return the sums (r,) of squared distances to the nearest centre, from differences of coordinates."""
    restarts, n_clusters, m = centers.shape
    factors = points.factors(centers, lengths=False)
    restart = torch.arange(restarts, device=centers.device)[:, None]
    total = torch.zeros(restarts, dtype=torch.float64, device=centers.device)
    for _, rows in points.parts(restarts * max(n_clusters, m)):
        nearest = torch.mm(factors, rows.T).view(restarts, n_clusters, -1).argmin(dim=1)  # (r, N)
        squares = (rows[:, :m] - centers[restart, nearest]).square_().sum(dim=2)
        total += (squares * rows[:, m]).sum(dim=1, dtype=torch.float64)  # 0 behind the last point
    return total


class _News:
    """Which restarts still move, told to the host a few iterations late so that the device never waits.

    Parameters
    ----------
    restarts : int
    device : torch.device
    """

    def __init__(self, restarts: int, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._told = torch.empty(LAG + 1, restarts, dtype=torch.bool, pin_memory=self._cuda)
        self._events = [torch.cuda.Event() for _ in range(LAG + 1)] if self._cuda else []
        self._since, self._restarts = 0, restarts

    def send(self, iteration: int, moving: Tensor) -> None:
        """Send word of an iteration."""
        slot = iteration % (LAG + 1)
        self._told[slot, : self._restarts].copy_(moving, non_blocking=True)
        if self._cuda:
            self._events[slot].record()

    def hear(self, iteration: int) -> Tensor | None:
        """Return which restarts moved at an iteration, bool (r,) on the host; None when nothing was sent."""
        if iteration < self._since:
            return None
        slot = iteration % (LAG + 1)
        if self._cuda:
            self._events[slot].synchronize()
        return self._told[slot, : self._restarts].clone()

    def forget(self, iteration: int, restarts: int) -> None:
        """Hear no more of iterations up to this one: from the next on there are fewer restarts."""
        self._since, self._restarts = iteration + 1, restarts
