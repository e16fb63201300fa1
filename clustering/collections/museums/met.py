"""The Metropolitan Museum of Art, New York: its Collection API (metmuseum.github.io)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from clustering.collections.museums.museum import Museum, MuseumInfo, NotUsableError, Work, text, year_of
from clustering.collections.museums.web import RefusedError
from clustering.errors import StudioError

PAGE = 500  # the most ids one page of the search gives


class Met(Museum):
    """The Met: a search gives ids, each work is asked for by its id."""

    info: ClassVar[MuseumInfo] = MuseumInfo(
        name="met",
        title="The Metropolitan Museum of Art",
        address="https://collectionapi.metmuseum.org/public/collection",
        interval=0.5,
        pace="The Met asks for at most 80 requests a second; its firewall is stricter, so we send two.",
        licence="CC0 1.0 (public domain)",
        order=10,
    )

    def departments(self) -> list[str]:
        """Return the names of the departments."""
        return list(self._department_ids())

    def search(self, query: str, department: str) -> Iterator[tuple[str, Any]]:
        """Yield ids of works with pictures that match, best first."""
        parameters = {"hasImages": "true", "q": query or "*"}
        if department:
            parameters = {"departmentId": self._department_id(department), **parameters}
        for offset in range(0, self.info.most, PAGE):
            # version 1.1 answers page by page; version 1, which it replaced in 2026, with all ids at once
            try:
                page = {**parameters, "offset": str(offset), "limit": str(PAGE)}
                found = self._web.json(f"{self._address}/v1.1/search", page)
                whole = False
            except RefusedError:
                found = self._web.json(f"{self._address}/v1/search", parameters)
                whole = True
            ids = found.get("objectIDs") or []
            yield from ((str(work_id), None) for work_id in ids)
            if whole or len(ids) < PAGE:
                return

    def work(self, work_id: str, told: Any) -> Work:
        """Return one work; see `Museum.work`."""
        del told
        record = self._web.json(f"{self._address}/v1/objects/{work_id}")
        if record.get("isPublicDomain") is not True:
            raise NotUsableError("not in the public domain")
        image = text(record.get("primaryImageSmall")) or text(record.get("primaryImage"))
        if not image:
            raise NotUsableError("without a picture")
        return Work(
            work_id=work_id,
            title=text(record.get("title")) or "Untitled",
            artist=text(record.get("artistDisplayName")),
            date=text(record.get("objectDate")),
            year=year_of(record.get("objectEndDate")),
            medium=text(record.get("medium")),
            culture=text(record.get("culture")) or text(record.get("artistNationality")),
            department=text(record.get("department")),
            classification=text(record.get("classification")) or text(record.get("objectName")),
            credit_line=text(record.get("creditLine")),
            source_url=text(record.get("objectURL")),
            licence=self.info.licence,
            image_url=image,
        )

    def _department_ids(self) -> dict[str, str]:
        entries = self._web.json(f"{self._address}/v1/departments").get("departments") or []
        return {text(entry.get("displayName")): text(entry.get("departmentId")) for entry in entries}

    def _department_id(self, department: str) -> str:
        known = self._department_ids()
        for name, number in known.items():
            if department.casefold() == name.casefold() or department == number:
                return number
        raise StudioError(
            f"{self.info.title} has no department called “{department}”.",
            f"Choose one of: {', '.join(known)}.",
        )
