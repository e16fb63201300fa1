"""Quality measures: with labels, without labels, by links, of a projection, of confidence, of stability.

Each of the six functions returns a list of `Quality`; the single measures live in the modules.
"""

from clustering.metrics.confidence import confidence
from clustering.metrics.external import external
from clustering.metrics.internal import internal
from clustering.metrics.links import links
from clustering.metrics.matching import matched_labels
from clustering.metrics.projection import projection
from clustering.metrics.quality import Quality
from clustering.metrics.stability import stability

__all__ = [
    "Quality",
    "confidence",
    "external",
    "internal",
    "links",
    "matched_labels",
    "projection",
    "stability",
]
