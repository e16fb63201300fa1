"""What is done with the codes of several views: fused, compared and completed over the views an item has."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from clustering.losses.fused_assignment import log_fused_assignments
from clustering.networks.view_autoencoders import Codes


def log_assignments(network: Any, codes: Codes) -> Tensor:
    """Return log q (n, K), fused over the views each item has."""
    return log_fused_assignments(
        codes.of_views, network.centers_of_views(), network.weight_logits, codes.present
    )


def rebuilding_error(network: Any, features: Tensor, codes: Codes) -> Tensor:
    """Return the squared error of the items that have a view, meant over columns, items and views."""
    error = features.new_zeros(())
    for at, (inputs, rebuilt) in enumerate(
        zip(network.inputs_of(features), network.decode(codes), strict=True)
    ):
        each = (rebuilt.float() - inputs).square().mean(dim=1)
        if codes.present is None:
            error = error + each.mean()
        else:
            known = codes.present[:, at].to(each.dtype)
            error = error + (each * known).sum() / known.sum().clamp_min(1)
    return error / len(codes.of_views)


def squared_distances(network: Any, one: Tensor, other: Tensor) -> Tensor:
    """Return ‖z_i − z_j‖² (p,) over the views both have, as if those were all; 0 where they share none."""
    first, second = network.split(one), network.split(other)
    apart = torch.stack(
        [(a - b).square().sum(dim=1) for a, b in zip(first.of_views, second.of_views, strict=True)], dim=1
    )
    if first.present is None or second.present is None:
        return apart.sum(dim=1)
    both = (first.present & second.present).to(apart.dtype)  # (p, V)
    return (apart * both).sum(dim=1) * both.shape[1] / both.sum(dim=1).clamp_min(1)


def known_codes(code: Tensor, codes: Codes, view: int) -> Tensor:
    """Return the codes of the items that have a view; all where none has it."""
    if codes.present is None or not codes.present[:, view].any():
        return code
    return code[codes.present[:, view]]


def filled_codes(codes: Codes) -> Tensor:
    """Return the codes side by side, a missing one being the mean of those that are there."""
    if codes.present is None:
        return torch.cat(codes.of_views, dim=1)
    filled = [
        torch.where(codes.present[:, [at]], code, known_codes(code, codes, at).mean(dim=0))
        for at, code in enumerate(codes.of_views)
    ]
    return torch.cat(filled, dim=1)


def rounded(network: Any, centers: Tensor, covariance: Tensor) -> Tensor:
    """Stretch every view so that clusters are round and equally wide in all; return the centres there."""
    size = covariance.diagonal().mean()
    moved = []
    for at, (view, place) in enumerate(
        zip(network.views, centers.split(network.latent_dim, dim=1), strict=True)
    ):
        here = slice(at * network.latent_dim, (at + 1) * network.latent_dim)
        variances, directions = torch.linalg.eigh(covariance[here, here])
        change = directions @ torch.diag((size / variances).sqrt()) @ directions.T
        view.stretch(change)
        moved.append(place @ change.to(place.dtype))
    return torch.cat(moved, dim=1)
