"""The portions are nested, seeded and keep groups whole; the fits on them follow the study's own rule and are made once."""

from __future__ import annotations

import gc
import weakref

import numpy as np
import pytest
from counted import count_fits
from numpy.typing import NDArray
from planted_studies import noise, planted_study

from lit_probe.encoder.cache import Cache
from lit_probe.errors import CancelledError
from lit_probe.probing.portions import Portions, portion_probes
from lit_probe.probing.probes import PROBES
from tests.kinds_of_probe import OF_CLASSES

NAMES = ("negative", "positive")


@pytest.mark.parametrize(
    ("n_train", "sizes"),
    [
        (6920, (16, 28, 55, 111, 221, 432, 865, 1730, 3460, 6920)),
        (100_000, (100, 200, 400, 800, 1600, 3200, 6250, 12_500, 25_000, 50_000, 100_000)),
        (100, (16, 25, 50, 100)),
        (16, (16,)),
        (5, (5,)),
    ],
)
def test_portions_have_the_published_shares_of_train_but_16_rows_at_least(n_train, sizes):
    assert Portions.draw(np.arange(n_train) % 2, None, seed=3).sizes == sizes


@pytest.mark.parametrize("groups", [None, np.array([f"film {i % 90}" for i in range(500)])])
def test_portions_are_nested_and_the_last_is_train_as_it_is(groups):
    portions = Portions.draw(np.arange(500) % 3, groups, seed=0)
    for index in range(1, len(portions.sizes)):
        before, added, whole = portions.rows(index - 1), portions.added(index), portions.rows(index)
        assert not set(before) & set(added)
        assert sorted([*before, *added]) == list(whole)
    assert sorted(portions.added(0)) == list(portions.rows(0))
    assert np.array_equal(portions.rows(len(portions.sizes) - 1), np.arange(500))


@pytest.mark.parametrize("grouped", [False, True])
def test_every_portion_has_the_classes_in_their_shares(grouped):
    labels = np.repeat([0, 1, 2], [1400, 500, 100])
    groups = np.arange(2000) // 4 if grouped else None
    portions = Portions.draw(labels, groups, seed=1)
    for index, size in enumerate(portions.sizes):
        expected = np.array([0.7, 0.25, 0.05]) * size
        assert np.abs(np.bincount(labels[portions.rows(index)], minlength=3) - expected).max() <= (6 if grouped else 1.5)


@pytest.mark.parametrize("n_rare", [2, 3, 4, 5])
@pytest.mark.parametrize("n_train", [20, 40, 97, 400])
def test_two_rows_of_a_rare_class_stand_in_the_largest_portion_below_all_of_train(n_train, n_rare):
    """With every class at even distances from a fixed place, those of two or three rows never had a probe before all of train."""
    labels = (np.arange(n_train) < n_rare).astype(np.int64)
    for seed in range(20):
        portions = Portions.draw(labels, None, seed)
        assert labels[portions.rows(len(portions.sizes) - 2)].sum() >= 2


def test_many_rare_classes_have_two_rows_there_as_long_as_they_fit():
    labels = np.repeat(np.arange(20), [3] * 10 + [2] * 5 + [20] * 5)
    for seed in range(20):
        portions = Portions.draw(labels, None, seed)
        assert np.bincount(labels[portions.rows(len(portions.sizes) - 2)], minlength=20).min() >= 2
    # Of 40 classes of 2 rows no half has two of each; the order is then one of even distances, as for others.
    assert Portions.draw(np.repeat(np.arange(40), 2), None, 0).sizes == (16, 20, 40, 80)


def test_a_rare_class_that_is_the_most_frequent_of_no_group_has_two_rows_there():
    groups = np.arange(400) // 10
    labels = np.zeros(400, dtype=np.int64)
    for seed in range(20):
        labels[:], labels[np.random.default_rng(seed).choice(40, 3, replace=False) * 10] = 0, 1
        portions = Portions.draw(labels, groups, seed)
        assert labels[portions.rows(len(portions.sizes) - 2)].sum() >= 2


def test_the_rows_of_a_class_stand_at_random_places():
    """Four rows of 400: by lot the second stands in the first quarter, or not before it; each place is equally likely."""
    labels = (np.arange(400) < 4).astype(np.int64)
    places = np.array([np.flatnonzero(labels[Portions.draw(labels, None, seed).order]) for seed in range(400)])
    assert np.ptp(places[:, 0]) > 95 and np.abs(places.mean(axis=0) - [50, 150, 250, 350]).max() < 6
    assert (np.abs(np.diff(places, axis=1) - 100) <= 1).all()


def torn(portions: Portions, groups: NDArray[np.str_]) -> int:
    """How many groups stand in two blocks."""
    blocks = [set(groups[portions.added(index)]) for index in range(len(portions.sizes))]
    return sum(sum(group in block for block in blocks) > 1 for group in set(groups))


def test_no_group_is_split_between_blocks_which_would_happen_without_care():
    groups = np.array([f"film {i}" for i in np.random.default_rng(0).geometric(0.03, 2000)])
    for seed in range(5):
        assert torn(Portions.draw(np.arange(2000) % 2, groups, seed), groups) == 0
        assert torn(Portions.draw(np.arange(2000) % 2, None, seed), groups) > 20


def test_a_portion_that_would_end_inside_a_group_ends_with_it():
    groups = np.repeat([f"film {i}" for i in range(50)], 20)
    sizes = Portions.draw(np.arange(1000) // 20 % 2, groups, seed=0).sizes
    assert sizes == (20, 40, 80, 140, 260, 500, 1000)


def test_groups_of_one_row_each_are_no_groups():
    groups = np.array([f"film {i}" for i in range(300)])
    assert np.array_equal(Portions.draw(np.arange(300) % 2, groups, 1).order, Portions.draw(np.arange(300) % 2, None, 1).order)


def test_the_order_depends_on_the_seed_alone():
    assert np.array_equal(Portions.draw(np.arange(300) % 2, None, 1).order, Portions.draw(np.arange(300) % 2, None, 1).order)
    assert not np.array_equal(Portions.draw(np.arange(300) % 2, None, 1).order, Portions.draw(np.arange(300) % 2, None, 2).order)


@pytest.mark.parametrize("kind", OF_CLASSES)
def test_every_portion_has_the_probe_that_its_rows_alone_would_give(tiny_encoder, kind):
    values, labels = noise(240)
    groups = np.array([f"film {i % 120}" for i in range(240)])
    study = planted_study(tiny_encoder, values, labels, groups=groups, probe=kind, seed=3)
    found = portion_probes(study)
    assert found.portions.sizes == (16, 30, 60, 120, 240)
    for index, probe in enumerate(found.probes):
        rows = found.portions.rows(index)
        for layer in range(2):
            alone = PROBES[kind].fit(values[rows, layer], labels[rows], 2, groups[rows], 3)
            theirs, ours = alone.to_arrays(), probe.probes[layer].to_arrays()
            assert all(np.array_equal(theirs[name], ours[name]) for name in theirs)
    assert found.probes[-1] is study.layerwise


def test_a_portion_with_fewer_than_two_examples_of_a_class_has_no_probe_and_the_notes_say_so(tiny_encoder):
    values, labels = noise(400)
    labels[:], labels[:8] = 0, 1  # of eight, one is among the first 50 rows and two are among the first 100
    found = portion_probes(planted_study(tiny_encoder, values, labels))
    assert found.portions.sizes == (16, 25, 50, 100, 200, 400)
    assert [probe is None for probe in found.probes] == [True, True, True, False, False, False]
    assert [size for size, _ in found.fitted()] == [100, 200, 400]
    assert found.notes() == ["Portions without a probe, because a class has fewer than 2 examples there: 16, 25, 50 examples."]
    assert portion_probes(planted_study(tiny_encoder, *noise(400))).notes() == []


def test_rows_outside_a_portion_do_not_touch_its_probe(tiny_encoder):
    values, labels = noise(200)
    first = portion_probes(planted_study(tiny_encoder, values, labels))
    outside = first.portions.added(len(first.portions.sizes) - 1)
    values[outside] += 5
    second = portion_probes(planted_study(tiny_encoder, values, labels))
    for ours, theirs in zip(first.probes[:-1], second.probes[:-1], strict=True):
        assert all(np.array_equal(a.coef_, b.coef_) for a, b in zip(ours.probes, theirs.probes, strict=True))
    assert not np.array_equal(first.probes[-1].probes[0].coef_, second.probes[-1].probes[0].coef_)


def test_a_second_call_fits_nothing_and_gives_the_same_digits(tiny_encoder, tmp_path, monkeypatch):
    study = planted_study(tiny_encoder, *noise(200))
    fits = count_fits(monkeypatch)
    first = portion_probes(study, Cache(tmp_path))
    assert fits == [16, 25, 50, 100], "the study's own probes serve all of train"
    second = portion_probes(study, Cache(tmp_path))
    assert len(fits) == 4
    for ours, theirs in zip(first.probes, second.probes, strict=True):
        assert all(np.array_equal(a.coef_, b.coef_) for a, b in zip(ours.probes, theirs.probes, strict=True))


def test_without_a_cache_the_fits_live_as_long_as_their_study(tiny_encoder, monkeypatch):
    study = planted_study(tiny_encoder, *noise(200))
    fits = count_fits(monkeypatch)
    first, second = portion_probes(study), portion_probes(study)
    assert fits == [16, 25, 50, 100]
    assert all(ours is theirs for ours, theirs in zip(first.probes, second.probes, strict=True))
    portion_probes(planted_study(tiny_encoder, *noise(200, seed=1)))
    assert fits[4:] == [200, 16, 25, 50, 100], "another study has fits of its own"
    kept = weakref.ref(first.probes[0])
    del study, first, second
    gc.collect()
    assert kept() is None


def test_a_cancelled_run_goes_on_where_it_stopped(tiny_encoder, tmp_path, monkeypatch):
    study = planted_study(tiny_encoder, *noise(200))
    fits = count_fits(monkeypatch)

    def cancel(done, total):
        if done >= 60:
            raise CancelledError("not wanted any more")

    with pytest.raises(CancelledError, match="not wanted"):
        portion_probes(study, Cache(tmp_path), cancel)
    assert fits == [16, 25, 50]
    portion_probes(study, Cache(tmp_path))
    assert fits == [16, 25, 50, 50, 100]


def test_progress_never_falls_and_reaches_its_total(tiny_encoder, tmp_path):
    study = planted_study(tiny_encoder, *noise(200))
    for _ in range(2):
        heard: list[tuple[int, int]] = []
        portion_probes(study, Cache(tmp_path), lambda done, total: heard.append((done, total)))  # noqa: B023
        assert heard == sorted(heard)
        assert heard[0] == (0, 191) and heard[-1] == (191, 191)
