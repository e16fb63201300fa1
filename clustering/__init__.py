"""Deep clustering, to be seen: load a collection, encode it, cluster it, map it, look.

>>> import clustering as dc
>>> paintings = dc.load("paintings/")
>>> features = dc.encode(paintings)
>>> groups = dc.DELIUS(n_clusters=6).fit(features)
>>> points = dc.UMAP().fit_transform(groups.embedding_)
>>> dc.latent_map_figure(points, groups.labels_, paintings.items).show()
"""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

# Loaded on first use, so that a page that needs one name does not pay for torch and numba.
_HOMES = {
    "CC": "clustering.methods.cc",
    "DAGC": "clustering.methods.dagc",
    "DEC": "clustering.methods.dec",
    "DELIUS": "clustering.methods.delius",
    "DISC": "clustering.methods.disc",
    "DMSC": "clustering.methods.dmsc",
    "DRE": "clustering.projections.dre",
    "FAE": "clustering.methods.fae",
    "FixMatch": "clustering.methods.fixmatch",
    "GCEALS": "clustering.methods.gceals",
    "HCMGAN": "clustering.methods.hcmgan",
    "IDEC": "clustering.methods.idec",
    "IcicleGCN": "clustering.methods.iciclegcn",
    "JDRL": "clustering.methods.jdrl",
    "LaptSNE": "clustering.projections.laptsne",
    "PCA": "clustering.projections.pca",
    "PICA": "clustering.methods.pica",
    "SCAN": "clustering.methods.scan",
    "SDCN": "clustering.methods.sdcn",
    "SPICE": "clustering.methods.spice",
    "SPICESelf": "clustering.methods.spice_self",
    "SyntDEC": "clustering.methods.syntdec",
    "TSNE": "clustering.projections.tsne",
    "UDDA": "clustering.methods.udda",
    "UMAP": "clustering.projections.umap",
    "USLT": "clustering.methods.usl_t",
    "Workspace": "clustering.workspace",
    "encode": "clustering.features",
    "latent_map_figure": "clustering.charts",
    "load": "clustering.workspace.library",
    "method": "clustering.methods",
    "methods": "clustering.methods",
    "place": "clustering.newcomers",
    "projections": "clustering.projections",
    "refine": "clustering.methods.fixmatch",
}

__all__ = ["__version__", *_HOMES]


def __getattr__(name: str) -> Any:
    """Import a public name from its home the first time it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"clustering has no {name!r}; it has {', '.join(sorted(_HOMES))}")
    return getattr(importlib.import_module(_HOMES[name]), name)
