import numpy as np
import pytest

from lit_probe.probing.probes.cross_validation import stratified_folds


def all_rows_once(folds, n_rows: int) -> bool:
    held = np.concatenate([held for _, held in folds.pairs])
    apart = all(not set(fitted) & set(held) and len(fitted) + len(held) == n_rows for fitted, held in folds.pairs)
    return apart and sorted(held) == list(range(n_rows))


def test_three_folds_hold_every_row_once_with_like_class_shares():
    labels = np.array([0] * 60 + [1] * 30)
    folds = stratified_folds(labels, None, seed=0)
    assert len(folds.pairs) == 3 and all_rows_once(folds, 90)
    assert [np.bincount(labels[held]).tolist() for _, held in folds.pairs] == [[20, 10]] * 3
    assert (folds.by, folds.note) == ("row", "")


def test_a_group_is_never_split():
    random = np.random.default_rng(0)
    labels, groups = random.integers(0, 2, 300), random.integers(0, 40, 300).astype(str)
    folds = stratified_folds(labels, groups, seed=0)
    assert folds.by == "group" and all_rows_once(folds, 300)
    assert all(not set(groups[fitted]) & set(groups[held]) for fitted, held in folds.pairs)


def test_the_seed_and_nothing_else_decides_the_folds():
    labels = np.arange(60) % 2
    held = [stratified_folds(labels, None, seed).pairs[0][1].tolist() for seed in (0, 0, 1)]
    assert held[0] == held[1] != held[2]


def test_two_examples_of_a_class_make_two_folds():
    folds = stratified_folds([0] * 10 + [1] * 2, None, seed=0)
    assert len(folds.pairs) == 2 and "2 examples of the rarest class" in folds.note


def test_groups_too_few_for_three_folds_make_two():
    labels = np.array([0, 1] * 20)
    folds = stratified_folds(labels, np.repeat(["a", "b"], 20), seed=0)
    assert (len(folds.pairs), folds.by) == (2, "group") and "hence 2" in folds.note


@pytest.mark.parametrize("groups", [["only"] * 40, ["a"] * 20 + ["b"] * 20], ids=["one group", "a group per class"])
def test_groups_that_would_take_a_class_away_give_way_to_rows_with_a_note(groups):
    labels = np.array([0] * 20 + [1] * 20)
    folds = stratified_folds(labels, groups, seed=0)
    assert (len(folds.pairs), folds.by) == (3, "row") and all_rows_once(folds, 40)
    assert "hence folds by row" in folds.note
