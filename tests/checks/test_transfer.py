"""Transfer: what one data set's probes read off another's texts, with planted directions that are shared or turned around."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest

from lit_probe.checks.transfer import Transfer, TransferGroups, transfer, transfer_table, transfer_within_groups
from lit_probe.data import split_texts
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import ProbeError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.study import LayerStudy, probe_layers
from lit_probe.scores.decision import Decision
from lit_probe.scores.metrics import score_layers

SHARED, TURNED, ABSENT = 1, 2, 3


def planted_study(tiny_folder, name, *, sign=1, seed=0, label_names=("negative", "positive"), fingerprint="same", share=0.5):
    """Layer 1 holds the label in the same direction in every study, layer 2 in a direction times ``sign``, layer 3 nowhere."""
    n = 400
    labels = ["positive" if i < share * n else "negative" for i in range(n)]
    splits = split_texts([f"{name} text {i}" for i in range(n)], labels, name=name)
    splits = replace(splits, **{split: replace(rows, label_names=label_names) for split, rows in splits.items()})
    rng = np.random.default_rng(seed)
    activations = {}
    for split, rows in splits.items():
        values = rng.normal(size=(len(rows), 4, 8)).astype(np.float32)
        side = np.where(rows.labels == 1, 2.0, -2.0)
        values[:, SHARED, 0] += side
        values[:, TURNED, 0] += sign * side
        activations[split] = Activations.from_array(values, fingerprint=fingerprint)
    layerwise = LayerwiseProbe.fit(activations["train"], splits.train.labels, splits.label_names)
    return LayerStudy(load_encoder(str(tiny_folder())), splits, activations, layerwise, seed=0)


@pytest.fixture(scope="module")
def studies(tiny_folder):
    return [planted_study(tiny_folder, "films"), planted_study(tiny_folder, "books", sign=-1, seed=1)]


def test_a_shared_direction_transfers_a_turned_one_inverts_and_noise_does_neither(studies):
    result = transfer(studies)
    assert (result.train, result.test, result.metric) == (("films", "books"), ("films", "books"), "accuracy")
    layers = {layer.layer: layer for layer in result.layers}
    for here, there in ((0, 1), (1, 0)):
        assert layers[SHARED].low[here][there] > 0.9
        assert layers[TURNED].high[here][there] < 0.1
        assert layers[TURNED].low[here][here] > 0.9, "on its own data set the turned direction is found"
        assert layers[ABSENT].low[here][there] < 0.5 < layers[ABSENT].high[here][there]


def test_the_diagonal_holds_the_studies_own_scores(studies):
    result = transfer(studies)
    for column, study in enumerate(studies):
        dev = study.splits.dev
        scores = score_layers(study.headline, study.probabilities("dev"), dev.labels, dev.groups, study.seed)
        assert [layer.scores[column][column] for layer in result.layers] == [score.value for score in scores]
        assert [layer.high[column][column] for layer in result.layers] == [score.high for score in scores]
        assert result.n[column][column] == len(dev)
        assert result.left_out[column][column] == 0


def test_rows_are_train_sets_and_columns_dev_sets(studies):
    films, books = studies
    by_hand = films.layerwise.predict_proba(books.activations["dev"])[:, TURNED].argmax(axis=1) == books.splits.dev.labels
    assert transfer(studies).layers[TURNED].scores[0][1] == pytest.approx(by_hand.mean())


def test_dev_texts_that_the_other_probes_were_trained_on_are_left_out(studies):
    films, books = studies
    # Ten of the books' dev texts stand in the films' train rows, in capitals; there the films' probes would be sure to be right.
    seen = tuple(text.upper() for text in films.splits.train.texts[:10])
    dev = replace(books.splits.dev, texts=(*seen, *books.splits.dev.texts[10:]))
    overlapping = LayerStudy(books.encoder, replace(books.splits, dev=dev), books.activations, books.layerwise, seed=0)
    result = transfer([films, overlapping])
    assert result.left_out == ((0, 10), (0, 0))
    assert result.n == ((len(films.splits.dev), len(dev) - 10), (len(films.splits.dev), len(dev)))
    rest = books.splits.dev.select(range(10, len(dev)))
    scores = score_layers("accuracy", films.layerwise.predict_proba(books.activations["dev"])[10:], rest.labels)
    assert [layer.scores[0][1] for layer in result.layers] == [score.value for score in scores]


def test_a_cell_without_rows_says_so(studies):
    films = studies[0]
    same = replace(films.splits, name="copy", dev=films.splits.train.select(range(20)))
    values = Activations.from_array(films.activations["train"].values[:20], fingerprint="same")
    copy = LayerStudy(films.encoder, same, {**films.activations, "dev": values}, films.layerwise, seed=0)
    layer = transfer([films, copy]).layers[SHARED]
    assert layer.scores[0][1] is None
    assert layer.reasons[0][1] == "no rows"


def test_one_imbalanced_data_set_makes_every_cell_balanced_accuracy(tiny_folder, studies):
    rare = planted_study(tiny_folder, "rare", seed=2, share=0.2)
    assert (rare.headline, studies[0].headline) == ("balanced_accuracy", "accuracy")
    result = transfer([studies[0], rare])
    assert result.metric == "balanced_accuracy"
    assert "show balanced accuracy" in result.notes[0]
    dev = studies[0].splits.dev
    # Each probe is decided beside the shares of its own train rows, the balanced data set's too: one rule in one table.
    own = Decision.by("prior", studies[0].splits.train.labels, 2)
    scores = score_layers("balanced_accuracy", studies[0].probabilities("dev"), dev.labels, dev.groups, decision=own)
    assert [layer.scores[0][0] for layer in result.layers] == [score.value for score in scores]
    assert transfer(studies).notes == ()


def test_the_result_is_json_with_finite_numbers(studies):
    result = transfer(studies)
    assert Transfer.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result


@pytest.mark.parametrize(
    ("difference", "message"),
    [
        (
            {"label_names": ("bad", "good")},
            "between films and other: the classes of one are negative, positive, of the other bad",
        ),
        ({"fingerprint": "other"}, "the encoders tiny-bert and tiny-bert differ, or how they read texts does"),
    ],
)
def test_studies_that_cannot_be_compared_are_refused(tiny_folder, studies, difference, message):
    with pytest.raises(ProbeError, match=message):
        transfer([studies[0], planted_study(tiny_folder, "other", **difference)])


def test_another_pooling_is_refused_and_so_is_a_single_data_set(tiny_folder, studies):
    splits = studies[0].splits
    encoder = load_encoder(str(tiny_folder()))
    by_pooling = [probe_layers(encoder, splits, pooling=pooling, probe="majority") for pooling in ("mean", "max")]
    with pytest.raises(ProbeError, match="one is pooled by mean, the other by max"):
        transfer(by_pooling)
    with pytest.raises(ProbeError, match="two or more data sets"):
        transfer(studies[:1])


def test_three_data_sets_give_nine_cells(tiny_folder, studies):
    result = transfer([*studies, planted_study(tiny_folder, "songs", seed=3)])
    assert np.array(result.layers[0].scores).shape == (3, 3)
    assert np.array(result.n).shape == (3, 3)


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (0, 2, 1)])
def test_whatever_the_order_transfer_is_measured_among_those_with_the_same_classes(tiny_folder, studies, order):
    other = planted_study(tiny_folder, "other", label_names=("bad", "good"))
    every = [*studies, other]
    result = transfer_within_groups([every[index] for index in order])
    assert result.groups == (transfer(studies),)
    [note] = result.notes
    assert note.startswith("other stands alone: there is no transfer between other and films, because the classes of one are bad")


def test_two_groups_get_a_table_each_and_one_study_alone_gets_nothing(tiny_folder, studies):
    others = [planted_study(tiny_folder, name, label_names=("bad", "good")) for name in ("songs", "plays")]
    result = transfer_within_groups([studies[0], others[0], studies[1], others[1]])
    assert [group.train for group in result.groups] == [("films", "books"), ("songs", "plays")]
    assert result.notes == ()
    assert transfer_within_groups(studies[:1]) == TransferGroups((), ())


def test_a_group_that_cannot_be_computed_says_why_and_the_others_go_on(tiny_folder, studies):
    broken = [planted_study(tiny_folder, name, label_names=("bad", "good")) for name in ("songs", "plays")]
    # An encoder with one layer less than the probes know.
    thin = Activations.from_array(broken[0].activations["dev"].values[:, :3], fingerprint="same")
    broken[0].activations = {**broken[0].activations, "dev": thin}
    result = transfer_within_groups([*studies, *broken])
    assert result.groups[0] == transfer(studies)
    assert result.groups[1].datasets == ("songs", "plays") and "layer" in result.groups[1].error
    assert TransferGroups.from_json(json.loads(json.dumps(result.to_json(), allow_nan=False))) == result
    assert f"Transfer between songs, plays: {result.groups[1].error}" in transfer_table(result)


def test_the_table_has_a_line_per_layer_a_column_per_pair_and_marks_what_is_doubtful(studies):
    films = studies[0]
    few = replace(films.splits, name="few", dev=films.splits.dev.select(range(20)))
    values = Activations.from_array(films.activations["dev"].values[:20], fingerprint="same")
    result = transfer_within_groups(
        [films, LayerStudy(films.encoder, few, {**films.activations, "dev": values}, films.layerwise, 0)]
    )
    title, head, *lines, doubt = transfer_table(result).splitlines()
    assert title.startswith("Transfer, accuracy on dev")
    assert head.split("  ")[1:] == ["films -> films", "films -> few", "few -> films", "few -> few"]
    scores = result.groups[0].layers[SHARED].scores
    (own, to_few), (from_few, few_own) = scores
    assert lines[SHARED].split() == ["1", f"{own:.3f}", f"{to_few:.3f}?", f"{from_few:.3f}", f"{few_own:.3f}?"]
    assert len(lines) == 4 and doubt == "?: only 20 rows (fewer than 30)."
