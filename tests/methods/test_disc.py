"""DISC: what is read, rebuilt and foretold, the recurrence by hand, and real sensors from file to map."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs
from sklearn.metrics import adjusted_rand_score

from clustering.cli.taking import labels_file, report_file
from clustering.errors import StudioError
from clustering.jobs.executors import Inline
from clustering.losses.soft_assignment import soft_assignments
from clustering.losses.target_distribution import target_distribution
from clustering.methods.disc import DISC
from clustering.networks.recurrent import Decoder, RecurrentAutoencoder, _cell, gru
from clustering.training.data import Data
from clustering.training.step import Batch
from clustering.workspace import Workspace

CPU = torch.device("cpu")


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def network(n_features: int = 24, channels: int = 3, **settings) -> RecurrentAutoencoder:
    chosen = {"future": 0.5, "dropout": 0.2, "decoding": "autoregressive"} | settings
    return RecurrentAutoencoder(n_features, channels, 6, 4, 2, generator=generator(), **chosen)


def scalar_gru() -> torch.nn.GRU:
    """The recurrence of the oracle: no biases, W_ir=.5, W_iz=−.3, W_in=.8, W_hr=.2, W_hz=.4, W_hn=−.6."""
    layer = gru(1, 1, generator()).double()
    with torch.no_grad():
        layer.weight_ih_l0.copy_(torch.tensor([[0.5], [-0.3], [0.8]], dtype=torch.float64))
        layer.weight_hh_l0.copy_(torch.tensor([[0.2], [0.4], [-0.6]], dtype=torch.float64))
        layer.bias_ih_l0.zero_()
        layer.bias_hh_l0.zero_()
    return layer


def test_the_recurrence_gives_the_states_worked_out_by_hand():
    inputs = torch.tensor([[[1.0], [-1.0], [0.5]]], dtype=torch.float64)
    expected = [0.3814509536, -0.0434947771, 0.1926435972]
    assert scalar_gru()(inputs)[0].flatten().tolist() == pytest.approx(expected, abs=1e-9)
    state = torch.zeros(1, 1, dtype=torch.float64)
    for moment, wanted in enumerate(expected):  # one step at a time, as the decoder writes
        state = _cell(scalar_gru(), inputs[:, moment], state)
        assert state.item() == pytest.approx(wanted, abs=1e-9)


def test_the_first_half_is_read_and_the_second_is_foretold():
    past, future = network(8, 1).parts(torch.arange(8.0)[None])
    assert past.flatten().tolist() == [0, 1, 2, 3]
    assert past.flip(1).flatten().tolist() == [3, 2, 1, 0]
    assert future.flatten().tolist() == [4, 5, 6, 7]


def test_the_channels_of_a_step_lie_together():
    past, future = network(8, 2).parts(torch.arange(8.0)[None])
    assert past.tolist() == [[[0, 1], [2, 3]]]
    assert future.tolist() == [[[4, 5], [6, 7]]]


@pytest.mark.parametrize(("steps", "future", "read"), [(5, 0.5, 3), (8, 0.0, 8), (1, 0.5, 1), (10, 0.9, 1)])
def test_any_share_of_any_length_can_be_foretold_and_nothing_is_then_written(steps, future, read):
    made = network(steps * 3, 3, future=future)
    windows = torch.randn(4, steps * 3, generator=generator(1))
    assert (made.n_past, made.n_future) == (read, steps - read)
    assert made(windows).shape == windows.shape
    blind = windows.clone()
    blind[:, read * 3 :] = 9
    torch.testing.assert_close(made.encode(windows), made.encode(blind))  # what comes later is never read


def test_the_decoder_writes_as_a_plain_loop_does_and_at_once_as_on_zeros():
    for decoding in ("autoregressive", "parallel"):
        decoder = Decoder(2, 5, decoding, generator())
        seeds = torch.randn(3, 5, generator=generator(1))
        low, high, said = seeds.clone(), seeds.clone(), torch.zeros(3, 2)
        for moment, written in enumerate(decoder(seeds, 4).unbind(1)):
            assert moment < 4
            low = decoder.first(said[:, None], low[None].contiguous())[1][0]
            high = decoder.second(low[:, None], high[None].contiguous())[1][0]
            torch.testing.assert_close(written, decoder.last(high), atol=1e-6, rtol=1e-5)
            said = decoder.last(high) if decoding == "autoregressive" else said


def test_the_code_is_read_out_at_both_ends():
    made = network(dropout=0.0)
    past = torch.randn(5, 4, 3, generator=generator(2))
    states = made.second(made.first(past)[0])[0]
    ends = torch.cat([states[:, -1, :6], states[:, 0, 6:]], dim=1)
    expected = torch.tanh(made.code(ends) / (1 + 1e-5) ** 0.5)
    torch.testing.assert_close(made.coded(past), expected)


def test_training_normalises_by_the_batch_and_hides_some_outputs_and_encoding_does_neither():
    made = network()
    windows = torch.randn(40, 24, generator=generator(3)) * 3
    before = made.code_norm.mean.clone()
    first, again = made.encode(windows), made.encode(windows)
    torch.testing.assert_close(first, again)
    torch.testing.assert_close(made.code_norm.mean, before)
    past, _ = made.parts(windows)
    trained = made.coded(past, generator(4))
    assert not torch.equal(trained, made.coded(past, generator(5)))
    torch.testing.assert_close(trained.atanh().mean(0), torch.zeros(4), atol=1e-4, rtol=0)
    assert not torch.equal(made.code_norm.mean, before)


def test_the_terms_are_mean_squares_and_gamma_times_the_divergence():
    method = DISC(2, channels=3, gamma=0.25, hidden_dim=6, latent_dim=4, dropout=0.0, device="cpu")
    made = method.setup(24, generator())
    windows = torch.randn(7, 24, generator=generator(6))
    made.centers.data.copy_(torch.randn(2, 4, generator=generator(7)))
    p = target_distribution(soft_assignments(made.encode(windows), made.centers.detach()))
    terms = method.loss(made, Batch(windows, torch.arange(7), {"p": p}, generator()))
    past, future = made.parts(windows)
    latents = made.coded(past, generator())
    backwards, ahead = made.decoded(latents, training=True)
    q = soft_assignments(latents, made.centers)
    squares = sum(
        float((backwards[i, t] - past[i, 3 - t]).detach().square().sum()) for i in range(7) for t in range(4)
    )
    assert float(terms["reconstruction"]) == pytest.approx(squares / (7 * 4 * 3), rel=1e-4)
    assert float(terms["future"]) == pytest.approx(float((ahead - future).detach().square().mean()), rel=1e-4)
    divergence = (
        sum(float((p[i, j] * (p[i, j] / q[i, j]).log()).detach()) for i in range(7) for j in range(2)) / 7
    )
    assert float(terms["clustering"]) == pytest.approx(0.25 * divergence, rel=1e-3)
    sum(terms.values()).backward()
    assert all(weight.grad is not None for weight in made.parameters())


def test_clustering_begins_at_the_centres_of_k_means_with_a_target_of_the_whole_set():
    X, _ = make_blobs(60, centers=3, n_features=8, cluster_std=0.5, random_state=1)
    X = (X / 5).astype(np.float32)
    method = DISC(3, hidden_dim=8, latent_dim=4, device="cpu")
    made = method.setup(8, generator())
    data = Data(X, CPU)
    _, cluster = method.phases(made, data)
    cluster.begin()
    codes = made.encode(data.features)
    nearest = torch.cdist(codes, made.centers).argmin(dim=1)
    for group in range(3):
        torch.testing.assert_close(codes[nearest == group].mean(0), made.centers[group], atol=1e-4, rtol=1e-3)
    q = soft_assignments(codes, made.centers)
    torch.testing.assert_close(cluster.refresh().targets["p"], target_distribution(q.detach()))


def test_a_code_at_its_limits_is_told():
    method = DISC(2, channels=3, hidden_dim=6, latent_dim=4, device="cpu")
    made, data = (
        method.setup(24, generator()),
        Data(np.random.default_rng(0).normal(size=(9, 24)).astype("f"), CPU),
    )
    assert method.at_the_edge(made, data) == ()
    with torch.no_grad():
        made.code_norm.weight.fill_(1e6)
    assert "of the code lies at its limits" in method.at_the_edge(made, data)[0]


def test_rows_that_are_no_whole_steps_are_refused_in_words():
    with pytest.raises(StudioError, match=r"24 numbers .* steps of 5 channels.*“channels” empty"):
        DISC(2, channels=5, device="cpu").fit(np.random.default_rng(0).normal(size=(9, 24)))


def test_groups_that_differ_only_in_the_order_of_their_values_are_told_apart():
    """Rising and falling windows with the same values, and a noise that hides no order."""
    drawn, truth = np.random.default_rng(0), np.arange(90) % 2
    ramp = np.linspace(-1, 1, 12)
    X = np.where(truth[:, None], ramp, ramp[::-1]) + drawn.normal(0, 0.3, (90, 12))
    model = DISC(
        2, hidden_dim=8, latent_dim=3, pretrain_epochs=10, epochs=5, batch_size=30, learning_rate=5e-3,
        device="cpu",
    ).fit(X)  # fmt: skip
    assert adjusted_rand_score(truth, model.labels_) > 0.9


def test_real_sensors_go_from_file_to_map_and_their_codes_agree_with_the_activities(tmp_path, shared_data):
    """BasicMotions: four activities, 20 windows each."""
    workspace = Workspace.open(tmp_path / "workspace")
    settings = {
        "n_clusters": 4, "hidden_dim": 32, "latent_dim": 16, "pretrain_epochs": 30, "epochs": 5,
        "batch_size": 40, "learning_rate": 4e-3, "decoder": "parallel", "device": "cpu",
    }  # fmt: skip
    plain = {"method": "kmeans", "parameters": {"n_clusters": 4, "random_state": 0}}
    with Inline(workspace) as here:
        loaded = here.submit("load", {"source": str(shared_data / "series_basicmotions.npz")})
        encoded = here.submit("features", {"encoder": "windows"}, loaded.id)
        trained = here.submit("train", {"method": "disc", "parameters": settings}, encoded.id)
        here.submit("project", {"projection": "pca", "space": "latent"}, trained.id)
        here.submit("quality", {}, trained.id)
        here.submit("quality", {}, here.submit("train", plain, encoded.id).id)
    assert all(job.state == "finished" for job in workspace.jobs()), [job.problem for job in workspace.jobs()]
    runs = {run.method: run for run in workspace.runs()}
    run, raw = runs["disc"], runs["kmeans"]
    assert run.parameters["channels"] == 6  # the features said so
    figures = {
        one.id: {row["name"]: row["value"] for row in workspace.quality(one.id) if not row.get("detail")}
        for one in (run, raw)
    }
    assert figures[run.id]["accuracy"] > figures[raw.id]["accuracy"] + 0.1
    report = report_file(workspace, run.id)
    assert report.count(b"data:image/webp") >= 4 * 5  # waveforms of typical windows, group by group
    assert labels_file(workspace, run.id, "csv").count(b"\n") == 81


def test_features_that_keep_no_order_are_refused_in_words(tmp_path):
    workspace = Workspace.open(tmp_path / "workspace")
    np.save(tmp_path / "x.npy", np.random.default_rng(0).normal(size=(12, 9, 2)))
    with Inline(workspace) as here:
        loaded = here.submit("load", {"source": str(tmp_path / "x.npy")})
        encoded = here.submit("features", {"encoder": "window-statistics"}, loaded.id)
        trained = here.submit("train", {"method": "disc", "parameters": {"n_clusters": 2}}, encoded.id)
    job = workspace.job(trained.id)
    assert job.state == "failed"
    assert "DISC reads items step by step" in job.problem
    assert "Windows as measured" in job.mend
