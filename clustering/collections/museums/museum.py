"""What a museum is to us: who it is, how it wants to be asked, and works with their pictures."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, ClassVar

from clustering.collections.museums.web import Polite


@dataclass(frozen=True)
class MuseumInfo:
    """A museum's entry.

    Parameters
    ----------
    name : str
        The key: ``"met"``.
    title : str
        What people call it.
    address : str
        Where its interface answers.
    interval : float
        Seconds between two requests that we keep.
    pace : str
        The sentence on what the museum asks for and what we do.
    licence : str
        Of works it marks as in the public domain.
    most : int
        Works one search can reach.
    order : int
    """

    name: str
    title: str
    address: str
    interval: float
    pace: str
    licence: str
    most: int = 10_000
    order: int = 100


@dataclass(frozen=True)
class Work:
    """One work as its museum describes it; empty text where it says nothing."""

    work_id: str
    title: str
    artist: str
    date: str
    year: int | None
    medium: str
    culture: str
    department: str
    classification: str
    credit_line: str
    source_url: str
    licence: str
    image_url: str


class NotUsableError(Exception):
    """A work that was found but cannot be taken: not in the public domain, or without a picture."""


class Museum(ABC):
    """Base of the museums."""

    info: ClassVar[MuseumInfo]

    def __init__(self, web: Polite, address: str | None = None) -> None:
        self._web = web
        self._address = (address or self.info.address).rstrip("/")

    @abstractmethod
    def departments(self) -> list[str]:
        """Return the names of the departments."""

    @abstractmethod
    def search(self, query: str, department: str) -> Iterator[tuple[str, Any]]:
        """Yield ``(work id, what the search told)`` of works that match, best first."""

    @abstractmethod
    def work(self, work_id: str, told: Any) -> Work:
        """Return one work.

        Raises
        ------
        NotUsableError
            When it is not in the public domain or has no picture.
        RefusedError, UnreachableError
            When it cannot be asked for.
        """

    def picture(self, work: Work) -> bytes:
        """Return the file of a work's picture.

        Raises
        ------
        RefusedError, UnreachableError
            When it cannot be had.
        """
        return self._web.content(work.image_url)


def text(value: Any) -> str:
    """Return a field as one line of plain text; anything that is no text or number becomes empty."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return ""
    return " ".join(str(value).split())


def year_of(value: Any) -> int | None:
    """Return a year, or None when the field holds none."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value != 0 else None
