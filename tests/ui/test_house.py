"""Starting the studio: a port, an address, and a sentence when there is none."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from clustering.errors import StudioError
from clustering.ui import house

ROOT = Path(__file__).resolve().parents[2]


def test_a_taken_port_is_refused_in_a_sentence():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(StudioError, match=f"Port {port} at 127.0.0.1 cannot be used"):
            house.free_port("127.0.0.1", port)


def test_without_a_wish_the_next_free_port_is_taken():
    first = house.free_port("127.0.0.1", None)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", first))
        taken.listen()
        assert house.free_port("127.0.0.1", None) > first


@pytest.mark.parametrize("wanted", [70_000, -1])
def test_a_port_that_is_none_is_refused(wanted):
    with pytest.raises(StudioError, match="cannot be used"):
        house.free_port("127.0.0.1", wanted)


def test_a_foreign_address_is_refused():
    with pytest.raises(StudioError, match="Choose another"):
        house.free_port("192.0.2.1", 8501)


def test_what_the_server_sends_does_not_wait_for_the_browser_to_acknowledge():
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        house.send_at_once(listening.getsockname()[1])
        with socket.create_connection(listening.getsockname()), listening.accept()[0] as accepted:
            assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_python_app_with_a_taken_port_ends_with_the_sentence_and_no_traceback(tmp_path):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        done = subprocess.run(
            [sys.executable, str(ROOT / "app.py"), "--port", str(port), "--workspace", str(tmp_path)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
        )
    assert done.returncode == 1
    assert f"Port {port} at 127.0.0.1 cannot be used" in done.stderr
    assert "Traceback" not in done.stderr


def test_leaving_by_ctrl_c_shows_no_traceback(tmp_path):
    command = [sys.executable, "app.py", "--workspace", str(tmp_path), "--port", "0"]
    environment = {**os.environ, "PYTHONUNBUFFERED": "1"}
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as studio:
        assert studio.stdout is not None
        said = next(line for line in studio.stdout if "is open at" in line)
        studio.send_signal(signal.SIGINT)
        said += studio.stdout.read()
    for process in psutil.process_iter(["cmdline"]):  # its worker, which may not have signed on yet
        if str(tmp_path) in (process.info["cmdline"] or []):
            process.kill()
    assert "Traceback" not in said
    assert studio.returncode == 0
