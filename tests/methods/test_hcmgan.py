"""HC-MGAN: who learns from which turn, that no mass is lost, and what becomes of branches left whole."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from sklearn.datasets import make_blobs

from clustering.errors import Stopped, StudioError
from clustering.losses.adversarial import generator_loss
from clustering.losses.generator_identity import generator_identity
from clustering.methods import splitting
from clustering.methods.gan_turns import Schedule
from clustering.methods.gan_watch import GanWatch
from clustering.methods.hcmgan import HCMGAN
from clustering.methods.split_order import merges
from clustering.methods.splitting import MOST_ATTEMPTS, Splitting
from clustering.networks.generator_tree import GeneratorTree
from clustering.training.data import Data
from clustering.training.step import Batch

CPU = torch.device("cpu")
SMALL = {
    "n_clusters": 4,
    "epochs": 2,
    "refinements": 2,
    "hidden_dims": (8, 8),
    "code_dim": 3,
    "batch_size": 16,
    "least_mass": 5.0,
    "device": "cpu",
}


@pytest.fixture(scope="module")
def blobs() -> np.ndarray:
    return make_blobs(90, centers=3, n_features=5, cluster_std=0.6, random_state=3)[0].astype(np.float32)


@pytest.fixture(scope="module")
def fitted(blobs: np.ndarray) -> HCMGAN:
    return HCMGAN(**SMALL).fit(blobs)


def at_work(features: np.ndarray, refinement: int = 0, **settings) -> tuple[GeneratorTree, Splitting]:
    """Return networks that have begun to split the whole, or to refine its halves."""
    model = HCMGAN(**SMALL | settings)
    network = model.setup(features.shape[1], torch.Generator().manual_seed(0))
    schedule = Schedule(2, 2, 16, 0.5, 1.0, 5.0, 1e-3, 0.5, "float32", 0)
    splitting = Splitting(network, Data(features, CPU), schedule)
    for number in range(refinement + 1):
        if number:
            network.trained.fill_(True)
            splitting.look()
        splitting.begin(0, number)
    return network, splitting


def batch_of(features: np.ndarray) -> Batch:
    return Batch(
        torch.from_numpy(features), torch.arange(len(features)), {}, torch.Generator().manual_seed(1)
    )


@pytest.mark.parametrize("refinement", [0, 1])
def test_each_turn_is_for_its_own_side_of_each_gan_at_work(blobs, refinement):
    network, splitting = at_work(blobs, refinement)
    turns = splitting.turns.refine if refinement else splitting.turns.split
    gans = network.gans[: refinement + 1]
    sides = []
    for terms, parameters in turns(batch_of(blobs[: 16 * (refinement + 1)])):
        found = torch.autograd.grad(sum(terms.values()), parameters, allow_unused=True, retain_graph=True)
        assert all(gradient is not None and gradient.abs().sum() > 0 for gradient in found)
        sides.append((tuple(terms), {id(weight) for weight in parameters}))
    names = {
        ("critic",): lambda gan: [*gan.classifier.encoder.parameters(), *gan.critic.parameters()],
        ("classifier",): lambda gan: gan.classifier.head.parameters(),
        ("generators", "apart"): lambda gan: gan.generators.parameters(),
    }
    assert sides == [
        (terms, {id(weight) for gan in gans for weight in of(gan)}) for terms, of in names.items()
    ]


def test_a_generator_of_a_half_learns_to_be_called_own_here_and_other_there(blobs):
    network, splitting = at_work(blobs, 1)
    splitting.network.noise.zero_()
    *_, (terms, _) = splitting.turns.refine(batch_of(blobs[:32]))
    generator = torch.Generator().manual_seed(1)
    torch.empty(32, 5).normal_(generator=generator)  # the noise of the items comes first
    real = apart = 0.0
    left, right = network.gans
    for gan, other in ((left, right), (right, left)):
        codes = torch.empty(16, 3).uniform_(-1, 1, generator=generator)
        fakes = gan.generate(codes)
        torch.empty_like(fakes).normal_(generator=generator)
        real += generator_loss(gan.judged(gan.features(fakes)))
        apart += generator_identity(gan.told(gan.features(fakes)), other.told(other.features(fakes)))
    torch.testing.assert_close(terms["generators"], real)
    torch.testing.assert_close(terms["apart"], 0.5 * apart)


def test_items_are_drawn_as_often_as_each_half_holds_them(blobs):
    network, splitting = at_work(blobs, 1)
    network.held[:, 0] = torch.arange(90) < 30
    network.held[:, 1] = torch.where(
        torch.arange(90) < 60, 0.0, torch.where(torch.arange(90) < 75, 0.25, 0.75)
    )
    drawn = splitting.draw(400, torch.Generator().manual_seed(0))
    assert drawn.shape == (400, 32)
    assert set(drawn[:, :16].flatten().tolist()) == set(range(30))
    counts = torch.bincount(drawn[:, 16:].flatten(), minlength=90)
    assert not counts[:60].any()
    assert float(counts[75:].sum() / counts[60:75].sum()) == pytest.approx(3, rel=0.15)


def test_no_mass_is_lost_and_the_heaviest_leaf_is_always_the_next(fitted, blobs):
    np.testing.assert_allclose(fitted.memberships_.sum(axis=1), 1, atol=1e-6)
    assert (np.diff(fitted.heights_) >= 0).all()
    tree = fitted.tree()
    for merge, height in enumerate(fitted.heights_):
        node = tree.n_leaves + merge
        assert tree.mass(node) == pytest.approx(height, rel=1e-3)
        others = [tree.mass(int(one)) for one in tree.branches(tree.n_leaves - merge - 1) if one != node]
        assert all(mass <= height + 1e-2 for mass in others)
    assert fitted.history_[-2]["told"][0].startswith("The tree so far, in items by mass: 90 → ")
    assert fitted.history_[-2]["told"][0].count("→") == 3
    for row in fitted.history_:
        if row.get("figures"):
            shares = row["figures"]["one half"] + row["figures"]["other half"]
            split = int(row["phase"].split()[1].strip(","))
            assert shares * len(blobs) == pytest.approx(fitted.heights_[-split], rel=1e-3)


def test_what_a_leaf_holds_is_the_product_of_the_shares_on_the_way_down(fitted, blobs):
    network, _ = fitted._trained()
    items = (torch.from_numpy(blobs).double() - torch.from_numpy(fitted.shift_)) * torch.from_numpy(
        fitted.factor_
    )
    held = [torch.ones(90, dtype=torch.float64)]
    for split, parent in enumerate(network.parents.tolist()):
        left, right = (one(items).softmax(dim=1) for one in network.splits[split])
        share = (left[:, 0] + right[:, 1]) / 2
        held.append(held[parent] * (1 - share))
        held[parent] = held[parent] * share
    np.testing.assert_allclose(torch.stack(held, dim=1).detach(), fitted.memberships_, atol=1e-6)


def test_a_cut_is_the_fit_with_that_number_of_groups(fitted, blobs, tmp_path):
    fitted.save(tmp_path)
    loaded = HCMGAN.load(tmp_path)
    for k in (1, 3, 4):
        ours, fresh = loaded.cut(k), HCMGAN(**SMALL | {"n_clusters": k}).fit(blobs)
        np.testing.assert_array_equal(ours.labels_, fresh.labels_)
        np.testing.assert_allclose(ours.soft_assignments_, fresh.soft_assignments_, atol=1e-6)
        np.testing.assert_allclose(ours.cluster_centers_, fresh.cluster_centers_, atol=1e-3)
        np.testing.assert_array_equal(ours.predict(blobs), ours.labels_)
        np.testing.assert_array_equal(ours.cut(4).labels_, fitted.labels_)
        np.testing.assert_array_equal(ours.labels_, loaded.tree().cut(k))
    with pytest.raises(StudioError, match="cannot be cut into 5"):
        loaded.cut(5)


@pytest.mark.parametrize("which", ["root", "branch", "leaf"])
def test_a_branch_divided_again_has_new_halves_and_all_others_stay(fitted, blobs, tmp_path, which):
    before = fitted.tree()
    inner = [node for node in before.children.flatten().tolist() if before.halves(node)]
    largest = int(before.memberships.sum(axis=0).argmax())
    node = {"root": before.root, "branch": inner[0], "leaf": largest}[which]
    below = [leaf for leaf in range(before.n_leaves) if node in before.path(leaf)]
    kept = [leaf for leaf in range(before.n_leaves) if leaf not in below]
    fitted.save(tmp_path)
    again = HCMGAN.load(tmp_path).split_again(blobs, node, random_state=7)
    after = again.tree()
    assert after.n_leaves == again.n_clusters == len(kept) + 2
    held = {leaf: after.memberships[:, leaf] for leaf in range(after.n_leaves)}
    for leaf in kept:  # is there under whatever number
        del held[next(now for now, its in held.items() if np.allclose(its, before.memberships[:, leaf]))]
    assert len(held) == 2
    np.testing.assert_allclose(sum(held.values()), before.memberships[:, below].sum(axis=1), atol=1e-5)
    assert (np.diff(again.heights_) >= 0).all()
    assert again.history_[-1]["reason"] == "All splits were made."
    np.testing.assert_array_equal(again.predict(blobs[::-1]), again.labels_[::-1])
    np.testing.assert_array_equal(again.cut(2).predict(blobs), again.tree().cut(2))
    once_more = fitted.split_again(blobs, node, random_state=7)
    np.testing.assert_array_equal(once_more.labels_, again.labels_)
    assert fitted.tree().n_leaves == before.n_leaves


def test_a_split_again_that_was_interrupted_goes_on_and_ends_the_same(fitted, blobs, tmp_path):
    def interrupt(event):
        if event.kind == "epoch" and event.phase.endswith("refinement 1"):
            raise Stopped("enough")

    leaf = int(fitted.memberships_.sum(axis=0).argmax())
    with pytest.raises(Stopped):
        fitted.split_again(blobs, leaf, emit=interrupt, checkpoint=tmp_path)
    heard = []
    resumed = fitted.split_again(blobs, leaf, emit=lambda one: heard.append(one.kind), checkpoint=tmp_path)
    whole = fitted.split_again(blobs, leaf)
    assert heard.count("epoch") < sum(row["kind"] == "epoch" for row in whole.history_)
    np.testing.assert_array_equal(resumed.memberships_, whole.memberships_)


def test_a_branch_can_be_grown_anew_with_as_many_leaves_and_by_its_own_items_alone(fitted, blobs):
    again = fitted.split_again(blobs, fitted.tree().root, leaves=3)
    assert again.random_state == fitted.random_state + 1
    assert again.tree().n_leaves == 3
    with pytest.raises(StudioError, match="these are others"):
        fitted.split_again(blobs[::-1], 4)
    with pytest.raises(StudioError, match="no branch 9"):
        fitted.split_again(blobs, 9)
    heavy = HCMGAN(**SMALL | {"n_clusters": 2, "refinements": 0, "least_mass": 80.0}).fit(blobs)
    with pytest.raises(StudioError, match="80 are needed"):
        heavy.split_again(blobs, 0)


def test_splits_become_merges_in_reverse():
    children, heights = merges([0, 0, 1], [9.0, 6.0, 3.0])
    assert children.tolist() == [[1, 3], [0, 2], [5, 4]]
    assert heights.tolist() == [3, 6, 9]


def test_a_branch_that_holds_too_little_stays_whole(blobs):
    model = HCMGAN(**SMALL | {"least_mass": 60.0, "refinements": 0}).fit(blobs)
    assert len(model.children_) < 3
    assert "no other branch holds 60 items or more" in model.history_[-1]["reason"]
    assert model.soft_assignments_.shape == (90, len(model.children_) + 1)
    np.testing.assert_array_equal(model.predict(blobs), model.labels_)
    with pytest.raises(StudioError, match="branches of 50 items or more; there are only 40"):
        HCMGAN(**SMALL | {"least_mass": None}).fit(blobs[:40])


def test_a_refinement_that_moves_hardly_anything_is_the_last(blobs):
    network, splitting = at_work(blobs, 1)
    network.trained.fill_(True)
    network.proposed = network.held.clone()
    network.proposed[0] += torch.tensor([-0.01, 0.01])
    splitting.begin(0, 2)
    assert not bool(network.active)
    network, splitting = at_work(blobs, 1)
    network.trained.fill_(True)
    network.proposed = network.held.flip(1)
    splitting.begin(0, 2)
    assert bool(network.active) == (float((network.held[:, 0] - network.held[:, 1]).abs().sum()) > 0.18)


def test_what_goes_wrong_with_a_gan_is_told_in_words(blobs):
    network, splitting = at_work(blobs)
    watch = GanWatch(network, splitting.data, 0)
    assert not watch.lost()
    with torch.no_grad():
        network.gans[0].generators[1][-1].weight.zero_()
        assert "(its spread is 0% of the branch's: mode collapse)" in watch.alike()[0]
        network.gans[0].critic.bias.fill_(-50.0)  # every fake is seen through
    assert watch.lost()
    network.proposed = torch.stack([torch.full((90,), share) for share in (0.995, 0.005)], dim=1)
    assert watch.thin()[0].startswith("One half of the branch holds only 0.5% of it")
    network.proposed = network.proposed.flip(1) + 0.1
    assert watch.thin() == ()


def test_a_gan_that_collapses_begins_again_and_a_branch_that_never_splits_becomes_a_leaf(blobs, monkeypatch):
    monkeypatch.setattr(GanWatch, "lost", lambda watch: True)
    patient = HCMGAN(**SMALL | {"refinements": 0}).fit(blobs)  # a critic is ahead at first
    assert patient.history_[-1]["reason"] == "All splits were made."
    alarms = [alarm for row in patient.history_ for alarm in row.get("alarms", ())]
    assert sum("still sees through every fake" in alarm for alarm in alarms) == 3
    monkeypatch.setattr(splitting, "PATIENCE", 0)
    model = HCMGAN(**SMALL).fit(blobs)
    assert model.soft_assignments_.shape == (90, 1)
    assert model.history_[-1]["reason"].startswith("0 of 3 splits were made")
    told = [alarm for row in model.history_ for alarm in row.get("alarms", ())]
    assert any(f"{MOST_ATTEMPTS} times" in alarm for alarm in told)


def test_a_refinement_that_collapses_leaves_the_split_as_it_was(blobs, monkeypatch):
    monkeypatch.setattr(GanWatch, "lost", lambda watch: bool(watch._network.refinement))
    monkeypatch.setattr(splitting, "PATIENCE", 0)
    model, raw = HCMGAN(**SMALL).fit(blobs), HCMGAN(**SMALL | {"refinements": 0}).fit(blobs)
    assert model.history_[-1]["reason"] == "All splits were made."
    np.testing.assert_allclose(model.memberships_, raw.memberships_, atol=1e-6)


@pytest.mark.parametrize("shape", [(8, 8, 1), (9, 9, 3)])
def test_convolutions_take_pictures_of_any_size_and_colour(shape):
    pixels = int(np.prod(shape))
    X = np.random.default_rng(0).uniform(size=(40, pixels)).astype(np.float32)
    settings = {"trunk": "convolution", "maps": 2, "n_clusters": 2, "refinements": 1, "epochs": 1}
    model = HCMGAN(**SMALL | settings).fit(X)
    assert model.embedding_.min() == -1
    assert model.embedding_.max() == 1
    np.testing.assert_array_equal(model.predict(X[::-1]), model.labels_[::-1])
    network = HCMGAN(**SMALL | settings).setup(pixels, torch.Generator().manual_seed(0))
    gan = network.gans[0]
    fakes = gan.generate(torch.zeros(3, 3))
    assert fakes.shape == (6, pixels)
    assert float(fakes.detach().abs().max()) < 1
    torch.testing.assert_close(
        gan.features(fakes)[:1], gan.features(fakes[:1])
    )  # no row depends on its company


def test_what_generators_make_is_shown_while_they_learn_and_kept_with_their_split(blobs):
    seen = []
    X = np.random.default_rng(1).uniform(2, 6, size=(60, 16)).astype(np.float32)
    pictures = {"trunk": "convolution", "maps": 2, "n_clusters": 3, "refinements": 1, "epochs": 1}
    model = HCMGAN(**SMALL | pictures).fit(X, emit=lambda event: seen.append(event) and None)
    made = [one.generated for one in seen if one.kind == "snapshot" and one.generated is not None]
    assert len(made) == 8  # before and after each of four phases
    assert all(one.items.shape == (2, 8, 16) for one in made)
    for one in made:
        assert X.min() - 1e-4 <= one.items.min() <= one.items.max() <= X.max() + 1e-4  # its own numbers
        apart = np.square(one.items[:, :, None] - X).sum(axis=-1)
        np.testing.assert_allclose(
            np.take_along_axis(apart, one.nearest[..., None], -1)[..., 0], apart.min(-1), rtol=1e-3
        )
    np.testing.assert_allclose(model.generated_[-1], made[3].items, atol=1e-4)
    np.testing.assert_array_equal(model.nearest_[0], made[-1].nearest)
    again = model.split_again(X, 0 if 0 in model.children_[0] else 1)
    assert again.generated_.shape == (len(again.children_), 2, 8, 16)
    np.testing.assert_allclose(again.generated_[-1], model.generated_[-1])
    features = HCMGAN(**SMALL | {"n_clusters": 2, "refinements": 0}).fit(blobs)  # five numbers: no picture
    assert features.generated_.shape == (1, 2, 8, 0)
    assert features.nearest_.max() < 90


def test_convolutions_refuse_what_is_no_picture(blobs):
    with pytest.raises(StudioError, match="5 features are no pixels"):
        HCMGAN(**SMALL, trunk="convolution").fit(blobs)


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device")
def test_on_cuda_a_fit_is_repeatable_and_divides_clear_groups(blobs):
    settings = HCMGAN.info.test_settings | {"device": "cuda", "refinements": 1}
    one, two = (HCMGAN(**settings, random_state=5).fit(blobs) for _ in range(2))
    np.testing.assert_array_equal(one.labels_, two.labels_)
    np.testing.assert_allclose(one.memberships_.sum(axis=1), 1, atol=1e-6)
    np.testing.assert_array_equal(one.predict(blobs), one.labels_)
    branch = one.tree().root
    again, twice = (one.split_again(blobs, branch, random_state=3) for _ in range(2))
    np.testing.assert_array_equal(again.labels_, twice.labels_)
    np.testing.assert_array_equal(again.predict(blobs), again.labels_)
    np.testing.assert_array_equal(again.nearest_, twice.nearest_)
