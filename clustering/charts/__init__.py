"""Figures from arrays: colours, plotly charts, and files a person can take away."""

from __future__ import annotations

import importlib
from typing import Any

# Loaded on first use: the palette alone must not cost the import of plotly.
_HOMES = {
    "assignment_bars": "groups",
    "changed_curve": "training",
    "cluster_sizes": "groups",
    "confidence_histogram": "groups",
    "confusion_table": "confusion",
    "figure_curves": "training",
    "labels_csv": "exports",
    "labels_parquet": "exports",
    "labels_table": "exports",
    "latent_map_figure": "maps",
    "loss_curves": "training",
    "map_picture": "map_file",
    "provenance_line": "map_file",
    "projection_strip": "quality",
    "quality_comparison": "quality",
    "recovery_bars": "seeds",
    "report_html": "report",
    "scatter": "maps",
    "silhouette_plot": "groups",
    "size_curves": "training",
}

__all__ = [*_HOMES]


def __getattr__(name: str) -> Any:
    """Import a chart from its home the first time it is asked for."""
    if name not in _HOMES:
        raise AttributeError(f"clustering.charts has no {name!r}; it has {', '.join(sorted(_HOMES))}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
