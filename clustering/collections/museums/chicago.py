"""The Art Institute of Chicago: its public API and its IIIF picture server (api.artic.edu/docs)."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any, ClassVar

from clustering.collections.museums.museum import Museum, MuseumInfo, NotUsableError, Work, text, year_of
from clustering.errors import StudioError

PAGE = 100  # the most records one page of the search gives
WIDTH = 843  # pixels: the width the museum asks to use, because it keeps it ready
PICTURES = "https://www.artic.edu/iiif/2"
FIELDS = (
    *("id", "title", "artist_title", "artist_display", "date_display", "date_end", "medium_display"),
    *("place_of_origin", "department_title", "classification_title", "credit_line"),
    *("image_id", "is_public_domain"),
)


class Chicago(Museum):
    """The Art Institute: a search gives whole records, pictures come by IIIF."""

    info: ClassVar[MuseumInfo] = MuseumInfo(
        name="chicago",
        title="Art Institute of Chicago",
        address="https://api.artic.edu/api/v1",
        interval=1.0,
        pace="The museum allows 60 requests a minute and asks for one at a time; that is what we keep.",
        licence="CC0 1.0 (public domain)",
        order=20,
    )

    def departments(self) -> list[str]:
        """Return the names of the departments that have works in the public domain."""
        return [text(bucket.get("key")) for bucket in self._department_counts()]

    def search(self, query: str, department: str) -> Iterator[tuple[str, Any]]:
        """Yield records in the public domain with pictures that match, best first."""
        wanted: list[dict[str, Any]] = [
            {"term": {"is_public_domain": True}},
            {"exists": {"field": "image_id"}},
        ]
        if department:
            wanted.append({"term": {"department_title.keyword": self._department(department)}})
        question: dict[str, Any] = {
            "query": {"bool": {"filter": wanted}},
            "fields": list(FIELDS),
            "limit": PAGE,
        }
        if query:
            question["q"] = query
        for page in range(1, self.info.most // PAGE + 1):
            found = self._ask({**question, "page": page})
            pictures = text((found.get("config") or {}).get("iiif_url")) or PICTURES
            records = found.get("data") or []
            for record in records:
                if text(record.get("id")):
                    yield text(record["id"]), (record, pictures)
            pages = (found.get("pagination") or {}).get("total_pages")
            if len(records) < PAGE or (isinstance(pages, int) and page >= pages):
                return

    def work(self, work_id: str, told: Any) -> Work:
        """Return one work from what the search told; see `Museum.work`."""
        record, pictures = told
        if record.get("is_public_domain") is not True:
            raise NotUsableError("not in the public domain")
        image = text(record.get("image_id"))
        if not image:
            raise NotUsableError("without a picture")
        shown = str(record.get("artist_display") or "").partition("\n")[0]
        return Work(
            work_id=work_id,
            title=text(record.get("title")) or "Untitled",
            artist=text(record.get("artist_title")) or text(shown),
            date=text(record.get("date_display")),
            year=year_of(record.get("date_end")),
            medium=text(record.get("medium_display")),
            culture=text(record.get("place_of_origin")),
            department=text(record.get("department_title")),
            classification=text(record.get("classification_title")),
            credit_line=text(record.get("credit_line")),
            source_url=f"https://www.artic.edu/artworks/{work_id}",
            licence=self.info.licence,
            image_url=f"{pictures.rstrip('/')}/{image}/full/{WIDTH},/0/default.jpg",
        )

    def _ask(self, question: dict[str, Any]) -> dict[str, Any]:
        packed = json.dumps(question, separators=(",", ":"))
        return self._web.json(f"{self._address}/artworks/search", {"params": packed})

    def _department_counts(self) -> list[dict[str, Any]]:
        question = {
            "limit": 0,
            "query": {"term": {"is_public_domain": True}},
            "aggs": {"departments": {"terms": {"field": "department_title.keyword", "size": 50}}},
        }
        aggregations = self._ask(question).get("aggregations") or {}
        return list((aggregations.get("departments") or {}).get("buckets") or [])

    def _department(self, department: str) -> str:
        known = self.departments()
        for name in known:
            if department.casefold() == name.casefold():
                return name
        raise StudioError(
            f"{self.info.title} has no department called “{department}”.",
            f"Choose one of: {', '.join(known)}.",
        )
