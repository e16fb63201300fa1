"""k-means with restarts on latents: side by side as matrix products on CUDA, else scikit-learn's."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

from clustering.training.seeds import derived_seed

N_RESTARTS = 20  # DEC: 20 restarts, the best is kept
MAX_ITERATIONS = 300
# Elements of the (restarts, n, K) work tensor; 2²⁷ float32 are 512 MiB.
WORK_ELEMENTS = 2**27


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
    """Return what `kmeans` returns, running the restarts side by side as matrix products on any device."""
    shift = latents.mean(dim=0)
    z = latents - shift
    together = max(1, min(n_restarts, WORK_ELEMENTS // (len(z) * n_clusters)))
    best: Tensor | None = None
    lowest = float("inf")
    for first in range(0, n_restarts, together):
        generator = torch.Generator(device=z.device).manual_seed(derived_seed(seed, first))
        restarts = min(together, n_restarts - first)
        centers = _lloyd(z, _plus_plus(z, n_clusters, restarts, generator))
        inertias = _squared(z, centers).amin(dim=2).sum(dim=1)  # (restarts,)
        index = int(inertias.argmin())
        if float(inertias[index]) < lowest:
            lowest, best = float(inertias[index]), centers[index]
    assert best is not None
    return best + shift, lowest


def _squared(z: Tensor, centers: Tensor) -> Tensor:
    """Return squared distances (r, n, K) of (n, m) to (r, K, m)."""
    products = torch.matmul(z, centers.transpose(1, 2))
    lengths = z.square().sum(dim=1)[None, :, None]
    return (lengths - 2 * products + centers.square().sum(dim=2)[:, None, :]).clamp_min(0)


def _plus_plus(z: Tensor, n_clusters: int, restarts: int, generator: Generator) -> Tensor:
    """k-means++ (Arthur, Vassilvitskii 2007): each next centre is a point drawn by its squared distance."""
    first = torch.randint(len(z), (restarts,), generator=generator, device=z.device)
    centers = z[first][:, None]  # (r, 1, m)
    nearest = _squared(z, centers)[..., 0]  # (r, n)
    for _ in range(n_clusters - 1):
        # Exponential times divided by the weights: the first to ring is a draw by weight. Unlike a search in
        # cumulative sums, it adds nothing up and so gives the same draw every time on every device.
        times = torch.empty_like(nearest).exponential_(generator=generator)
        newest = z[(nearest / times).argmax(dim=1)][:, None]  # (r, 1, m)
        centers = torch.cat([centers, newest], dim=1)
        nearest = torch.minimum(nearest, _squared(z, newest)[..., 0])
    return centers


def _lloyd(z: Tensor, centers: Tensor) -> Tensor:
    tolerance = 1e-4 * z.var(dim=0).mean()
    clusters = torch.arange(centers.shape[1], device=z.device)
    for iteration in range(MAX_ITERATIONS):
        members = (_squared(z, centers).argmin(dim=2)[..., None] == clusters).to(z.dtype)  # (r, n, K)
        sizes = members.sum(dim=1)[..., None]  # (r, K, 1)
        means = torch.matmul(members.transpose(1, 2), z) / sizes.clamp_min(1)
        moved = torch.where(sizes > 0, means, centers)  # an empty cluster stays where it is
        shift = (moved - centers).square().sum(dim=(1, 2)).amax()
        centers = moved
        # Reading the shift waits for the device, so it is read at every fifth iteration only.
        if iteration % 5 == 4 and bool(shift <= tolerance):
            break
    return centers
