"""Deep Clustering Studio: the page script, the ASGI app with our routes, and `python app.py`, in one file."""

from __future__ import annotations

import argparse
import contextlib
import os
import sys
from pathlib import Path

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx

HOUSE = Path(__file__).resolve().parent
PAGES = {  # file → title, icon, in the order of the loop
    "start": ("Start", ":material/door_open:"),
    "collection": ("Collection", ":material/photo_library:"),
    "train": ("Train", ":material/neurology:"),
    "explore": ("Explore", ":material/explore:"),
    "quality": ("Quality", ":material/fact_check:"),
}


def page() -> None:
    """Draw the house and the page in it; runs at every visit and every click."""
    from clustering.ui import arrival, sidebar, state, theme, trouble

    st.set_page_config(
        page_title="Deep Clustering Studio", page_icon=str(HOUSE / "assets/icon.svg"), layout="wide"
    )
    theme.dress(HOUSE / "assets")
    pages = {
        name: st.Page(HOUSE / "pages" / f"{name}.py", title=title, icon=icon, default=name == "start")
        for name, (title, icon) in PAGES.items()
    }
    chosen = st.navigation(list(pages.values()), position="top")
    with trouble.caught():
        state.read_address()
        sidebar.show()
        state.write_address()
        arrival.at(chosen.title)
        chosen.run()


def main(arguments: list[str] | None = None) -> None:
    """Start the studio on this machine and print its address."""
    parser = argparse.ArgumentParser(prog="app.py", description="Start Deep Clustering Studio.")
    parser.add_argument("--workspace", help="folder that keeps collections, runs and maps")
    parser.add_argument(
        "--host", default="127.0.0.1", help="address to listen on (default: this machine only)"
    )
    parser.add_argument("--port", type=int, help="port to listen on (default: 8501, or the next free one)")
    chosen = parser.parse_args(arguments)
    if chosen.workspace:
        os.environ["STUDIO_WORKSPACE"] = str(Path(chosen.workspace).expanduser().resolve())
    from clustering.errors import StudioError

    try:
        port = house.free_port(chosen.host, chosen.port)
    except StudioError as error:
        sys.exit(f"{error.problem} {error.mend}")
    with contextlib.suppress(KeyboardInterrupt):  # Ctrl+C is how one leaves, not a fault
        app.run(
            config={"server.port": port, "server.address": chosen.host, "logger.hideWelcomeMessage": True}
        )


if get_script_run_ctx(suppress_warning=True) is not None:
    page()
else:
    from clustering.ui import house, trouble

    app = st.App(
        Path(__file__).resolve(),
        routes=house.routes(),
        lifespan=house.open_doors,
        on_script_error=trouble.show,
    )
    if __name__ == "__main__":
        main()
