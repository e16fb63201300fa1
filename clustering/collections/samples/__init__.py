"""Sample collections that need no network: a gallery painted by our own code, and handwritten digits."""

from __future__ import annotations

from clustering.collections.samples.info import SampleInfo
from clustering.collections.samples.making import make_sample, samples

__all__ = ["SampleInfo", "make_sample", "samples"]
