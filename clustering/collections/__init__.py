"""Anything a user has becomes a collection on disk: `load` makes one, `Collection.open` finds it again."""

from __future__ import annotations

from clustering.collections.collection import Collection, Finding, Kind
from clustering.collections.files import discard
from clustering.collections.loading import load
from clustering.collections.places import allowed_folder

__all__ = ["Collection", "Finding", "Kind", "allowed_folder", "discard", "load"]
