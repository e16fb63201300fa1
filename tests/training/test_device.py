"""The device: chosen with a reason, refused in a sentence."""

from __future__ import annotations

import pytest
import torch

from clustering.errors import StudioError
from clustering.training import device as module
from clustering.training.device import choose_device


def test_the_processor_is_taken_when_asked_for_and_says_so():
    chosen = choose_device("cpu")
    assert chosen.device.type == "cpu"
    assert "as asked" in chosen.reason


def test_without_a_graphics_processor_auto_takes_the_cpu_and_says_why(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: False)
    chosen = choose_device("auto")
    assert chosen.device.type == "cpu"
    assert "no graphics processor was found" in chosen.reason


def test_auto_prefers_cuda_and_names_the_card(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "Card X")
    chosen = choose_device("auto")
    assert chosen.device.type == "cuda"
    assert "Card X" in chosen.reason


def test_auto_takes_apple_graphics_when_that_is_all_there_is(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert choose_device("auto").device.type == "mps"


@pytest.mark.parametrize(("name", "gate"), [("cuda", torch.cuda), ("mps", torch.backends.mps)])
def test_a_named_device_that_is_not_there_is_refused_with_the_mend(name, gate, monkeypatch):
    monkeypatch.setattr(gate, "is_available", lambda: False)
    with pytest.raises(StudioError) as refusal:
        module.choose_device(name)
    assert "“auto”" in refusal.value.mend
