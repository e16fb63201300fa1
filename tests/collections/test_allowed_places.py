"""The app reads only below its roots, links followed."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from clustering.collections import allowed_folder
from clustering.collections.places import roots
from clustering.errors import StudioError


def test_folders_below_a_root_are_allowed_and_others_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("art/old", "music", "private", "artifice"):
        (tmp_path / name).mkdir(parents=True)
    monkeypatch.setenv("STUDIO_ROOTS", f"{tmp_path / 'art'}{os.pathsep}{tmp_path / 'music'}")
    assert allowed_folder(tmp_path / "art" / "old") == tmp_path / "art" / "old"
    assert allowed_folder(str(tmp_path / "music")) == tmp_path / "music"
    for outside in ("private", "artifice", "art/../private", "."):
        with pytest.raises(StudioError, match=r"outside the folders this studio may read.*STUDIO_ROOTS"):
            allowed_folder(tmp_path / outside)
    (tmp_path / "art" / "link").symlink_to(tmp_path / "private")
    with pytest.raises(StudioError, match=r"outside"):
        allowed_folder(tmp_path / "art" / "link")
    with pytest.raises(StudioError, match=r"nothing at"):
        allowed_folder(tmp_path / "art" / "new")


def test_without_configuration_the_home_the_workspace_and_the_current_folder_are_roots(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("STUDIO_ROOTS", raising=False)
    monkeypatch.setenv("STUDIO_WORKSPACE", str(tmp_path))
    assert roots() == (Path.home().resolve(), Path.cwd().resolve(), tmp_path.resolve())
