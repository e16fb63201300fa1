"""First centres for rare groups too: parts of k-means, joined by Ward's tree."""

from __future__ import annotations

import torch
from torch import Tensor

from clustering.training.kmeans import kmeans

PARTS = 3  # first groups for each one asked for; they are joined again
LOOSE = 0.1  # of an equal share: parts with fewer items are loose ones


def joined_centers(latents: Tensor, n_clusters: int, seed: int) -> Tensor:
    """Return first centres (K, m): three times as many of k-means, joined by Ward's tree.

    k-means alone spends its centres on large groups; in the tree every part counts alike, so that a rare
    group that lies apart keeps a centre. Parts of fewer than n / 10K items are loose items, no groups, and
    left out of the tree as long as there are enough others.
    """
    from scipy.cluster.hierarchy import cut_tree, ward

    parts = min(PARTS * n_clusters, max(n_clusters, len(latents) // 4))
    centers, _ = kmeans(latents, parts, seed)
    if parts <= n_clusters:
        return centers
    sizes = torch.cdist(latents, centers).argmin(dim=1).bincount(minlength=parts)
    enough = int((sizes >= LOOSE * len(latents) / n_clusters).sum())
    centers = centers[sizes.argsort(descending=True)[: max(n_clusters, enough)].sort().values]
    nearest = torch.cdist(latents, centers).argmin(dim=1)
    group = torch.from_numpy(cut_tree(ward(centers.double().cpu().numpy()), n_clusters).ravel())
    members = torch.nn.functional.one_hot(group.to(latents.device)[nearest], n_clusters).to(latents)
    return members.T @ latents / members.sum(dim=0)[:, None].clamp_min(1)
