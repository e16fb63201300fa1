"""The sample's map while its pictures are still being painted, from what travels with the studio."""

from __future__ import annotations

import io
from functools import lru_cache

import streamlit as st
from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response
from starlette.routing import Route

from clustering.charts import palette
from clustering.collections.atlas import Atlas
from clustering.errors import StudioError
from clustering.jobs.shipped import RECIPES, shipped
from clustering.ui import routes as served
from clustering.ui import theme
from clustering.ui.latent_map import Legend, PictureSource, latent_map, layer_sections, point_sections

HEIGHT = 560
LARGEST = 128  # pixels; the thumbnails that travel are no larger
LASTING = {"Cache-Control": "private, max-age=86400"}


def draw(sample: str) -> None:
    """Draw the map of a sample that is not in the workspace yet."""
    result = shipped(sample)
    if result is None:
        st.skeleton(HEIGHT)
        return
    run = result.run(0)
    count = run.soft_assignments.shape[1]
    legend = Legend(
        title="Group",
        colours=palette.cluster_colors(count, theme.name()),
        names=[palette.group_name(label) for label in range(count)],
    )
    latent_map(
        point_sections(result.arrays["positions"], result.arrays["aspects"]),
        layer_sections(run.labels, run.soft_assignments.max(axis=1)),
        legend,
        key="preview",
        title="Map of the sample",
        pictures=_pictures(sample) if served.are_served() else None,
        cards=result.told["cards"],
        height=HEIGHT,
        selectable=False,
        scroll_zoom=False,
    )


def routes() -> list[Route]:
    """Return the routes that serve the thumbnails that travel."""
    return [
        Route("/studio/samples/{sample}/atlas/{size:int}/{sheet:int}.webp", _sheet),
        Route("/studio/samples/{sample}/items/{index:int}/{size:int}.webp", _item),
    ]


def _pictures(sample: str) -> PictureSource:
    root = f"/studio/samples/{sample}"
    sizes = {str(size): vars(facts) for size, facts in _atlas(sample).sizes.items()}
    return PictureSource(
        f"{root}/items/{{index}}/{{size}}.webp", f"{root}/atlas/{{size}}/{{sheet}}.webp", sizes
    )


@lru_cache(maxsize=4)
def _atlas(sample: str) -> Atlas:
    result = shipped(sample)
    if result is None:
        raise StudioError(f"Nothing travels for a sample called “{sample}”.", "Make the sample first.")
    return Atlas.open(result.thumbnails)


def _sheet(request: Request) -> Response:
    named = request.path_params
    if named["sample"] not in RECIPES:
        return PlainTextResponse("There is no such sample.", 404)
    try:
        return FileResponse(_atlas(named["sample"]).sheet(named["size"], named["sheet"]), headers=LASTING)
    except StudioError as error:
        return PlainTextResponse(error.problem, 404)


def _item(request: Request) -> Response:
    named = request.path_params
    if named["sample"] not in RECIPES:
        return PlainTextResponse("There is no such sample.", 404)
    try:
        cell = _atlas(named["sample"]).thumbnail(named["index"], LARGEST)
    except (StudioError, IndexError, OSError):
        return PlainTextResponse("There is no such item.", 404)
    box = cell.getbbox()
    stream = io.BytesIO()
    (cell.crop(box) if box else cell).convert("RGB").save(stream, "WEBP", quality=90)
    return Response(stream.getvalue(), 200, LASTING, "image/webp")
