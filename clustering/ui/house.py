"""What happens when the studio's server starts: a free port, our routes, the worker and the first sample."""

from __future__ import annotations

import contextlib
import gc
import logging
import os
import socket
import threading
import time
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

from streamlit.runtime.pages_manager import PagesManager

from clustering.errors import StudioError
from clustering.ui.place import workspace_root

if TYPE_CHECKING:
    from clustering.workspace import Workspace

log = logging.getLogger("clustering.ui")
FIRST_PORT = 8501
CALM = 4.0  # seconds the first page has the processor to itself before the methods are listed


def free_port(host: str, wanted: int | None) -> int:
    """Return the wanted port, or, where none is named, the first free one from 8501 on.

    Raises
    ------
    StudioError
        When the wanted port is taken, or the address is not one of this machine.
    """
    candidates = [wanted] if wanted is not None else range(FIRST_PORT, FIRST_PORT + 50)
    for port in candidates:
        try:
            with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                probe.bind((host, port))
                return int(probe.getsockname()[1])
        except (OSError, OverflowError) as error:
            reason = error
    if wanted is None:
        raise StudioError(
            f"No port from {FIRST_PORT} to {FIRST_PORT + 49} is free at {host} ({reason}).",
            "Close another studio, or name a free port with --port.",
        )
    raise StudioError(
        f"Port {wanted} at {host} cannot be used ({reason}).",
        "Choose another with --port, or leave --port out and the next free one is taken.",
    )


def routes() -> list[Any]:
    """Return the HTTP routes that serve maps, thumbnails and originals by id."""
    from clustering.ui import preview
    from clustering.ui import routes as served

    return [*preview.routes(), *served.routes()]


def address() -> str:
    """Return where a browser on this machine finds the studio."""
    from streamlit import config

    host = str(config.get_option("server.address") or "127.0.0.1")
    shown = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(host, f"[{host}]" if ":" in host else host)
    return f"http://{shown}:{config.get_option('server.port')}"


def send_at_once(port: int) -> None:
    """Turn off Nagle's algorithm on the server's socket; the connections it accepts inherit that.

    Streamlit's socket does not name TCP, so asyncio leaves the algorithm on, and the second write of every
    answer waited 40 ms for the browser to acknowledge the first.
    """
    import psutil

    with contextlib.suppress(OSError, psutil.Error):  # slower, but open
        for one in psutil.Process().net_connections("tcp"):
            if one.status == psutil.CONN_LISTEN and one.laddr.port == port and one.fd >= 0:
                with socket.socket(fileno=os.dup(one.fd)) as listening:
                    listening.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)


@contextlib.asynccontextmanager
async def open_doors(_: Any) -> AsyncIterator[None]:
    """Say where the studio is; start worker and samples beside the server, so that no page waits for them."""
    print(f"Deep Clustering Studio is open at {address()}", flush=True)
    print(f"Everything is kept in {workspace_root()}. Stop the studio with Ctrl+C.", flush=True)
    from streamlit import config

    from clustering.ui import explore_map, quality_view, watching, welcome  # noqa: F401  the first page finds them loaded

    send_at_once(int(config.get_option("server.port")))
    # Until the first st.navigation Streamlit would run a file under pages/ alone, outside the house.
    PagesManager.uses_pages_directory = False
    gc.freeze()  # Streamlit collects garbage at the end of every run; looking through all modules takes .1 s
    threading.Thread(target=_prepare, name="studio-prepares", daemon=True).start()
    yield


def _open_first(workspace: Workspace) -> None:
    """Read what a new visitor will see into the caches of the pages: a large table takes a moment to read."""
    from clustering.ui import explore_state, state

    record = state.first_shown(workspace.collections())
    run = state.newest(workspace.runs(record.id)) if record else None
    if record is None or run is None:
        return
    groups = explore_state.shown(record, run).groups
    explore_state.columns_of(record)
    if groups.medoids and len(groups.confidence):
        for one in explore_state.maps_of(run)[:1]:
            explore_state.trust_of(one.id)


def _prepare() -> None:
    """Do what the first pages need; trouble goes to the log, and the page that needs it says so."""
    from clustering.jobs import catalogue, ensure_worker
    from clustering.jobs.supervisor import renew_workers
    from clustering.ui import samples, state, trouble, uploads

    try:
        trouble.write_log()
        workspace = state.workspace()
        renew_workers(workspace)
        ensure_worker(workspace)
        samples.ensure(workspace)
        with contextlib.suppress(StudioError, OSError):  # a page that meets the same says so
            _open_first(workspace)
        time.sleep(CALM)
        gc.collect()
        gc.freeze()  # what the first page loaded stays too
        catalogue.write(workspace.cache)
        uploads.sweep(workspace)
    except Exception:
        log.exception("The studio could not prepare its worker or its samples")
