"""Real art for whoever is online: open-access works of The Met and the Art Institute of Chicago."""

from __future__ import annotations

from clustering.collections.museums.fetching import departments, fetch, museums
from clustering.collections.museums.museum import MuseumInfo

__all__ = ["MuseumInfo", "departments", "fetch", "museums"]
