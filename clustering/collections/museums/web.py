"""Ask a museum's server politely: one question at a time, at its pace, patient with trouble."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

TRIES = 5
FORBIDDEN_TRIES = 2  # a picture may be forbidden for good
FIRST_PAUSE = 1.0  # seconds; doubles with each failed try
LONGEST_PAUSE = 300.0  # a server that asks for more is left alone until the user comes back
LARGEST_ANSWER = 40 * 2**20  # bytes
BUSY = frozenset({403, 408, 425, 429, 500, 502, 503, 504})  # 403 too: museums' firewalls say it to bursts

Wait = Callable[[float, str], None]


class RefusedError(Exception):
    """The server answered that this one thing is not to be had; others may be."""


class UnreachableError(Exception):
    """The server did not answer, or only with trouble, however often it was asked."""


class LaterError(UnreachableError):
    """The server asked to be left alone for longer than we wait."""


def plain_wait(seconds: float, why: str) -> None:
    """Sleep; ``why`` is for listeners that show it."""
    del why
    time.sleep(seconds)


class Polite:
    """A client for one museum.

    Parameters
    ----------
    headers : mapping
        Sent with every request: who is asking.
    interval : float
        Least seconds between the starts of two requests.
    timeout : float
        Seconds to wait for a connection, and for each next piece of an answer.
    wait : callable
        ``wait(seconds, why)`` sleeps; it may raise to stop the work.
    first_pause : float
        Seconds before the second try.
    """

    def __init__(
        self,
        headers: Mapping[str, str],
        interval: float,
        *,
        timeout: float = 20.0,
        wait: Wait = plain_wait,
        first_pause: float = FIRST_PAUSE,
    ) -> None:
        import httpx

        self._client = httpx.Client(headers=dict(headers), timeout=timeout, follow_redirects=True)
        self._patience = timeout * 6  # for one whole answer, however steadily it trickles
        self._interval = interval
        self._wait = wait
        self._first_pause = first_pause
        self._next = 0.0

    def __enter__(self) -> Polite:
        return self

    def __exit__(self, *_: object) -> None:
        self._client.close()

    def json(self, url: str, parameters: Mapping[str, str] | None = None) -> dict[str, Any]:
        """Return an answer in JSON.

        Raises
        ------
        RefusedError
            When the server says no to this request.
        UnreachableError
            When there is no usable answer after all tries.
        """
        import json

        for _ in range(2):
            body = self.content(url, parameters)
            try:
                found = json.loads(body)
            except ValueError:
                continue  # cut or replaced by an error page: ask once more
            if isinstance(found, dict):
                return found
        raise UnreachableError("the answer is not what its documentation promises")

    def content(self, url: str, parameters: Mapping[str, str] | None = None) -> bytes:
        """Return the body of an answer, at most `LARGEST_ANSWER` bytes.

        Raises
        ------
        RefusedError
            When the server says no (404 and its like) or the answer is too large.
        UnreachableError
            When every try failed, or the server asks for a long pause (`LaterError`).
        """
        import httpx

        reason = ""
        for attempt in range(TRIES):
            self._keep_pace()
            asked_pause, forbidden = None, False
            try:
                with self._client.stream("GET", url, params=parameters) as answer:
                    if answer.is_success:
                        return self._read(answer)
                    reason = f"it answered {answer.status_code}"
                    if answer.status_code not in BUSY:
                        raise RefusedError(_refusal(answer.status_code))
                    forbidden = answer.status_code == 403
                    asked_pause = _retry_after(answer.headers.get("Retry-After"))
            except httpx.TimeoutException:
                reason = "it did not answer in time"
            except (httpx.TransportError, httpx.TooManyRedirects, httpx.DecodingError) as error:
                reason = str(error) or type(error).__name__
            except httpx.InvalidURL as error:
                raise RefusedError(f"its address is not usable ({error})") from error
            if attempt + 1 >= (FORBIDDEN_TRIES if forbidden else TRIES):
                break
            self._pause(attempt, asked_pause, reason)
        raise UnreachableError(reason)

    def _read(self, answer: httpx.Response) -> bytes:
        import httpx

        pieces: list[bytes] = []
        size, late = 0, time.monotonic() + self._patience
        for piece in answer.iter_bytes():
            size += len(piece)
            if size > LARGEST_ANSWER:
                raise RefusedError(f"larger than {LARGEST_ANSWER // 2**20} MB")
            if time.monotonic() > late:
                raise httpx.ReadTimeout("the answer trickles", request=answer.request)
            pieces.append(piece)
        return b"".join(pieces)

    def _keep_pace(self) -> None:
        ahead = self._next - time.monotonic()
        if ahead > 0:
            self._wait(ahead, "")
        self._next = time.monotonic() + self._interval

    def _pause(self, attempt: int, asked: float | None, reason: str) -> None:
        own = self._first_pause * 2**attempt
        seconds = own if asked is None else max(asked, own)
        if seconds > LONGEST_PAUSE:
            raise LaterError(f"it asks to come back in {seconds / 60:.0f} minutes")
        self._wait(seconds, f"The museum asks for patience ({reason}); trying again in {seconds:.0f} s")


def _refusal(status: int) -> str:
    return f"no longer there ({status})" if status in (404, 410) else f"refused by the museum ({status})"


def _retry_after(text: str | None) -> float | None:
    """Return the seconds a Retry-After header asks for: a number, or a date."""
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        pass  # then it should be a date
    try:
        return (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds()
    except (ValueError, TypeError):
        return None
