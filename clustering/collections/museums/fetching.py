"""Fetch works of a museum into a collection: politely, with resume, and honest about what did not come."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from clustering.collections.collection import Collection
from clustering.collections.gathering import Gathering, Row, gathered_already
from clustering.collections.museums.arrived import findings_on, form_of, reasons, row_of
from clustering.collections.museums.chicago import Chicago
from clustering.collections.museums.met import Met
from clustering.collections.museums.museum import Museum, MuseumInfo, NotUsableError
from clustering.collections.museums.web import FIRST_PAUSE, LaterError, Polite, RefusedError, UnreachableError
from clustering.errors import StudioError
from clustering.progress import Progress, silent, tell
from clustering.words import several

MOST_WORKS = 5000
FAILURES_IN_A_ROW = 5  # then the museum, not the work, is the trouble
LISTEN_EVERY = 0.25  # seconds between two chances to stop while waiting
MEND = "Check the connection and try again; what was fetched before is kept and not asked for twice."

_MUSEUMS: dict[str, type[Museum]] = {museum.info.name: museum for museum in (Met, Chicago)}


def museums() -> dict[str, MuseumInfo]:
    """Return the museums by name, in the order lists show them."""
    return {name: museum.info for name, museum in _MUSEUMS.items()}


def departments(museum: str, *, address: str | None = None, contact: str = "") -> list[str]:
    """Return the names of a museum's departments.

    Raises
    ------
    StudioError
        When there is no such museum or it cannot be reached.
    """
    chosen = _chosen(museum)
    listener = _Listener(silent, 1, chosen.info.title)
    with _asked(chosen, address, contact, listener, None, 20.0, FIRST_PAUSE) as asked:
        with _reaching(chosen.info):
            return asked.departments()


def fetch(
    museum: str,
    destination: str | Path,
    *,
    query: str = "",
    department: str = "",
    limit: int = 200,
    name: str | None = None,
    contact: str = "",
    progress: Progress = silent,
    address: str | None = None,
    interval: float | None = None,
    timeout: float = 20.0,
    first_pause: float = FIRST_PAUSE,
) -> Collection:
    """Fetch works in the public domain with their pictures and make a collection of them.

    After a stop, a kill or a lost connection the same call goes on: works that came are not asked for again.

    Parameters
    ----------
    museum : str
        A key of `museums`.
    destination : path
        Folder of the new collection, as for `clustering.collections.load`.
    query : str
        Words to search for; may be empty when ``department`` is given.
    department : str
        Name of a department; empty means all.
    limit : int
        How many works, 1 to 5,000.
    name : str, optional
        What people will call the collection.
    contact : str
        An e-mail address to tell the museum, as both ask for out of courtesy.
    progress : callable
        Hears every work and every wait; returning True stops.
    address : str, optional
        Where the museum's interface answers, instead of its public address.
    interval : float, optional
        Least seconds between two requests, instead of the museum's own.
    timeout, first_pause : float
        Seconds to wait for an answer, and before the second try.

    Returns
    -------
    Collection
        Of kind images, with title, artist, date, year, medium, culture, department, classification,
        credit_line, source_url, licence, museum and work_id of every work.

    Raises
    ------
    StudioError
        When the museum cannot be reached, has nothing that fits, or the destination is taken.
    Stopped
        When the listener asked for it.
    """
    chosen = _chosen(museum)
    query, department = query.strip(), department.strip()
    _check(query, department, limit)
    destination = Path(destination).expanduser().absolute()
    request = {"museum": museum, "query": query, "department": department, "limit": limit}
    there = gathered_already(destination, request)
    if there is not None:
        return there
    gathering = Gathering(destination, request)
    listener = _Listener(progress, limit, chosen.info.title)
    with _asked(chosen, address, contact, listener, interval, timeout, first_pause) as asked:
        rows, missed = _works(asked, gathering, query, department, limit, listener)
    if not rows:
        raise _nothing(chosen.info, query, department, missed)
    return gathering.loaded(
        rows,
        name=name or _name(chosen.info, query, department),
        origin=f"{chosen.info.title}, open access: {_wanted(query, department)}. {chosen.info.licence}.",
        findings=findings_on(missed, len(rows), limit),
        progress=progress,
    )


class _Listener:
    """Tells the progress listener of works and of waits, and lets it stop either."""

    def __init__(self, progress: Progress, limit: int, title: str) -> None:
        self._progress, self._limit, self._title = progress, limit, title
        self._done = 0

    def works(self, done: int) -> None:
        self._done = done
        tell(self._progress, done, self._limit, f"Fetching works from {self._title}")

    def wait(self, seconds: float, why: str) -> None:
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            if why or seconds > LISTEN_EVERY:
                tell(self._progress, self._done, self._limit, why or f"Fetching works from {self._title}")
            time.sleep(min(LISTEN_EVERY, left))


def _works(
    museum: Museum, gathering: Gathering, query: str, department: str, limit: int, listener: _Listener
) -> tuple[list[Row], dict[str, str]]:
    """Fetch until there are ``limit`` works; return their rows and why others were missed."""
    rows: list[Row] = []
    missed: dict[str, str] = {}
    in_a_row = 0
    listener.works(0)
    seen: set[str] = set()
    for work_id, told in _found(museum, query, department):
        if len(rows) >= limit:
            break
        if work_id in seen:
            continue
        seen.add(work_id)
        before = gathering.rows.get(work_id)
        if before is not None:
            if "file" in before:
                rows.append(before)
            else:
                missed[work_id] = str(before["missed"])
            continue
        try:
            row, picture = _taken(museum, work_id, told)
        except (NotUsableError, RefusedError) as error:
            missed[work_id] = str(error)
            gathering.keep(work_id, {"missed": str(error)})  # it will say so tomorrow as well
        except UnreachableError as error:
            missed[work_id] = str(error)
            in_a_row += 1
            if in_a_row >= FAILURES_IN_A_ROW or isinstance(error, LaterError):
                raise _unreachable(museum.info, str(error)) from error
        else:
            in_a_row = 0
            gathering.keep(work_id, row, picture)
            rows.append(row)
        listener.works(len(rows))
    return rows, missed


def _found(museum: Museum, query: str, department: str) -> Iterator[tuple[str, Any]]:
    with _reaching(museum.info):
        yield from museum.search(query, department)


def _taken(museum: Museum, work_id: str, told: Any) -> tuple[Row, bytes]:
    """Return a work's row and its whole, readable picture; a broken one is asked for once more."""
    work = museum.work(work_id, told)
    for last in (False, True):
        picture = museum.picture(work)
        ending, reason = form_of(picture)
        if ending:
            return row_of(museum.info, work, ending), picture
        if last:
            raise UnreachableError(f"picture {reason}")
    raise AssertionError  # pragma: no cover


@contextmanager
def _asked(
    museum: type[Museum],
    address: str | None,
    contact: str,
    listener: _Listener,
    interval: float | None,
    timeout: float,
    first_pause: float,
) -> Iterator[Museum]:
    from clustering import __version__

    who = f"deep-clustering-studio/{__version__}" + (f" ({contact})" if contact else "")
    headers = {"User-Agent": who, "AIC-User-Agent": who}
    pace = museum.info.interval if interval is None else interval
    with Polite(headers, pace, timeout=timeout, wait=listener.wait, first_pause=first_pause) as web:
        yield museum(web, address)


@contextmanager
def _reaching(info: MuseumInfo) -> Iterator[None]:
    """Turn a museum that cannot be searched into a sentence."""
    try:
        yield
    except (RefusedError, UnreachableError) as error:
        raise _unreachable(info, str(error)) from error


def _unreachable(info: MuseumInfo, reason: str) -> StudioError:
    return StudioError(f"{info.title} cannot be reached ({reason}).", MEND)


def _chosen(museum: str) -> type[Museum]:
    if museum not in _MUSEUMS:
        raise StudioError(f"There is no museum called “{museum}”.", f"Choose one of: {', '.join(_MUSEUMS)}.")
    return _MUSEUMS[museum]


def _check(query: str, department: str, limit: int) -> None:
    if not 1 <= limit <= MOST_WORKS:
        raise StudioError(
            f"{several(limit, 'work was', 'works were')} asked for.",
            f"Ask for 1 to {MOST_WORKS:,}; museums offer data dumps for more.",
        )
    if not query and not department:
        raise StudioError("Neither words nor a department were given.", "Say what to look for.")


def _wanted(query: str, department: str) -> str:
    return ", ".join(part for part in (f"“{query}”" if query else "", department) if part)


def _name(info: MuseumInfo, query: str, department: str) -> str:
    return f"{(query or department)[:1].upper()}{(query or department)[1:]} ({info.title})"


def _nothing(info: MuseumInfo, query: str, department: str, missed: dict[str, str]) -> StudioError:
    why = (
        f" {several(len(missed), 'work was', 'works were')} found and not taken: {reasons(missed)}."
        if missed
        else ""
    )
    return StudioError(
        f"{info.title} gave no picture in the public domain for {_wanted(query, department)}.{why}",
        "Try other words or another department.",
    )
