"""Two museums on this machine that answer as The Met and the Art Institute document it, moods included."""

from __future__ import annotations

import io
import json
import threading
import time
from collections import Counter, defaultdict
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

import numpy as np
from PIL import Image

DEPARTMENTS = {6: "Asian Art", 11: "European Paintings"}


def jpeg(seed: int, side: int = 64) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (side // 8, side // 8, 3), dtype=np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).resize((side, side), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=90)
    return stream.getvalue()


class MuseumServer:
    """Both museums; ``moods[path]`` is a list of answers to give before the true one."""

    def __init__(self, works: int = 12) -> None:
        self.works = works
        self.moods: dict[str, list[Any]] = defaultdict(list)
        self.changes: dict[int, dict[str, Any]] = {}
        self.dropped: dict[int, set[str]] = {}
        self.asked: list[tuple[float, str, dict[str, list[str]], dict[str, str]]] = []
        self.old_met = False
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                server.answer(self)

            def log_message(self, *_: Any) -> None:
                return None

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True).start()
        self.base = f"http://127.0.0.1:{self._http.server_port}"
        self.met = f"{self.base}/public/collection"
        self.chicago = f"{self.base}/api/v1"

    def close(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def paths(self) -> Counter[str]:
        return Counter(path for _, path, _, _ in self.asked)

    # answers

    def answer(self, handler: BaseHTTPRequestHandler) -> None:
        address = urlsplit(handler.path)
        query = parse_qs(address.query)
        self.asked.append((time.monotonic(), address.path, query, dict(handler.headers)))
        status, headers, body = self._true_answer(address.path, query)
        if self.moods[address.path]:
            mood = self.moods[address.path].pop(0)
            if mood == "slow":
                time.sleep(1.2)
            elif mood == "truncated":
                body = body[: len(body) // 2]
            elif mood == "cut":  # promises more than it sends, then hangs up
                handler.send_response(200)
                handler.send_header("Content-Length", str(len(body)))
                handler.end_headers()
                handler.wfile.write(body[: len(body) // 2])
                return
            elif isinstance(mood, bytes):
                body = mood
            else:
                status, headers = mood if isinstance(mood, tuple) else (mood, {})
                body = b"{}"
        try:
            handler.send_response(status)
            for name, value in headers.items():
                handler.send_header(name, value)
            handler.send_header("Content-Length", str(len(body)))
            handler.end_headers()
            handler.wfile.write(body)
        except (BrokenPipeError, ConnectionResetError):
            return  # the client lost patience, as it should

    def _true_answer(self, path: str, query: dict[str, list[str]]) -> tuple[int, dict[str, str], bytes]:
        if path.startswith(("/images/", "/iiif/2/")):
            number = int(
                "".join(
                    letter for letter in path.split("/")[2 if "images" in path else 3] if letter.isdigit()
                )
            )
            return 200, {"Content-Type": "image/jpeg"}, jpeg(number)
        found = self._met(path, query) if "/public/" in path else self._chicago(path, query)
        if found is None:
            return 404, {}, b'{"message": "ObjectID not found"}'
        return 200, {"Content-Type": "application/json"}, json.dumps(found).encode()

    def _met(self, path: str, query: dict[str, list[str]]) -> Any:
        tail = path.removeprefix("/public/collection")
        if tail == "/v1/departments":
            return {
                "departments": [{"departmentId": n, "displayName": name} for n, name in DEPARTMENTS.items()]
            }
        if tail == ("/v1/search" if self.old_met else "/v1.1/search"):
            ids = list(range(1, self.works + 1))
            if query["q"][0] == "nothing":
                return {"total": 0, "objectIDs": None}
            if not self.old_met:
                offset = int(query["offset"][0])
                ids = ids[offset : offset + int(query["limit"][0])]
            return {"total": self.works, "objectIDs": ids or None}
        if tail.startswith("/v1/objects/"):
            number = int(tail.rpartition("/")[2])
            record = {
                "objectID": number,
                "isHighlight": False,
                "accessionNumber": f"36.100.{number}",
                "isPublicDomain": True,
                "primaryImage": f"{self.base}/images/{number}/original.jpg",
                "primaryImageSmall": f"{self.base}/images/{number}/web-large.jpg",
                "department": "Asian Art",
                "objectName": "Hanging scroll",
                "title": f"Quail and Millet {number}",
                "culture": "Japan" if number % 2 else "China",
                "artistDisplayName": "Kiyohara Yukinobu" if number % 3 else "",
                "artistNationality": "Japanese",
                "objectDate": "late 17th century",
                "objectBeginDate": 1667,
                "objectEndDate": 1682,
                "medium": "Hanging scroll; ink and\r\ncolor on silk",
                "creditLine": "The Howard Mansfield Collection, 1936",
                "classification": "Paintings",
                "objectURL": f"https://www.metmuseum.org/art/collection/search/{number}",
            }
            record |= self.changes.get(number, {})
            return {key: value for key, value in record.items() if key not in self.dropped.get(number, set())}
        return None

    def _chicago(self, path: str, query: dict[str, list[str]]) -> Any:
        if path != "/api/v1/artworks/search":
            return None
        asked = json.loads(query["params"][0])
        shell = {"info": {"license_links": []}, "config": {"iiif_url": f"{self.base}/iiif/2"}}
        if "aggs" in asked:
            buckets = [
                {"key": "Arts of Asia", "doc_count": 7},
                {"key": "Prints and Drawings", "doc_count": 9},
            ]
            return {**shell, "data": [], "aggregations": {"departments": {"buckets": buckets}}}
        limit, page = asked["limit"], asked["page"]
        numbers = range(1, self.works + 1)[(page - 1) * limit : page * limit]
        data = []
        for number in numbers:
            record = {
                "id": 1000 + number,
                "title": f"Bedroom {number}",
                "artist_title": "Vincent van Gogh" if number % 2 else None,
                "artist_display": "Vincent van Gogh (Dutch, 1853–1890)\nFrance",
                "date_display": "1889",
                "date_end": 1889,
                "medium_display": "Oil on canvas",
                "place_of_origin": "France",
                "department_title": "Arts of Asia",
                "classification_title": "painting",
                "credit_line": "Helen Birch Bartlett Memorial Collection",
                "image_id": f"id-{number}",
                "is_public_domain": True,
            }
            data.append({**record, **self.changes.get(number, {})})
        total = {
            "total": self.works,
            "limit": limit,
            "total_pages": -(-self.works // limit),
            "current_page": page,
        }
        return {**shell, "pagination": total, "data": data}
