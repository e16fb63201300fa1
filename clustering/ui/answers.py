"""How the browser is answered: a tag on everything, so that what it holds already costs no byte."""

from __future__ import annotations

import hashlib
from pathlib import Path

from starlette.requests import Request
from starlette.responses import FileResponse, Response

FOREVER = "private, max-age=31536000, immutable"  # private: a group's works are not for shared caches
RECENT = "private, max-age=300"  # pictures: a page opened again within minutes asks for none of them
REVISED = "private, no-cache"  # asked again each time, answered with 304 while unchanged


def tag_of(*facts: object) -> str:
    """Return a tag that changes with any of the facts."""
    return hashlib.blake2b(repr(facts).encode(), digest_size=10).hexdigest()


def headers_of(tag: str, cache: str) -> dict[str, str]:
    """Return the headers of a whole answer."""
    # “identity” keeps the server from compressing what is compressed already, or too large to wait for
    return {"ETag": f'"{tag}"', "Cache-Control": cache, "Content-Encoding": "identity"}


def unchanged(request: Request, tag: str) -> bool:
    """Say whether the browser holds what bears this tag."""
    asked = request.headers.get("if-none-match", "")
    return f'"{tag}"' in [one.strip().removeprefix("W/") for one in asked.split(",")]


def not_modified(tag: str, cache: str) -> Response:
    """Answer that the browser holds it already."""
    return Response(None, 304, {"ETag": f'"{tag}"', "Cache-Control": cache})


def answered(request: Request, body: bytes, kind: str, cache: str) -> Response:
    """Answer with bytes, tagged by what they are."""
    tag = hashlib.blake2b(body, digest_size=10).hexdigest()
    if unchanged(request, tag):
        return not_modified(tag, cache)
    return Response(body, 200, {"ETag": f'"{tag}"', "Cache-Control": cache}, kind)


def file_answer(request: Request, path: Path, kind: str, cache: str) -> Response:
    """Answer with a file: Starlette's own class reads ranges and checks ``If-Range``."""
    facts = path.stat()
    tag = tag_of(path.name, facts.st_mtime_ns, facts.st_size)
    if unchanged(request, tag):
        return not_modified(tag, cache)
    return FileResponse(path, 200, headers_of(tag, cache), kind, stat_result=facts)
