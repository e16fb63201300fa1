"""The loop: events in order, steps where they belong, stops when asked, starts again with smaller steps."""

from __future__ import annotations

import errno
from dataclasses import replace
from itertools import chain, pairwise

import numpy as np
import pytest
import torch
from torch import nn

from clustering.errors import StudioError
from clustering.training import snapshots
from clustering.training.checkpoint import Checkpoint
from clustering.training.data import Data
from clustering.training.events import Epoch, Event, History, Snapshot
from clustering.training.guard import MOST_QUARTERS
from clustering.training.loop import Loop
from clustering.training.optimisers import Optimiser
from clustering.training.phase import Phase, Refreshed
from clustering.training.step import Batch

CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def every_snapshot(monkeypatch):
    monkeypatch.setattr(snapshots, "LIVE_SHARE", float("inf"))


def flat(batches: list[list[int]]) -> list[int]:
    return list(chain.from_iterable(batches))


class Toy:
    """One linear layer, a phase that rebuilds and a phase that looks at the whole set."""

    def __init__(self, listener=None, learning_rate: float = 0.1, checkpoint: Checkpoint | None = None):
        features = np.random.default_rng(0).normal(size=(50, 2)).astype(np.float32)
        self.layer = nn.Linear(2, 2)
        with torch.no_grad():
            self.layer.weight.copy_(torch.eye(2) * 0.5)
            self.layer.bias.zero_()
        self.data = Data(features, CPU)
        self.rows: list[list[int]] = []
        self.events: list[Event] = []
        self.looks = 0
        self.listener = listener
        self.learning_rate = learning_rate
        self.loop = Loop(
            self.layer,
            snapshots.LiveView(self.data, self.layer, random_state=0),
            self.data,
            History(self.hear),
            random_state=0,
            batch_size=10,
            checkpoint=checkpoint,
            notices=("Look at this.",),
        )

    def run(self, phases: list[Phase]) -> str:
        for _ in self.loop.turns(phases):
            pass
        return self.loop.reason

    def hear(self, event: Event) -> bool | None:
        self.events.append(event)
        return self.listener(event) if self.listener else None

    def loss(self, batch: Batch) -> dict[str, torch.Tensor]:
        self.rows.append(batch.rows.tolist())
        return {"rebuilt": (self.layer(batch.features) - batch.features).square().mean()}

    def look(self) -> Refreshed:
        self.looks += 1
        latents = self.layer(self.data.take(torch.arange(50))).detach()
        labels = (latents[:, 0] > 0).long()
        return Refreshed(latents, torch.tensor([[-1.0, 0], [1.0, 0]]), labels, torch.ones(50), {})

    def phase(self, name: str = "pretrain", **settings) -> Phase:
        optimiser = Optimiser("sgd", self.learning_rate, momentum=0.0)
        return Phase(name, 4, self.loss, list(self.layer.parameters()), optimiser, **settings)


def test_epochs_and_snapshots_come_in_order_with_losses_that_fall():
    toy = Toy()
    reason = toy.run([toy.phase(), toy.phase("cluster", refresh=toy.look)])
    assert reason == "All epochs were run."
    epochs = [event for event in toy.events if isinstance(event, Epoch)]
    assert [(e.phase, e.epoch, e.epochs) for e in epochs] == [
        (phase, number, 4) for phase in ("pretrain", "cluster") for number in (1, 2, 3, 4)
    ]
    assert all(later.losses["total"] < earlier.losses["total"] for earlier, later in pairwise(epochs))
    assert all(later.seconds >= earlier.seconds for earlier, later in pairwise(epochs))
    assert epochs[-1].remaining == 0
    assert epochs[0].remaining > 0
    shown = [(e.phase, e.epoch) for e in toy.events if isinstance(e, Snapshot)]
    assert shown == [(phase, number) for phase in ("pretrain", "cluster") for number in range(5)]


def test_a_snapshot_before_clusters_has_no_labels_and_one_with_clusters_has_all():
    toy = Toy()
    toy.run([toy.phase(), toy.phase("cluster", refresh=toy.look)])
    first, *_, last = (event for event in toy.events if isinstance(event, Snapshot))
    assert set(first.labels) == {-1}
    assert first.centers.shape == (0, 2)
    assert set(last.labels) == {0, 1}
    assert last.centers.shape == (2, 2)
    assert last.latents.dtype == last.confidences.dtype == np.float32
    np.testing.assert_array_equal(first.rows, last.rows)


def test_a_pass_sees_every_row_once_and_the_next_in_another_order():
    toy = Toy()
    toy.run([toy.phase()])
    passes = [flat(toy.rows[start : start + 5]) for start in range(0, 20, 5)]
    assert all(sorted(rows) == list(range(50)) for rows in passes)
    assert len({tuple(rows) for rows in passes}) == 4


def test_an_interval_that_is_no_pass_goes_on_where_the_last_one_ended():
    toy = Toy()
    toy.run([toy.phase(steps=3)])
    assert len(toy.rows) == 12
    assert sorted(flat(toy.rows[:5])) == sorted(flat(toy.rows[5:10])) == list(range(50))


def test_the_steps_of_an_epoch_may_be_asked_for_before_each():
    toy = Toy()
    toy.run([toy.phase(steps=lambda: 1 + len(toy.rows))])
    assert len(toy.rows) == 1 + 2 + 4 + 8


def test_a_phase_that_must_begin_once_more_does_and_says_why():
    toy = Toy()
    told = iter(("", "It went wrong.", *[""] * 4))
    toy.run([toy.phase(steps=1, again=lambda: next(told))])
    epochs = [event for event in toy.events if isinstance(event, Epoch)]
    assert [event.epoch for event in epochs] == [1, 1, 2, 3, 4]
    assert [event.alarms for event in epochs[1:]] == [("It went wrong.",), (), (), ()]


def test_a_phase_may_draw_its_own_batches_anew_every_epoch_and_the_same_ones_in_every_run():
    def draw(steps, generator):
        return torch.randint(5, (steps, 3), generator=generator)

    one, two = Toy(), Toy()
    for toy in (one, two):
        toy.run([toy.phase(steps=2, draw=draw)])
    assert np.shape(one.rows) == (8, 3)
    assert max(flat(one.rows)) < 5
    assert one.rows == two.rows
    assert one.rows[:2] != one.rows[2:4]


def test_a_phase_ends_when_its_own_rule_says_so_and_its_own_alarms_ride_on_its_epochs():
    toy = Toy()
    small = toy.layer.weight[0, 0].item() + 0.1  # the weights grow towards 1
    reason = toy.run(
        [
            toy.phase(
                "cluster",
                watch=lambda: (f"The weight is {toy.layer.weight[0, 0]:.1f}.",),
                ends=lambda: "It has grown." if toy.layer.weight[0, 0] > small else "",
            )
        ]
    )
    assert reason == "It has grown."
    epochs = [event for event in toy.events if isinstance(event, Epoch)]
    assert 1 <= len(epochs) < 4
    assert epochs[-1].alarms[-1].startswith("The weight is 0.")
    assert toy.events[-1].epoch == len(epochs)  # the last snapshot is that of the end


def test_the_figures_of_a_look_ride_on_its_epoch():
    toy = Toy()
    toy.run(
        [toy.phase(refresh=lambda: replace(toy.look(), figures={"looks": float(toy.looks)}, told=("Far.",)))]
    )
    epochs = [event for event in toy.events if isinstance(event, Epoch)]
    assert {event.told for event in epochs} == {("Far.",)}
    assert [event.figures for event in epochs] == [{"looks": float(number)} for number in range(2, 6)]


def test_notices_ride_on_the_first_epoch_only():
    toy = Toy()
    toy.run([toy.phase()])
    assert [e.alarms for e in toy.events if isinstance(e, Epoch)] == [("Look at this.",), (), (), ()]


def test_two_quiet_refreshes_in_a_row_end_the_phase():
    toy = Toy(learning_rate=1e-6)
    reason = toy.run([toy.phase("cluster", refresh=toy.look, tolerance=0.001)])
    assert "Fewer than 0.10% of the labels changed" in reason
    epochs = [e for e in toy.events if isinstance(e, Epoch)]
    assert [e.changed for e in epochs] == [0.0, 0.0]
    assert toy.events[-1].epoch == 2


def test_a_stop_ends_after_the_running_epoch_and_later_phases_only_begin():
    toy = Toy(listener=lambda event: isinstance(event, Epoch) and event.epoch == 2)
    begun = []
    reason = toy.run([toy.phase(), toy.phase("cluster", refresh=toy.look, begin=lambda: begun.append(1))])
    assert reason == "Stopped as asked."
    assert begun == [1]
    assert [e.epoch for e in toy.events if isinstance(e, Epoch)] == [1, 2]


def test_steps_too_large_start_again_with_a_quarter_and_say_so():
    toy = Toy(learning_rate=50.0)
    phase = toy.phase(respond=toy.layer)
    toy.run([phase])
    epochs = [e for e in toy.events if isinstance(e, Epoch)]
    assert [e.epoch for e in epochs] == [1, 2, 3, 4]
    (notice,) = [a for a in epochs[0].alarms if "began again" in a]
    assert "learning rate of 0.78" in notice
    assert epochs[-1].losses["total"] < epochs[0].losses["total"]


def test_steps_too_large_that_were_asked_for_end_in_a_sentence():
    toy = Toy(learning_rate=1e30)
    with pytest.raises(StudioError, match="ran away"):
        toy.run([toy.phase()])


def test_a_full_disk_does_not_end_the_training_but_is_said(tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path, "mark")
    monkeypatch.setattr(checkpoint, "due", lambda: True)

    def full(_state):
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(checkpoint, "write", full)
    toy = Toy(checkpoint=checkpoint)
    toy.run([toy.phase()])
    second = [e for e in toy.events if isinstance(e, Epoch)][1]
    assert "No space left on device" in second.alarms[0]


class Breaking(Toy):
    """A toy whose loss is not a number in the epochs named."""

    def __init__(self, epochs: set[int], **settings):
        super().__init__(**settings)
        self.broken, self.steps = epochs, 0

    def loss(self, batch: Batch) -> dict[str, torch.Tensor]:
        self.steps += 1
        terms = super().loss(batch)
        return {name: value * float("nan") for name, value in terms.items()} if self.now_broken() else terms

    def now_broken(self) -> bool:
        epoch = 1 + (self.steps - 1) // 5
        if epoch in self.broken and self.steps % 5 == 0:
            self.broken = self.broken - {epoch}
            return True
        return False


@pytest.mark.parametrize("kind", ["sgd", "adam"])
@pytest.mark.parametrize("broken", [1, 3])
def test_a_loss_that_is_no_number_goes_back_to_the_last_good_epoch_with_a_quarter_of_the_rate(broken, kind):
    toy = Breaking({broken})
    optimiser = Optimiser(kind, 0.1)
    respond = toy.layer if broken > 1 else None  # later on, a first phase does not begin anew either
    phase = Phase("pretrain", 4, toy.loss, list(toy.layer.parameters()), optimiser, respond=respond)
    states = []
    toy.listener = lambda event: states.append(toy.layer.weight.detach().clone()) and None
    toy.run([phase])
    epochs = [e for e in toy.events if isinstance(e, Epoch)]
    assert [e.epoch for e in epochs] == [1, 2, 3, 4]
    assert all(np.isfinite(e.losses["total"]) for e in epochs)
    (notice,) = [a for e in epochs for a in e.alarms if "no longer a finite number" in a]
    assert f"in epoch {broken};" in notice
    assert ("where this stage began" if broken == 1 else "the end of epoch 2") in notice
    assert "learning rate of 0.025" in notice
    assert all(torch.isfinite(state).all() for state in states)


def test_a_loss_that_stays_no_number_ends_in_a_sentence():
    toy = Toy()
    toy.loss = lambda batch: {"rebuilt": toy.layer(batch.features).sum() * float("nan")}
    with pytest.raises(StudioError, match="ran away"):
        toy.run([toy.phase()])


class Drifting(Toy):
    """A toy that learns to put all items on one side."""

    def loss(self, batch: Batch) -> dict[str, torch.Tensor]:
        return {"moved": (self.layer(batch.features) - batch.features - 3).square().mean()}


def test_an_epoch_that_turns_too_many_groups_over_is_taken_back_and_goes_on_with_a_quarter_of_the_rate():
    free, held = Drifting(), Drifting()
    free.run([free.phase("cluster", refresh=free.look)])
    held.run([held.phase("cluster", refresh=held.look, upheaval=0.3)])
    changed = [[e.changed for e in toy.events if isinstance(e, Epoch)] for toy in (free, held)]
    assert changed[0][0] > 0.3
    assert max(changed[1]) <= 0.3
    epochs = [e for e in held.events if isinstance(e, Epoch)]
    assert [e.epoch for e in epochs] == [1, 2, 3, 4]
    (notice,) = [a for a in epochs[0].alarms if "changed their group at once" in a]
    assert "back to where this stage began" in notice
    assert "learning rate of 0.025" in notice


def test_an_upheaval_that_smaller_steps_do_not_prevent_is_let_be():
    toy = Drifting(learning_rate=100.0)
    toy.run([toy.phase("cluster", refresh=toy.look, upheaval=0.0)])
    epochs = [e for e in toy.events if isinstance(e, Epoch)]
    assert [e.epoch for e in epochs] == [1, 2, 3, 4]


def test_an_epoch_that_is_taken_back_several_times_is_told_of_once_with_the_rate_it_goes_on_with():
    toy = Drifting(learning_rate=100.0)
    toy.run([toy.phase("cluster", refresh=toy.look, upheaval=0.0)])
    first = next(e for e in toy.events if isinstance(e, Epoch))
    (notice,) = [a for a in first.alarms if "changed their group at once" in a]
    assert f"learning rate of {100 / 4**MOST_QUARTERS:.2g}." in notice
