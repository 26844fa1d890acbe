"""Several concepts of the same rows by layers."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
from counted import count_forwards

from lit_probe.data import DatasetOptions, split_table
from lit_probe.data.asking import Unasked, ask, ask_all
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.errors import DatasetError, UnservedError
from lit_probe.probing.concept_map import ConceptCell, ConceptMap, concept_map, concept_maps, probe_values
from lit_probe.probing.study import probe_layers
from lit_probe.scores.metrics import Score


@pytest.fixture(scope="module")
def splits():
    rng = np.random.default_rng(0)
    words = np.array("the film plot cast ending music a of it was".split())
    rows = [(" ".join(rng.choice(words, rng.integers(3, 9))), row) for row in range(160)]
    feeling = ["good" if row % 2 else "dull" for row in range(160)]
    table = {
        "text": [f"{text} {feeling[row]} {row}" for text, row in rows],
        "label": feeling,
        "noise": rng.choice(["red", "blue"], 160).tolist(),
        "half": ["" if row % 4 < 2 else feeling[row] for row in range(160)],
        "name": [f"row {row}" for row in range(160)],
    }
    return split_table(table, DatasetOptions(max_examples=0))


TARGETS = ("label", "noise", "half", "name")


@pytest.fixture(scope="module")
def encoder(tiny_folder) -> Encoder:
    return load_encoder(str(tiny_folder()))


@pytest.fixture(scope="module")
def studies(encoder, splits):
    return [probe_layers(encoder, one) for one in ask_all(splits, TARGETS) if not isinstance(one, Unasked)]


@pytest.fixture(scope="module")
def made(studies, splits) -> ConceptMap:
    return concept_map(studies, [one for one in ask_all(splits, TARGETS) if isinstance(one, Unasked)])


def test_each_row_equals_its_single_run_to_the_last_digit(made, encoder, splits):
    for row in made.rows:
        alone = probe_layers(encoder, ask(splits, row.target))
        scores = alone.metrics("dev").scores[alone.headline]
        assert [(cell.score, cell.low, cell.high) for cell in row.cells] == [(one.value, one.low, one.high) for one in scores]
        assert (row.best_layer, row.headline) == (alone.best_layer, alone.headline)
        assert row.test == alone.test_metrics().scores[alone.headline]


def test_the_row_of_the_label_equals_the_run_without_targets(made, encoder, splits):
    plain = probe_layers(encoder, splits)
    [row] = [row for row in made.rows if row.target == "label"]
    assert [cell.score for cell in row.cells] == [one.value for one in plain.metrics("dev").scores[plain.headline]]


def test_rows_stand_in_the_order_of_their_chosen_layers(made):
    assert [row.best_layer for row in made.rows] == sorted(row.best_layer for row in made.rows)
    assert {row.target for row in made.rows} == {"label", "noise", "half"}
    [unasked] = made.unasked
    assert unasked.target == "name" and "classes for" in unasked.error


def test_a_planted_concept_is_far_above_its_baseline_and_noise_is_not(made):
    above = {row.target: max(cell.above or 0 for cell in row.cells) for row in made.rows}
    assert above["label"] > 0.9 and above["half"] > 0.9
    assert abs(above["noise"]) < 0.5


@pytest.mark.parametrize(
    ("score", "baseline", "above"),
    [((0.9, 0.8, 0.95), 0.5, (0.8, 0.6, 0.9)), ((0.4, 0.3, 0.5), 0.5, (-0.2, -0.4, 0.0)), ((1.0, 1.0, 1.0), 1.0, (None,) * 3)],
)
def test_above_is_the_share_of_the_way_from_the_baseline_to_one(score, baseline, above):
    cell = ConceptCell.of(2, Score(*score, 100, True), baseline)
    found = (cell.above, cell.above_low, cell.above_high)
    assert found == (None,) * 3 if above[0] is None else found == pytest.approx(above)


def test_a_score_that_is_not_defined_has_no_share():
    cell = ConceptCell.of(0, Score(None, None, None, 0, False, "no rows"), 0.5)
    assert (cell.score, cell.above, cell.above_low, cell.reason) == (None, None, None, "no rows")


def test_the_map_goes_through_json_and_into_a_table(made):
    assert ConceptMap.from_json(json.loads(json.dumps(made.to_json(), allow_nan=False))) == made
    rows = made.flat_rows()
    assert len(rows) == 3 * len(made.layer_names)
    assert sum(row["chosen"] for row in rows) == 3
    printed = made.table()
    assert all(row.target in printed for row in made.rows)
    assert printed.count("[") == 3
    assert "Not asked: name. " in printed


@pytest.mark.parametrize("kept", [True, False], ids=["with a cache", "without"])
def test_one_pass_over_the_texts_serves_all_targets(tiny_folder, splits, tmp_path, kept):
    encoder, cache = load_encoder(str(tiny_folder())), Cache(tmp_path if kept else None)
    passes = count_forwards(encoder)
    first = probe_layers(encoder, ask(splits, "half"), cache=cache)
    once = len(passes)
    assert once
    others = [probe_layers(encoder, ask(splits, target), cache=cache) for target in ("label", "noise")]
    assert len(passes) == once
    assert len(first.activations["train"]) < len(others[0].activations["train"])


def test_rows_that_are_taken_out_are_those_of_the_whole(encoder, splits):
    whole, part = probe_layers(encoder, splits), probe_layers(encoder, ask(splits, "half"))
    assert part.splits.asked_of is not None
    for name, rows in part.splits.asked_of.rows.items():
        for layer in range(encoder.n_layers):
            expected = whole.activations[name].layer(layer)[rows]
            np.testing.assert_array_equal(part.activations[name].layer(layer), expected)
        assert part.activations[name].truncated.tolist() == whole.activations[name].truncated[rows].tolist()


def test_data_sets_have_a_map_each_and_own_labels_none(encoder, splits):
    other = replace(splits, name="other")
    asked = [ask(splits, "label"), ask(other, "noise"), ask(other, "label")]
    maps = concept_maps([probe_layers(encoder, one) for one in (*asked, replace(splits, name="plain"))])
    assert [(one.dataset, len(one.rows)) for one in maps] == [(splits.name, 1), ("other", 2)]


@pytest.fixture(scope="module")
def values():
    rng = np.random.default_rng(2)
    sets = [[word for word in ("film", "plot", "music") if rng.random() < 0.4] for _ in range(240)]
    texts = [f"the {' '.join(own)} was {row}" for row, own in enumerate(sets)]
    return split_table({"text": texts, "label": sets}, DatasetOptions(multilabel=True), name="films")


def test_values_of_a_label_are_probed_by_one_pass_and_scored_together(values, tiny_folder):
    encoder = load_encoder(str(tiny_folder()), device="cpu")
    passes = count_forwards(encoder)
    found = probe_values(encoder, values, pooling="mean")
    once = len(passes)
    alone = probe_layers(encoder, ask(values, "label:plot"), pooling="mean")
    assert once and len(passes) == 2 * once
    assert {row.target for row in found.rows} == {"label:film", "label:plot", "label:music"}
    [plot] = [row for row in found.rows if row.target == "label:plot"]
    assert [cell.score for cell in plot.cells] == [score.value for score in alone.dev_scores(alone.probabilities("dev"))]
    dev, test = found.joint
    assert (dev.split, test.split, dev.n) == ("dev", "test", len(values.dev))
    assert dev.micro_f1.value > 0.9 > dev.subset_baseline and "macro F1" in found.table()
    assert ConceptMap.from_json(json.loads(json.dumps(found.to_json()))) == found


def test_the_joint_scores_are_those_of_the_answers_at_the_chosen_layers(values, tiny_folder):
    encoder, cache = load_encoder(str(tiny_folder()), device="cpu"), Cache(None)
    studies = [probe_layers(encoder, ask(values, name), cache=cache) for name in values.several]
    made = concept_map(studies)
    says = np.stack([one.decision.classes(one.probabilities("test"))[:, one.best_layer] for one in studies], axis=1)
    is_so = np.stack([one.splits.test.labels for one in studies], axis=1)
    assert made.joint[1].subset_accuracy.value == (says == is_so).all(axis=1).mean()
    assert concept_map(studies[:1]).joint[0].targets == (values.several[0],)


def test_what_has_one_label_per_row_refuses_several_values_and_the_other_way_round(values, splits, encoder):
    with pytest.raises(UnservedError, match="has several values, and each is asked for by itself"):
        probe_layers(encoder, values)
    with pytest.raises(DatasetError, match="have one value each"):
        probe_values(encoder, splits)
    assert concept_map([probe_layers(encoder, ask(splits, "label"))]).joint is None
