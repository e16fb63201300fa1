"""What the browser fetches by itself: maps, layers, thumbnails, pictures, cards, labels; never by path.

Every answer carries an ETag; what never changes under its address is marked immutable, so a second look
costs no byte. Nothing in an address becomes part of a file name: ids are checked and looked up.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections import OrderedDict
from collections.abc import Callable, Mapping
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from clustering.errors import StudioError
from clustering.projections.turning import DRAWN
from clustering.ui.answers import (
    FOREVER,
    RECENT,
    REVISED,
    answered,
    file_answer,
    headers_of,
    not_modified,
    tag_of,
    unchanged,
)
from clustering.ui.kept_layers import layers
from clustering.ui.latent_map.blob import edge_sections, pack, point_sections
from clustering.workspace.ids import checked_id

if TYPE_CHECKING:
    from clustering.collections import Collection
    from clustering.workspace import Workspace
    from clustering.workspace.companions import CompanionName

log = logging.getLogger("clustering.ui")

GONE = "This is not here (any more). Reload the page."
PICTURE_SIZES = (128, 256, 512, 1024)  # pixels; few sizes, so that few files are cached
_TYPES = {
    ".jpg": "image/jpeg",
    ".jpeg": "image/jpeg",
    ".png": "image/png",
    ".webp": "image/webp",
    ".gif": "image/gif",
}
_served = threading.Event()


def routes(workspace: Callable[[], Workspace] | None = None) -> list[Route]:
    """Return the routes to mount beside Streamlit's.

    Parameters
    ----------
    workspace : callable, optional
        Returns the workspace to serve; by default the one the pages show.
    """
    _served.set()
    serve = _Served(workspace or _pages_workspace)
    item = "/studio/collections/{collection}/items/{index:int}"
    return [
        Route(
            "/studio/collections/{collection}/atlas/{size:int}/{sheet:int}.webp", serve.guarded(serve.atlas)
        ),
        Route(f"{item}/original", serve.guarded(serve.original)),
        Route(f"{item}/picture/{{size:int}}", serve.guarded(serve.picture)),
        Route(f"{item}/card", serve.guarded(serve.card)),
        Route("/studio/collections/{collection}/links.bin", serve.guarded(serve.links)),
        Route("/studio/maps/{projection}.bin", serve.guarded(serve.positions)),
        Route("/studio/maps/{projection}/of/{run}/near/{index:int}", serve.guarded(serve.neighbours)),
        Route("/studio/maps/{projection}/frames/{number:int}.bin", serve.guarded(serve.frame)),
        Route("/studio/maps/{projection}/another-seed.bin", serve.guarded(serve.another_seed)),
        Route("/studio/layers/{digest}.bin", serve.guarded(serve.layer)),
        Route("/studio/runs/{run}/export/labels.{form}", serve.guarded(serve.labels)),
    ]


def are_served() -> bool:
    """Return whether this process serves the routes; under AppTest and in plain scripts it does not."""
    return _served.is_set()


def map_address(projection_id: str) -> str:
    """Return the address of a map's positions."""
    return f"/studio/maps/{projection_id}.bin?drawn={DRAWN}"


def near_address(projection_id: str, run_id: str) -> str:
    """Return the address of an item's neighbours in every space, with ``{index}`` in it."""
    return f"/studio/maps/{projection_id}/of/{run_id}/near/{{index}}"


def links_address(collection: Collection) -> str:
    """Return the address of the links of a graph; empty for other collections."""
    if collection.kind != "graph":
        return ""
    return f"/studio/collections/{collection.id}/links.bin?of={collection.content_hash}"


def frame_address(projection_id: str, number: int, made: str) -> str:
    """Return the address of the positions of one frame of a map's film, in the edition ``made``."""
    return f"/studio/maps/{projection_id}/frames/{number}.bin?made={made}"


def seed_address(projection_id: str, made: str) -> str:
    """Return the address of the positions of a map from another seed, in the edition ``made``."""
    return f"/studio/maps/{projection_id}/another-seed.bin?made={made}"


def picture_address(collection_id: str, index: int, size: int) -> str:
    """Return the address of a picture whose longer side is about ``size`` pixels."""
    fitting = next((one for one in PICTURE_SIZES if one >= size), PICTURE_SIZES[-1])
    return f"/studio/collections/{collection_id}/items/{int(index)}/picture/{fitting}"


def _pages_workspace() -> Workspace:
    from clustering.ui import state

    return state.workspace()


class _Served:
    """The handlers; plain functions, which Starlette runs in threads: a slow picture blocks nobody."""

    def __init__(self, workspace: Callable[[], Workspace]) -> None:
        self.workspace = workspace
        self._opened: OrderedDict[tuple[str, str], Collection] = OrderedDict()
        self._lock = threading.Lock()

    def guarded(self, handler: Callable[[Request], Response]) -> Callable[[Request], Response]:
        """Answer 404 to whatever does not exist; reasons may hold paths, so they stay here."""

        def answered(request: Request) -> Response:
            try:
                for name in ("collection", "projection", "run"):
                    if name in request.path_params:
                        checked_id(request.path_params[name])
                return handler(request)
            except (StudioError, OSError) as error:
                log.info("%s was asked for: %s", request.url.path, error)
                return PlainTextResponse(GONE, 404, {"Cache-Control": "no-store"})

        return answered

    def collection(self, request: Request) -> Collection:
        """Return the opened collection an address names."""
        return self.opened(request.path_params["collection"])

    def opened(self, collection_id: str) -> Collection:
        """Return an opened collection; its table is read once a content."""
        record = self.workspace().collection(collection_id)
        key = (record.id, record.content_hash)
        with self._lock:
            if key not in self._opened:
                self._opened[key] = self.workspace().open_collection(record.id)
                while len(self._opened) > 16:
                    self._opened.popitem(last=False)
            self._opened.move_to_end(key)
            return self._opened[key]

    def atlas(self, request: Request) -> Response:
        collection = self.collection(request)
        atlas = collection.atlas
        if atlas is None:
            raise StudioError("This collection has no thumbnails.")
        path = atlas.sheet(request.path_params["size"], request.path_params["sheet"])
        return file_answer(request, path, "image/webp", RECENT)

    def original(self, request: Request) -> Response:
        path = self.collection(request).original(request.path_params["index"])
        kind = _TYPES.get(path.suffix.lower())
        answer = file_answer(request, path, kind or "application/octet-stream", REVISED)
        answer.headers["X-Content-Type-Options"] = "nosniff"
        shown = (
            "inline" if kind else "attachment"
        )  # a format with scripts in it is never opened in our origin
        answer.headers["Content-Disposition"] = f"{shown}; filename*=UTF-8''{quote(path.name)}"
        return answer

    def picture(self, request: Request) -> Response:
        size, index = request.path_params["size"], request.path_params["index"]
        if size not in PICTURE_SIZES:
            raise StudioError(
                f"Pictures come in {', '.join(map(str, PICTURE_SIZES))} pixels.", "Ask for one of these."
            )
        collection = self.collection(request)
        own = collection.originals_root is not None  # else it is drawn, and changes with the data alone
        changed = collection.original(index).stat().st_mtime_ns if own else 0
        tag = tag_of(collection.content_hash, size, index, changed)
        if unchanged(request, tag):
            return not_modified(tag, RECENT)
        folder = self.workspace().cache / "pictures" / collection.id
        kept = folder / f"{index}-{size}-{tag}.jpg"
        if not kept.exists():
            folder.mkdir(parents=True, exist_ok=True)
            _write_picture(collection, index, size, kept)
        return Response(kept.read_bytes(), 200, headers_of(tag, RECENT), "image/jpeg")

    def card(self, request: Request) -> Response:
        from clustering.ui.captions import Captions

        collection, index = self.collection(request), request.path_params["index"]
        if not 0 <= index < collection.n_items:
            raise StudioError(f"There is no item {index}.")
        caption = Captions.of(collection).caption(index)
        body = json.dumps({"title": caption.title, "lines": caption.lines}, ensure_ascii=False).encode()
        return answered(request, body, "application/json", REVISED)

    def positions(self, request: Request) -> Response:
        workspace = self.workspace()
        record = workspace.projection(request.path_params["projection"])
        tag = tag_of(record.id, record.created, record.n_items, DRAWN)
        if unchanged(request, tag):
            return not_modified(tag, FOREVER)
        aspects = self.opened(record.collection_id).items.get("aspect")
        body = pack(point_sections(workspace.drawn_map(record.id), aspects))
        return Response(body, 200, headers_of(tag, FOREVER), "application/octet-stream")

    def links(self, request: Request) -> Response:
        collection = self.collection(request)
        tag = tag_of(collection.content_hash, "links")
        if unchanged(request, tag):
            return not_modified(tag, FOREVER)
        body = pack(edge_sections(collection.edges()))
        return Response(body, 200, headers_of(tag, FOREVER), "application/octet-stream")

    def neighbours(self, request: Request) -> Response:
        from clustering.ui.three_spaces import neighbourhoods

        workspace = self.workspace()
        record = workspace.projection(request.path_params["projection"])
        run = workspace.run(request.path_params["run"])
        if record.feature_id != run.feature_id:
            raise StudioError("This map and this run show different features.", "Reload the page.")
        near = neighbourhoods(workspace, run, record.id, request.path_params["index"]).indices
        body = json.dumps({space: indices.tolist() for space, indices in near.items()}).encode()
        return answered(request, body, "application/json", FOREVER)

    def frame(self, request: Request) -> Response:
        number = request.path_params["number"]
        return self._beside(request, "frames", lambda arrays: arrays["positions"][number])

    def another_seed(self, request: Request) -> Response:
        return self._beside(request, "another-seed", lambda arrays: arrays["positions"])

    def _beside(
        self, request: Request, name: CompanionName, places: Callable[[Mapping[str, Any]], Any]
    ) -> Response:
        """Answer with positions kept beside a map; the address says which edition is meant."""
        workspace = self.workspace()
        record = workspace.projection(request.path_params["projection"])
        tag = tag_of(record.id, request.url.path, request.query_params.get("made", ""))
        if unchanged(request, tag):
            return not_modified(tag, FOREVER)
        kept = workspace.companion(record.id, name)
        if kept is None:
            raise StudioError("Nothing of that kind stands beside this map.")
        try:
            positions = places(kept.arrays)
        except IndexError:
            raise StudioError("There is no such frame.") from None
        aspects = self.opened(record.collection_id).items.get("aspect")
        rows = kept.arrays.get("rows")
        if aspects is not None and rows is not None:
            aspects = aspects.iloc[rows]
        body = pack(point_sections(positions, aspects))
        return Response(body, 200, headers_of(tag, FOREVER), "application/octet-stream")

    def layer(self, request: Request) -> Response:
        digest = request.path_params["digest"]
        blob = layers.get(digest)
        if blob is None:
            raise StudioError("These colours are not kept any more.", "Reload the page.")
        if unchanged(request, digest):
            return not_modified(digest, FOREVER)
        return Response(blob, 200, headers_of(digest, FOREVER), "application/octet-stream")

    def labels(self, request: Request) -> Response:
        from clustering.charts.exports import labels_csv, labels_parquet
        from clustering.ui.labels import label_table

        forms: Mapping[str, tuple[Callable[[Any], bytes], str]] = {
            "csv": (lambda table: labels_csv(table)[0], "text/csv; charset=utf-8"),
            "parquet": (labels_parquet, "application/vnd.apache.parquet"),
        }
        form = request.path_params["form"]
        if form not in forms:
            raise StudioError("Labels come as csv or parquet.")
        workspace = self.workspace()
        run = workspace.run(request.path_params["run"])
        table = label_table(workspace, run.id)
        write, kind = forms[form]
        answer = answered(request, write(table), kind, REVISED)
        answer.headers["Content-Disposition"] = f'attachment; filename="{run.id}-labels.{form}"'
        return answer


def _write_picture(collection: Collection, index: int, size: int, kept: Path) -> None:
    stream = BytesIO()
    # JPEG takes an eighth of WebP's time.
    collection.picture(index, size).save(stream, "JPEG", quality=90, subsampling=0)
    part = kept.with_name(f".{kept.name}.{os.getpid()}-{threading.get_ident()}")
    part.write_bytes(stream.getvalue())
    part.replace(kept)


def atlas_source(collection: Any) -> dict[str, Any]:
    """Return where the pictures of a collection are, as `PictureSource` takes it."""
    root = f"/studio/collections/{collection.id}"
    atlas = collection.atlas
    sizes = {} if atlas is None else {str(size): vars(facts) for size, facts in atlas.sizes.items()}
    return {
        "picture": f"{root}/items/{{index}}/picture/{{size}}",
        "atlas": f"{root}/atlas/{{size}}/{{sheet}}.webp" if sizes else "",
        "sizes": sizes,
    }
