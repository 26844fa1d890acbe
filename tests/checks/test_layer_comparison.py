"""Comparing layers: p-values by hand and in simulation, and what choosing the best layer adds to its score."""

from __future__ import annotations

import json
from dataclasses import replace
from itertools import combinations
from types import SimpleNamespace

import numpy as np
import pytest
from scipy.stats import binomtest, norm
from simulated_layers import graded, simulated, study_of
from sklearn.metrics import balanced_accuracy_score, roc_auc_score

from lit_probe.checks.layer_comparison import (
    LayerComparison,
    PairedScores,
    compare_layers,
    compare_two_layers,
    defined_scores,
    difference_p,
    holm,
    mcnemar_p,
    optimism,
    score_draws,
)
from lit_probe.encoder.activations import Activations
from lit_probe.errors import DatasetError, UnknownNameError
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy
from lit_probe.scores.intervals import bootstrap_weights, percentile_interval
from lit_probe.scores.scored_rows import ScoredRows


def test_layers_as_different_as_day_and_night_are_told_apart_and_equal_ones_are_not():
    result = compare_layers(simulated([0.6, 0.9, 0.89, 0.7], n=400))
    assert result.best_layer == 1 and result.metric == "accuracy" and result.significance_test == "mcnemar"
    assert [row.indistinguishable for row in result.layers] == [False, True, True, False]
    assert [row.layer for row in result.layers] == [0, 1, 2, 3]
    for row in result.layers:
        if row.layer != 1:
            assert row.low <= row.difference <= row.high and row.difference <= 0
            assert row.p_holm >= row.p_mcnemar


def test_the_row_of_the_best_layer_holds_no_test_against_itself():
    best = compare_layers(simulated([0.6, 0.9])).layers[1]
    assert best.difference == 0 and best.indistinguishable
    assert [getattr(best, key) for key in ("low", "high", "p_bootstrap", "p_mcnemar", "p_holm")] == [None] * 5


def test_layers_that_give_the_same_answers_are_indistinguishable_and_have_no_interval():
    study = simulated([0.8, 0.8], shared=1.0)
    row = compare_layers(study).layers[1]
    assert (row.difference, row.low, row.p_bootstrap, row.p_mcnemar, row.p_holm) == (0, None, 1, 1, 1)


def test_any_two_layers_can_be_compared_and_the_order_turns_the_sign():
    study = simulated([0.6, 0.9, 0.7], n=400)
    one, other = compare_two_layers(study, 2, 0), compare_two_layers(study, 0, 2)
    right = study.probabilities("dev").argmax(axis=2) == study.splits.dev.labels[:, None]
    assert one.difference == pytest.approx(right[:, 2].mean() - right[:, 0].mean())
    assert (one.difference, one.low, one.high) == pytest.approx((-other.difference, -other.high, -other.low))
    assert (one.p_mcnemar, one.p_bootstrap) == pytest.approx((other.p_mcnemar, other.p_bootstrap))
    with pytest.raises(UnknownNameError, match=r"Unknown layer 3. tiny-bert has layers 0 \(embeddings\) to 2\."):
        compare_two_layers(study, 0, 3)


def test_the_difference_is_paired_so_what_layers_have_in_common_cancels():
    paired = compare_two_layers(simulated([0.8, 0.8], shared=0.9), 0, 1)
    apart = compare_two_layers(simulated([0.8, 0.8]), 0, 1)
    assert paired.high - paired.low < 0.5 * (apart.high - apart.low)


@pytest.mark.parametrize("positive", [0.5, 0.25])
def test_the_interval_of_a_difference_covers_the_truth(positive):
    held = []
    for seed in range(20):
        scores = PairedScores.of(simulated([0.85, *[0.8] * 20], seed, n=300, shared=0.5, positive=positive))
        for layer in range(1, 21):
            compared = scores.compare(0, layer)
            held.append(compared.low <= 0.05 <= compared.high)
    # Half of the rows are shared: right at both layers with 0.8, at the better one alone with 0.05.
    assert 0.92 <= np.mean(held) <= 0.98


@pytest.mark.parametrize("n", [872, 200])
@pytest.mark.parametrize(("p", "other"), [(0.65, 0.6), (0.85, 0.8), (0.95, 0.9)])
def test_the_interval_of_a_difference_covers_the_truth_in_93_to_97_percent_of_draws(n, p, other):
    random = np.random.default_rng(n)
    # As if 1,500 data sets were layers: in half of the rows both probes are right or wrong for the same reason.
    ease, alone = random.random((2, n, 1500))
    pair = [ease < p, np.where(random.random((n, 1500)) < 0.5, ease, alone) < other]
    rows = [ScoredRows(np.eye(2)[right.astype(int)], np.ones(n, dtype=int)) for right in pair]
    draws = score_draws("accuracy", rows[0]) - score_draws("accuracy", rows[1])
    values = [one - two for one, two in zip(*(defined_scores("accuracy", one) for one in rows), strict=True)]
    intervals = [percentile_interval(*of_set) for of_set in zip(draws, values, strict=True)]
    assert 0.93 <= np.mean([low <= p - other <= high for low, high in intervals]) <= 0.97


def test_draws_equal_scores_of_the_resampled_rows():
    random = np.random.default_rng(0)
    labels, groups = (random.random(120) < 0.3).astype(np.int64), np.arange(120) // 3
    rows = ScoredRows(random.dirichlet((1, 1), (120, 4)), labels, groups, seed=5)
    picks = next(bootstrap_weights(40, 5))[:20]
    probabilities = rows.probabilities.round(1)  # ties
    rows = ScoredRows(probabilities, labels, groups, seed=5)
    for name in ("accuracy", "balanced_accuracy", "auroc"):
        draws = score_draws(name, rows)
        for draw, weights in enumerate(picks):
            drawn = np.repeat(np.arange(120), weights[groups].astype(int))
            for layer in range(4):
                answers, gold = rows.predicted[layer, drawn], labels[drawn]
                by_hand = {
                    "accuracy": np.mean(answers == gold),
                    "balanced_accuracy": balanced_accuracy_score(gold, answers),
                    "auroc": roc_auc_score(gold, probabilities[drawn, layer, 1]),
                }
                assert draws[layer, draw] == pytest.approx(by_hand[name])


def test_a_resample_without_a_class_averages_over_the_classes_it_has():
    rows = ScoredRows(np.eye(2)[[0, 0, 1]][:, None], [0, 0, 1], seed=0)
    assert np.array_equal(score_draws("balanced_accuracy", rows), np.ones((1, 1000)))
    # There are no pairs to rank then, and the area says nothing.
    assert set(score_draws("auroc", rows)[0]) == {0.5, 1.0}


def test_the_draws_of_an_area_of_three_classes_are_means_over_the_classes():
    random = np.random.default_rng(0)
    labels = random.integers(0, 3, 90)
    rows = ScoredRows(random.dirichlet((1, 1, 1), (90, 2)), labels, seed=2)
    weights = next(bootstrap_weights(90, 2))[7]
    drawn = np.repeat(np.arange(90), weights.astype(int))
    areas = [roc_auc_score(labels[drawn] == c, rows.probabilities[drawn, 1, c]) for c in range(3)]
    assert score_draws("auroc", rows)[1, 7] == pytest.approx(np.mean(areas))


def test_layers_can_be_compared_by_auroc():
    study = graded([1.0, 2.5, 2.4], n=300)
    by_area = LayerStudy(
        study.encoder, study.splits, study.activations, study.layerwise, 0, StudyRules(headline="auroc", layer_choice="headline")
    )
    result = compare_layers(by_area)
    best, scores = by_area.best_layer, by_area.metrics("dev").scores["auroc"]
    assert (result.metric, result.significance_test) == ("auroc", "bootstrap")
    assert best == max(range(3), key=lambda layer: scores[layer].value) and best > 0
    assert result.layers[0].p_holm < 0.01 and result.layers[3 - best].indistinguishable
    assert result.layers[0].difference == pytest.approx(scores[0].value - scores[best].value)


@pytest.mark.parametrize(("b", "c"), [(1, 0), (0, 6), (9, 1), (5, 5), (40, 22), (200, 260)])
def test_mcnemar_is_the_exact_binomial_less_half_of_the_observed_outcomes(b, c):
    least = min(b, c)
    of_outcome = binomtest(least, b + c, alternative="less").pvalue
    of_outcome -= binomtest(least - 1, b + c, alternative="less").pvalue if least else 0
    expected = binomtest(least, b + c).pvalue - of_outcome if b != c else 1.0
    assert mcnemar_p(b, c) == mcnemar_p(c, b) == pytest.approx(expected)


def test_layers_that_are_never_right_alone_do_not_differ():
    assert mcnemar_p(0, 0) == 1.0


def test_the_bootstrap_and_mcnemar_agree_on_independent_rows():
    for seed, better in enumerate((0.8, 0.83, 0.86, 0.89)):
        compared = compare_two_layers(simulated([0.8, better], seed, n=872), 0, 1)
        assert compared.p_bootstrap == pytest.approx(compared.p_mcnemar, rel=0.3, abs=0.01)


def test_p_values_of_equal_layers_are_uniform_and_small_when_layers_differ():
    equal = [PairedScores.of(simulated([0.8] * 2, seed)) for seed in range(300)]
    for p_values in ([getattr(one.compare(0, 1), name) for one in equal] for name in ("p_bootstrap", "p_mcnemar")):
        assert 0.02 <= np.mean(np.array(p_values) < 0.05) <= 0.08
        assert 0.4 <= np.mean(p_values) <= 0.6
    unequal = [PairedScores.of(simulated([0.7, 0.85], seed)) for seed in range(50)]
    assert np.mean([one.p_value(0, 1) < 0.05 for one in unequal]) > 0.8


def test_units_that_all_agree_are_a_sign_test():
    assert difference_p(1.0, np.ones(1000), 5) == 2 * 0.5**5
    assert difference_p(1.0, np.ones(1000), 1) == 1.0
    assert difference_p(0.0, np.zeros(1000), 50) == 1.0


def test_few_units_make_p_values_larger():
    draws = np.random.default_rng(0).normal(0.1, 0.05, 1000)
    assert difference_p(0.1, draws, 5) > 2 * difference_p(0.1, draws, 500)


def test_holm_multiplies_by_what_is_left_and_never_steps_back():
    assert holm([0.005, 0.02, 0.011, 0.9]) == pytest.approx([0.02, 0.04, 0.033, 0.9])
    assert holm([0.04, 0.03, 0.5]) == pytest.approx([0.09, 0.09, 0.5])
    assert holm([0.3, 0.4, 0.9, 0.5]) == [1.0, 1.0, 1.0, 1.0]
    assert holm([]) == []


@pytest.mark.parametrize("positive", [0.5, 0.3])
def test_among_equal_layers_a_difference_from_the_best_is_found_in_at_most_5_percent_of_data_sets(positive):
    found, found_naively = [], []
    for seed in range(120):
        study = simulated([0.8] * 7, seed, positive=positive)
        found.append(not all(row.indistinguishable for row in compare_layers(study).layers))
        scores = PairedScores.of(study)
        against_best = [scores.p_value(layer, study.best_layer) for layer in range(7) if layer != study.best_layer]
        found_naively.append(min(holm(against_best)) < 0.05)
    assert study.headline == ("accuracy" if positive == 0.5 else "balanced_accuracy")
    assert np.mean(found) <= 0.05
    # The sanity twin: the best layer is the best of these rows, and a correction that forgets this finds too much.
    assert np.mean(found_naively) > 0.07


def test_the_correction_runs_over_all_pairs_of_layers():
    study = simulated([0.6, 0.9, 0.85, 0.7], n=400)
    scores = PairedScores.of(study)
    pairs = list(combinations(range(4), 2))
    adjusted = dict(zip(pairs, holm([scores.p_value(*pair) for pair in pairs]), strict=True))
    result = compare_layers(study)
    assert [row.p_holm for row in result.layers] == [adjusted[0, 1], None, adjusted[1, 2], adjusted[1, 3]]
    assert "all 6 pairs of layers" in result.notes[0]


def test_an_imbalanced_task_is_compared_by_the_bootstrap_of_balanced_accuracy():
    study = simulated([0.6, 0.9], n=400, positive=0.2)
    result = compare_layers(study)
    row = result.layers[0]
    assert result.metric == "balanced_accuracy" and result.significance_test == "bootstrap"
    answers = study.probabilities("dev").argmax(axis=2)
    by_hand = [balanced_accuracy_score(study.splits.dev.labels, answers[:, layer]) for layer in (0, 1)]
    assert row.difference == pytest.approx(by_hand[0] - by_hand[1])
    assert row.p_mcnemar is None and row.p_bootstrap < 0.001 and not row.indistinguishable


def test_rows_in_groups_are_compared_by_the_bootstrap_of_groups():
    study = simulated([0.75, 0.85], n=100)
    # Five copies of every row: as many groups, not more information.
    copies = np.repeat(np.arange(100), 5)
    right = study.probabilities("dev").argmax(axis=2) == study.splits.dev.labels[:, None]
    answers, labels = (
        {name: right[copies] for name in ("dev", "test")},
        {name: study.splits.dev.labels[copies] for name in ("dev", "test")},
    )
    grouped = compare_layers(study_of(answers, labels, copies.astype(str)))
    alone, copied = compare_layers(study).layers[0], compare_layers(study_of(answers, labels)).layers[0]
    row = grouped.layers[0]
    assert grouped.significance_test == "bootstrap" and row.p_mcnemar is None and "rows in groups" in grouped.notes[1]
    assert row.p_bootstrap == pytest.approx(alone.p_bootstrap, rel=0.1)
    assert copied.p_bootstrap < 0.1 * row.p_bootstrap
    assert row.high - row.low == pytest.approx(alone.high - alone.low, rel=0.1)


def test_on_equal_layers_the_nested_test_score_is_unbiased_and_the_dev_score_is_not():
    chosen = [optimism(simulated([0.8] * 7, seed)) for seed in range(250)]

    def errors_off(name: str, truth: float) -> float:
        values = [getattr(one, name) for one in chosen]
        return float((np.mean(values) - truth) / (np.std(values, ddof=1) / np.sqrt(len(values))))

    assert abs(errors_off("test", 0.8)) <= 2
    # The sanity twin: the score by which the layer was chosen is better than the truth.
    assert errors_off("dev", 0.8) > 10
    assert errors_off("optimism", 0) > 10


def test_choosing_by_log_loss_among_equals_flatters_the_dev_score_less():
    """Seven equal layers with accuracy 0.79, 150 rows, 300 draws: dev is 0.036 too good by the best score, 0.029 by the default,
    and test is unbiased by both (standard error 0.0016)."""
    truth = float(norm.cdf(0.8))
    off = {}
    for rule in ("headline", "one_se"):
        chosen = [optimism(graded([1.6] * 7, seed, layer_choice=rule)) for seed in range(300)]
        off[rule] = np.mean([one.dev for one in chosen]) - truth
        on_test = np.array([one.test for one in chosen]) - truth
        assert abs(on_test.mean()) <= 2 * on_test.std() / np.sqrt(300)
    assert 0.02 < off["one_se"] < off["headline"] - 0.003


def test_one_layer_alone_is_not_chosen_and_so_not_optimistic():
    differences = [optimism(simulated([0.8], seed)) for seed in range(150)]
    off = np.mean([one.optimism for one in differences])
    assert abs(off) <= 2 * np.std([one.optimism for one in differences]) / np.sqrt(150)
    # Dev and test are independent here, and the interval of the difference covers 0 as often as it should.
    assert 0.91 <= np.mean([one.low <= 0 <= one.high for one in differences]) <= 0.99


def test_the_optimism_is_that_of_the_scores_shown_with_both_intervals():
    study = simulated([0.7, 0.8, 0.75])
    one, tested = compare_layers(study).optimism, study.test_metrics()
    shown = study.metrics("dev").scores["accuracy"][study.best_layer]
    score = tested.scores["accuracy"]
    assert one.layer == study.best_layer == tested.layer
    assert (one.dev, one.dev_low, one.dev_high) == (shown.value, shown.low, shown.high)
    assert (one.test, one.test_low, one.test_high) == (score.value, score.low, score.high)
    assert one.optimism == one.dev - one.test
    assert one.low < one.optimism < one.high


def test_an_empty_test_split_leaves_the_optimism_open():
    study = simulated([0.7, 0.8])
    empty = {"dev": study.activations["dev"], "train": study.activations["train"]}
    empty["test"] = Activations.from_array(np.zeros((0, 2, 1), np.float32))
    splits = replace(study.splits, test=study.splits.test.select([]))
    one = optimism(LayerStudy(SimpleNamespace(name="tiny-bert", at_sites=False), splits, empty, study.layerwise, 0))
    assert one.dev is not None
    assert [getattr(one, key) for key in ("test", "test_low", "optimism", "low", "high")] == [None] * 5


def test_a_dev_split_of_one_group_has_no_interval_and_says_so():
    study = simulated([0.6, 0.9], n=100)
    right = {
        name: study.probabilities(name).argmax(axis=2) == getattr(study.splits, name).labels[:, None] for name in ("dev", "test")
    }
    labels = {name: getattr(study.splits, name).labels for name in ("dev", "test")}
    result = compare_layers(study_of(right, labels, np.array(["one film"] * 100)))
    row = result.layers[0]
    assert (row.low, row.high, row.p_bootstrap, row.indistinguishable) == (None, None, 1, True)
    assert (result.reliable, result.reason) == (False, "dev has rows of only 1 group (fewer than 10)")
    assert result.notes[0] == "Not to be relied on: dev has rows of only 1 group (fewer than 10)."
    choice = result.optimism
    assert choice.optimism is not None and (choice.low, choice.high, choice.reliable) == (None, None, False)
    assert "no interval: all its rows belong to one or two groups" in choice.reason


def test_few_dev_rows_are_said_to_tell_little_and_by_the_name_of_their_class():
    enough = compare_layers(simulated([0.6, 0.9], n=200))
    assert (enough.reliable, enough.reason, enough.optimism.reason) == (True, "", "")
    few = compare_layers(simulated([0.6, 0.9], n=20))
    assert few.reason == "dev has only 20 rows (fewer than 30)" and few.notes[0].startswith(
        "Not to be relied on: dev has only 20"
    )
    rare = simulated([0.6, 0.9], n=100, positive=0.05)
    choice = optimism(rare)
    lack = "only 5 rows of 'positive' (fewer than 10)"
    assert (choice.reliable, choice.reason) == (False, f"dev: {lack}; test: {lack}")
    assert f"Optimism of the choice: {choice.reason}." in compare_layers(rare).notes
    assert compare_two_layers(rare, 0, 1).reason == f"dev has {lack}"
    assert not compare_two_layers(rare, 0, 1).reliable


def test_of_test_nothing_but_its_one_score_is_read():
    study, other = simulated([0.7, 0.8]), simulated([0.7, 0.8], seed=1)
    splits = replace(study.splits, test=other.splits.test)
    changed = LayerStudy(
        SimpleNamespace(name="tiny-bert", at_sites=False),
        splits,
        {**study.activations, "test": other.activations["test"]},
        study.layerwise,
        0,
    )
    before, after = compare_layers(study), compare_layers(changed)
    assert before.optimism != after.optimism
    assert replace(before, optimism=after.optimism) == after


def test_the_answer_is_json_with_finite_numbers():
    result = compare_layers(simulated([0.7, 0.8, 1.0]))
    assert LayerComparison.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


def test_one_layer_alone_cannot_be_compared():
    with pytest.raises(DatasetError, match="one layer only"):
        compare_layers(simulated([0.8]))
