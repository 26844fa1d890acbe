"""What layers make of edits: identical texts differ by nothing, planted words flip planted probes, many pairs are summed up."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.spatial.distance import cosine, mahalanobis
from sklearn.covariance import ledoit_wolf

from lit_probe.counterfactuals.moved_neurons import moved_neurons
from lit_probe.counterfactuals.over_pairs import over_groups, over_pairs, pairs_of
from lit_probe.counterfactuals.pair_changes import PairChanges, TrainGeometry, compare_pairs, trajectory
from lit_probe.data import split_texts
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import DatasetError, LitProbeError
from lit_probe.probing.probes.fitted import FittedProbe
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import LayerStudy, probe_layers


@pytest.fixture(scope="module")
def study(tiny_folder):
    """Probes of a tiny encoder for the word 'great' against 'awful'."""
    random = np.random.default_rng(0)
    words = "the a film plot story acting music slow fast is was very more".split()
    texts, labels = [], []
    for number in range(240):
        labels.append(number % 2)
        texts.append(" ".join([*random.choice(words, size=6), "great" if number % 2 else "awful"]))
    return probe_layers(load_encoder(str(tiny_folder())), split_texts(texts, labels, label_names=["negative", "positive"]))


@pytest.fixture(scope="module")
def geometry(study):
    return TrainGeometry(study)


def pooled(study, *texts):
    return extract_activations(study.encoder, texts, study.pooling)


def compared(study, geometry, originals, edits):
    return compare_pairs(study, pooled(study, *originals), pooled(study, *edits), geometry)


def test_identical_texts_differ_by_exactly_nothing(study, geometry):
    texts = ["the film is great", "", "awful music"]
    changes = compared(study, geometry, texts, texts)
    assert not changes.cosine.any()
    assert not changes.mahalanobis.any()
    assert not changes.flips.any()
    for pair in range(3):
        answer = trajectory(changes, pair, ("negative", "positive"), study.best_layer)
        assert answer.first_flip is None
        assert answer.flip_layers == ()
        assert all(row.margin_change == 0 and row.before == row.after for row in answer.layers)


def test_the_planted_word_flips_the_probes_and_another_word_does_not(study, geometry):
    changes = compared(study, geometry, ["the film is great", "the film is great"], ["the film is awful", "the story is great"])
    flipped = trajectory(changes, 0, ("negative", "positive"), study.best_layer)
    assert flipped.class_name == "positive"
    assert flipped.first_flip == 0
    assert flipped.flip_layers == (0, 1, 2, 3)
    for row in flipped.layers:
        assert row.margin_before > 0 > row.margin_after
        assert row.margin_change == pytest.approx(row.margin_after - row.margin_before)
        assert row.cosine > 0
        assert row.mahalanobis > 0
    assert trajectory(changes, 1, ("negative", "positive"), study.best_layer).flip_layers == ()


def test_numbers_are_those_of_the_probes_and_of_the_published_distances(study, geometry):
    originals, edits = pooled(study, "the film is great"), pooled(study, "slow plot, awful")
    changes = compare_pairs(study, originals, edits, geometry)
    rows = trajectory(changes, 0, ("negative", "positive"), study.best_layer).layers
    for layer, row in enumerate(rows):
        probe = study.layerwise.probes[layer]
        one, other = originals.layer(layer)[0].astype(float), edits.layer(layer)[0].astype(float)
        assert row.before == tuple(probe.predict_proba(one[None])[0])
        assert row.margin_after == pytest.approx(np.subtract(*probe.logits(other[None])[0][::-1]), rel=1e-9)
        assert row.cosine == pytest.approx(cosine(one, other), rel=1e-6)
        train = study.activations["train"].layer(layer).astype(float)
        scale = train.std(axis=0)
        covariance, _ = ledoit_wolf((train - train.mean(axis=0)) / scale, assume_centered=True)
        expected = mahalanobis(one / scale, other / scale, np.linalg.inv(covariance))
        assert row.mahalanobis == pytest.approx(expected, rel=1e-6)


def test_with_three_classes_margins_are_those_of_the_class_first_predicted():
    before = np.array([[[0.2, 0.5, 0.3]]])
    after = np.array([[[0.6, 0.1, 0.3]]])
    margins = [np.array([[[-1.0, 0.5, -0.5]]]), np.array([[[0.7, -1.8, -0.7]]])]
    changes = PairChanges(before, after, *margins, np.zeros((1, 1)), np.zeros((1, 1)))
    answer = trajectory(changes, 0, ("a", "b", "c"), 0)
    assert answer.class_name == "b"
    assert answer.layers[0].margin_before == 0.5
    assert answer.layers[0].margin_after == -1.8
    assert answer.first_flip == 0


def synthetic(right_before, right_after):
    """Changes of binary pairs whose labels go from 0 to 1, from which texts are predicted rightly."""
    n = len(right_before)
    before = np.where(np.array(right_before)[:, None, None], [[0.8, 0.2]], [[0.3, 0.7]]).reshape(n, 1, 2)
    after = np.where(np.array(right_after)[:, None, None], [[0.1, 0.9]], [[0.6, 0.4]]).reshape(n, 1, 2)
    zeros = np.zeros((n, 1))
    return PairChanges(before, after, before * 0, after * 0, zeros, zeros)


def test_many_pairs_are_summed_up_with_intervals():
    random = np.random.default_rng(0)
    right_before, right_after = random.random(200) < 0.9, random.random(200) < 0.8
    answer = over_pairs(synthetic(right_before, right_after), np.zeros(200, int), np.ones(200, int))
    row = answer.sums.layers[0]
    assert row.consistency == pytest.approx((right_before & right_after).mean())
    assert row.flip_rate == pytest.approx((right_before == right_after).mean())
    rises = np.where(right_after, 0.9, 0.4) - np.where(right_before, 0.2, 0.7)
    assert row.median_change == pytest.approx(np.median(rises))
    assert row.consistency_low < row.consistency < row.consistency_high
    assert answer.consistent == (tuple(right_before & right_after),)
    assert answer.sums.n == answer.sums.n_label_changes == 200
    assert answer.sums.reliable
    assert not over_pairs(synthetic([True] * 9, [True] * 9), np.zeros(9, int), np.ones(9, int)).sums.reliable


def test_pairs_of_one_group_give_no_interval_and_groups_widen_it():
    changes = synthetic([True, False] * 20, [True, False] * 20)
    labels = np.zeros(40, int), np.ones(40, int)
    alone = over_pairs(changes, *labels).sums.layers[0]
    grouped = over_pairs(changes, *labels, groups=np.repeat(np.arange(20), 2) % 4).sums.layers[0]
    single = over_pairs(changes, *labels, groups=["film"] * 40).sums.layers[0]
    assert grouped.consistency_high - grouped.consistency_low > alone.consistency_high - alone.consistency_low
    assert single.consistency_low is None
    assert single.median_change_low is None


def test_pairs_of_which_nothing_is_expected_count_in_the_flip_rate_alone():
    right = np.array([True] * 12 + [False] * 8)
    changes, labels = synthetic([True] * 20, right), (np.zeros(20, int), np.r_[np.ones(12, int), np.zeros(8, int)])
    answer = over_pairs(changes, *labels, judged=np.arange(20) < 12)
    row = answer.sums.layers[0]
    assert (answer.sums.n, answer.sums.n_judged, answer.sums.n_units, answer.sums.n_label_changes) == (20, 12, 12, 12)
    assert (row.consistency, row.flip_rate, row.median_change) == (1.0, 0.6, pytest.approx(0.7))
    assert answer.consistent == ((True,) * 12 + (None,) * 8,)
    alone = over_pairs(changes.select(range(12)), labels[0][:12], labels[1][:12]).sums.layers[0]
    for name in ("consistency_low", "consistency_high", "median_change_low", "median_change_high"):
        assert getattr(row, name) == getattr(alone, name)
    kinds = over_groups(changes, *labels, ["rule"] * 12 + ["by chance"] * 8, judged=np.arange(20) < 12)
    assert [(kind.sums.n, kind.sums.n_judged, kind.sums.reliable) for kind in kinds] == [(12, 12, True), (8, 0, False)]
    nothing = kinds[1].sums.layers[0]
    assert nothing.consistency is nothing.median_change is nothing.consistency_low is None
    assert nothing.flip_rate == 0.0 and nothing.flip_rate_high > 0


def test_independent_texts_are_counted_and_not_their_edits():
    changes, labels = synthetic([True] * 45, [True] * 45), (np.zeros(45, int), np.ones(45, int))
    answer = over_pairs(changes, *labels, groups=np.arange(45) // 5)
    assert (answer.sums.n, answer.sums.n_units, answer.sums.reliable) == (45, 9, False)
    assert over_pairs(changes, *labels, groups=np.arange(45) // 4).sums.reliable


@pytest.mark.parametrize(("n_texts", "given"), [(2, False), (3, False), (9, False), (10, True), (20, True)])
def test_the_interval_of_the_median_is_withheld_where_it_would_not_cover(n_texts, given):
    random, covered, n_sets = np.random.default_rng(2), 0, 150
    texts = np.repeat(np.arange(n_texts), 5)
    for _ in range(n_sets):
        rises = (0.3 + random.normal(0, 0.15, n_texts)[texts] + random.normal(0, 0.1, len(texts))).clip(-1, 1)
        after = np.stack([0.5 - rises / 2, 0.5 + rises / 2], axis=1)[:, None]
        before = np.stack([0.5 + rises / 2, 0.5 - rises / 2], axis=1)[:, None]
        zeros = np.zeros((len(texts), 1))
        labels = np.zeros(len(texts), int), np.ones(len(texts), int)
        row = over_pairs(PairChanges(before, after, before, after, zeros, zeros), *labels, groups=texts).sums.layers[0]
        assert (row.median_change_low is not None) == given
        if not given:
            return
        covered += row.median_change_low <= 0.3 <= row.median_change_high
    assert 0.88 <= covered / n_sets <= 0.99


@pytest.mark.parametrize("n", [40, 200])
def test_the_interval_of_the_median_change_covers_it(n):
    random, covered, n_sets = np.random.default_rng(1), 0, 200
    for _ in range(n_sets):
        rises = random.normal(0.3, 0.2, size=n).clip(-1, 1)
        before = np.stack([np.full((n, 1), 0.5), np.full((n, 1), 0.5)], axis=2)
        after = np.stack([0.5 - rises[:, None], 0.5 + rises[:, None]], axis=2)
        zeros = np.zeros((n, 1))
        row = over_pairs(PairChanges(before, after, before, after, zeros, zeros), np.zeros(n, int), np.ones(n, int)).sums.layers[
            0
        ]
        covered += row.median_change_low <= 0.3 <= row.median_change_high
    assert 0.9 <= covered / n_sets <= 0.99


def test_pairs_are_found_by_their_ids_and_the_rest_is_counted():
    pairs = pairs_of(["a", "b", "b", "a", None, "", "c", "d", "d", "d"])
    assert pairs.rows == ((0, 3), (1, 2))
    assert pairs.names == ("a", "b")
    assert "c): its partner is missing" in pairs.notes[0]
    assert "d): which is the edit" in pairs.notes[1]
    with pytest.raises(DatasetError, match=r"no id stands at exactly two rows.*partner"):
        pairs_of(["a", "b"])


def test_an_original_without_its_edit_is_refused(study, geometry):
    with pytest.raises(LitProbeError, match="2 originals and 1 edits"):
        compared(study, geometry, ["a film", "a plot"], ["a film"])


def test_a_layer_with_more_units_than_train_has_texts_has_distances_too(tiny_folder):
    texts = [
        "great film",
        "awful film",
        "great plot",
        "awful plot",
        "great music",
        "awful music",
        "great story",
        "awful story",
    ] * 3
    texts = [f"{text} {'very ' * (number // 8)}slow" for number, text in enumerate(texts)]
    small = probe_layers(load_encoder(str(tiny_folder())), split_texts(texts, [number % 2 for number in range(24)]))
    assert len(small.splits.train) < small.encoder.d_model
    changes = compared(small, TrainGeometry(small), ["great film"], ["awful film"])
    assert np.isfinite(changes.mahalanobis).all()
    assert (changes.mahalanobis > 0).all()


def test_the_usual_distance_is_that_of_two_train_texts(study, geometry):
    geometry.prepare()
    for layer in range(study.encoder.n_layers):
        rows = study.activations["train"].layer(layer).astype(float)
        drawn = np.random.default_rng(7).integers(len(rows), size=(300, 2))
        cosines = [cosine(rows[i], rows[j]) for i, j in drawn if i != j]
        usual = geometry.typical(layer)
        assert usual[0] == pytest.approx(np.median(cosines), rel=0.35)
        lengths = geometry.mahalanobis(layer, rows[drawn[:, 0]] - rows[drawn[:, 1]])
        assert usual[1] == pytest.approx(np.median(lengths), rel=0.25)


def test_pairs_of_each_kind_are_summed_up_by_themselves():
    right = [True] * 12 + [False] * 4
    changes = synthetic([True] * 16, right)
    labels = np.zeros(16, int), np.ones(16, int)
    kinds = over_groups(changes, *labels, ["plain"] * 12 + ["negation"] * 4)
    assert [(kind.value, kind.sums.n, kind.sums.layers[0].consistency) for kind in kinds] == [
        ("plain", 12, 1.0),
        ("negation", 4, 0.0),
    ]
    assert [kind.sums.reliable for kind in kinds] == [True, False]
    assert kinds[1].pairs == (12, 13, 14, 15)
    alone = over_pairs(changes.select([12, 13, 14, 15]), labels[0][12:], labels[1][12:])
    assert kinds[1].sums.layers == alone.sums.layers
    grouped = over_groups(changes, *labels, ["plain"] * 16, groups=["film"] * 16)
    assert grouped[0].sums.layers[0].consistency_low is None


def test_the_neurons_that_moved_a_linear_probe_add_up_to_its_change(study):
    originals, edits = pooled(study, "the film is great"), pooled(study, "the film is awful")
    for layer, probe in enumerate(study.layerwise.probes):
        before, after = originals.layer(layer)[0], edits.layer(layer)[0]
        found = moved_neurons(probe, before, after, 1, top=5)
        whole = moved_neurons(probe, before, after, 1, top=probe.d_model)
        margins = probe.logits([before, after]) @ [-1, 1]
        assert found.change == pytest.approx(margins[1] - margins[0])
        assert sum(one.moved for one in whole.neurons) == pytest.approx(found.change)
        assert whole.others == 0
        assert found.others + sum(one.moved for one in found.neurons) == pytest.approx(found.change)
        assert found.against == 0
        assert [one.unit for one in found.neurons] == [one.unit for one in whole.neurons[:5]]
        sizes = [abs(one.moved) for one in whole.neurons]
        assert sizes == sorted(sizes, reverse=True)
        first = found.neurons[0]
        assert first.weight == pytest.approx(probe.coef_[0, first.unit])
        assert first.change == pytest.approx((after - before)[first.unit] / probe.scale[first.unit], rel=1e-5)


def test_the_neurons_that_moved_a_probe_with_hidden_units_add_up_nearly():
    random = np.random.default_rng(3)
    layers = ((random.normal(size=(8, 6)), random.normal(size=8)), (random.normal(size=(3, 8)), random.normal(size=3)))
    probe = FittedProbe("mlp", np.arange(3), random.normal(size=6), random.uniform(0.5, 2, size=6), layers, True)
    before, after = random.normal(size=(2, 6))
    found = moved_neurons(probe, before, after, 0, top=6)
    logits = probe.logits([before, after])
    assert found.against == 1 + int(logits[1, 1:].argmax())
    assert found.change == pytest.approx(np.diff(logits[:, 0] - logits[:, found.against])[0])
    assert sum(one.moved for one in found.neurons) == pytest.approx(found.change, rel=0.05, abs=0.02)


def test_identical_texts_move_no_neuron(study):
    vector = pooled(study, "the film is great").layer(2)[0]
    found = moved_neurons(study.layerwise.probes[2], vector, vector, 0)
    assert found.change == 0
    assert all(one.moved == 0 for one in found.neurons)


def test_where_a_class_is_rare_an_edit_flips_where_its_adjusted_margin_crosses_zero(study, geometry):
    """Flips, margins, the followed class and consistency go by the study's decision rule."""
    rules = StudyRules(decision="prior")
    train = study.splits.train
    few = train.select([*np.flatnonzero(train.labels == 0)[:60], *np.flatnonzero(train.labels)[:5]])
    rare = LayerStudy(study.encoder, replace(study.splits, train=few), study.activations, study.layerwise, 0, rules)
    words = "great slow awful fast film".split()
    originals = [f"the {one} plot is {other}" for one in words for other in words]
    edits = [f"a {one} story, {other}" for one in words[::-1] for other in words]
    changes = compared(rare, geometry, originals, edits)
    assert changes.decision.shares == pytest.approx((60 / 65, 5 / 65))
    decided = [changes.decision.classes(probabilities) for probabilities in (changes.before, changes.after)]
    plain = [probabilities.argmax(axis=2) for probabilities in (changes.before, changes.after)]
    assert any((one != other).any() for one, other in zip(decided, plain, strict=True)), "the rule decides otherwise somewhere"
    for classes, margins in zip(decided, (changes.margins_before, changes.margins_after), strict=True):
        assert np.array_equal(margins.argmax(axis=2), classes)
        assert np.array_equal(margins[..., 1] > 0, classes == 1)
    assert np.array_equal(changes.flips, decided[0] != decided[1])
    found = over_pairs(changes, decided[0][:, 2], decided[1][:, 2])
    assert found.sums.layers[2].consistency == 1
    assert changes.select([3, 1]).decision == changes.decision
    assert trajectory(changes, 3, ("negative", "positive"), 2).class_index == decided[0][3, 2]
