"""How the probes follow many edits: pairs of a data set, pairs edited on the page, and what is no pair."""

import time
from dataclasses import replace

import numpy as np
import pytest
from lit_nlp.api.dataset import Dataset, IndexedDataset
from lit_nlp.lib import serialize
from tiny_probing import LABELS, computed, edited, models_of

from lit_probe.counterfactuals.rules import CHANGE, UNKNOWN
from lit_probe.data.labelled_texts import LabelledTexts, Splits
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS

interpreter = INTERPRETERS["counterfactual_pairs"]
NOUNS = ("film", "movie", "story", "plot", "acting", "scene", "music", "ending")


def paired_splits(name="paired", label_names=LABELS):
    """Each sentence once with 'good' and once with 'awful'; every fourth pair is an edit that the label follows by 'not'."""
    texts, labels, ids, kinds = [], [], [], []
    for number in range(120):
        start = (
            f"the {NOUNS[number % 8]} {'was' if number % 3 else 'is'} {'very ' * (number // 8 % 5)}{'slow and ' * (number // 40)}"
        )
        kind = "negation" if number % 4 == 0 else "plain"
        other = "not good" if kind == "negation" else "awful"
        texts += [f"{start}good number {number}", f"{start}{other} number {number}"]
        labels += [1, 0]
        ids += [f"p{number}"] * 2
        kinds += [kind] * 2
    columns = {"pair_id": np.array(ids), "kind": np.array(kinds)}
    rows = LabelledTexts(tuple(texts), np.array(labels), tuple(label_names), np.array(ids), columns)
    return Splits(name, rows.select(range(120)), rows.select(range(120, 201)), rows.select(range(201, 240)), {"source": "tests"})


@pytest.fixture(scope="module")
def paired(encoder):
    (model,) = models_of([computed(encoder, paired_splits())])
    return model


@pytest.fixture(scope="module")
def rows(paired):
    return IndexedDataset(base=paired.dataset)


def run(model, dataset, inputs=(), **config):
    deadline = time.monotonic() + 60
    while (answer := interpreter.run(list(inputs), model, dataset, config=config))["status"] == "computing":
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def test_the_pairs_of_the_dev_rows_are_summed_up(paired, rows):
    answer = run(paired, rows)
    study = paired.study.result()
    assert answer["status"] == "ready" and answer["source"] == "dataset"
    assert answer["n"] == len(answer["pairs"]) == answer["n_label_changes"] == 40
    assert "1 id stands at one row alone" in answer["notes"][0], "the 81st row's partner is in test"
    predicted = study.probabilities("dev").argmax(axis=2)
    right = (predicted == study.splits.dev.labels[:, None])[:80].reshape(40, 2, -1).all(axis=1)
    assert np.array_equal(np.array(answer["consistent"]), right.T)
    for layer, row in enumerate(answer["layers"]):
        assert row["consistency"] == pytest.approx(right[:, layer].mean())
        assert row["consistency_low"] <= row["consistency"] <= row["consistency_high"]
        assert row["median_change_low"] <= row["median_change"] <= row["median_change_high"]
    assert answer["kinds"] == []


def test_a_pair_carries_the_ids_by_which_lit_selects_it(paired, rows):
    answer = run(paired, rows)
    by_id = {example["_id"]: example for example in rows.examples}
    for pair in answer["pairs"]:
        members = [by_id[id_] for id_ in pair["ids"]]
        assert [one["pair_id"] for one in members] == [pair["name"]] * 2
        assert [one["label"] for one in members] == pair["labels"]
        assert {one["probe_split"] for one in members} == {"dev"}


def test_kinds_of_edits_are_looked_at_by_themselves(paired, rows):
    answer = run(paired, rows, by="kind")
    assert [(kind["value"], kind["n"]) for kind in answer["kinds"]] == [("plain", 30), ("negation", 10)]
    for kind in answer["kinds"]:
        assert {answer["pairs"][place]["value"] for place in kind["pairs"]} == {kind["value"]}
        right = [all_pairs[place] for all_pairs in [answer["consistent"][2]] for place in kind["pairs"]]
        assert kind["layers"][2]["consistency"] == pytest.approx(np.mean(right))


def test_rows_that_lit_does_not_show_are_counted_but_cannot_be_selected(encoder):
    study = computed(encoder, paired_splits())
    (model,) = models_of([study], dataset=lambda splits: ProbeDataset(splits, max_shown=40))
    answer = run(model, IndexedDataset(base=model.dataset))
    assert answer["n"] == 40
    assert any(None in pair["ids"] for pair in answer["pairs"])
    assert any("cannot be selected" in note for note in answer["notes"])


def test_a_data_set_without_the_column_fails_with_a_sentence(paired, rows, model, dataset):
    answer = run(model, dataset)
    assert answer["status"] == "failed" and "no column 'pair_id'" in answer["message"] and "none beside" in answer["message"]
    answer = run(paired, rows, column="pairs")
    assert "no column 'pairs'" in answer["message"] and "pair_id, kind" in answer["message"]
    assert run(paired, rows, by="phenomenon")["status"] == "failed"
    assert "no rows" in run(model, Dataset())["message"]


def test_a_column_in_which_every_row_stands_alone_fails_with_a_sentence(encoder):
    splits = paired_splits()
    dev = splits.dev
    alone = replace(dev, columns={**dev.columns, "pair_id": np.arange(len(dev)).astype(str)})
    (model,) = models_of([computed(encoder, replace(splits, dev=alone))])
    answer = run(model, IndexedDataset(base=model.dataset))
    assert answer["status"] == "failed"
    assert "Among the dev rows of paired" in answer["message"] and "partners are missing" in answer["message"]


def test_labels_that_the_probes_do_not_know_fail_with_a_sentence(paired, encoder):
    other = ProbeDataset(paired_splits("other", ("bad", "good")))
    answer = run(paired, IndexedDataset(base=other))
    assert answer["status"] == "failed"
    assert "(bad, good) are not those that the probes tell apart (negative, positive)" in answer["message"]


def test_pairs_on_whose_texts_the_probes_were_trained_are_left_out(encoder):
    one, splits = paired_splits(), paired_splits("other")
    swapped = replace(splits, train=splits.dev, dev=splits.train)
    (model, _) = models_of([computed(encoder, one), computed(encoder, swapped)])
    other = IndexedDataset(base=ProbeDataset(swapped))
    answer = run(model, other)
    assert answer["status"] == "failed" and "know a text of every pair" in answer["message"]


def sent(rows, n=12):
    """Pairs as the page sends them: dev rows, each followed by its edit."""
    chosen = [row for row in rows.examples if row["probe_split"] == "dev" and row["label"] == "positive"][:n]
    return [[row, edited(row, text=row["text"].replace(" good ", " awful "), label="negative")] for row in chosen]


def test_edits_made_on_the_page_are_pairs_with_the_labels_they_have_there(paired, rows):
    pairs = sent(rows)
    answer = run(paired, rows, [example for pair in pairs for example in pair], source="sent", by="kind")
    assert answer["n"] == answer["n_label_changes"] == 12 and answer["reliable"]
    assert [pair["ids"][0] for pair in answer["pairs"]] == [pair[0]["_id"] for pair in pairs]
    predictions = INTERPRETERS["layer_predictions"]
    for place, pair in enumerate(pairs):
        before, after = (np.argmax(one["probabilities"], axis=1) for one in predictions.run(pair, paired, rows)["examples"])
        assert [layer[place] for layer in answer["consistent"]] == ((before == 1) & (after == 0)).tolist()
        assert [layer[place] for layer in answer["flipped"]] == (before != after).tolist()
    assert sum(kind["n"] for kind in answer["kinds"]) == 12
    assert any("no other score" in note for note in answer["notes"])


def test_edits_made_by_generators_are_told_apart_by_rule_or_generator(paired, rows):
    pairs = sent(rows, 5)
    pairs[0][1]["_meta"] |= {"source": "Negation and Contrast", "rule": "negation: is → is not", "expectation": CHANGE}
    for pair, word in zip(pairs[1:3], ("good → grand", "good → odd"), strict=True):
        pair[1]["_meta"] |= {"source": "Masked Words", "rule": word, "expectation": UNKNOWN}
    pairs[3][1]["_meta"] |= {"source": None, "rule": "good → dull", "expectation": UNKNOWN}
    answer = run(paired, rows, [example for pair in pairs for example in pair], source="sent", by="_rule")
    values = ["negation: is → is not", "Masked Words", "Masked Words", "good → dull", "by hand"]
    assert [pair["value"] for pair in answer["pairs"]] == values
    assert (answer["kinds"][0]["value"], answer["kinds"][0]["n"]) == ("Masked Words", 2)


def test_an_edit_of_which_nothing_is_expected_is_neither_right_nor_wrong(paired, rows):
    pairs = sent(rows, 4)
    for pair in pairs[:2]:
        pair[1]["_meta"] |= {"source": "HotFlip", "rule": "good → ugly", "expectation": UNKNOWN}
    # An edit by hand of such an edit: it is not known either what it starts from.
    pairs[2] = [pairs[0][1], pairs[2][1]]
    answer = run(paired, rows, [example for pair in pairs for example in pair], source="sent", by="_rule")
    assert (answer["n"], answer["n_judged"], answer["n_label_changes"]) == (4, 1, 1)
    assert [layer[:3] for layer in answer["consistent"]] == [[None] * 3] * answer["n_layers"]
    assert all(layer[3] is not None for layer in answer["consistent"])
    assert [row["flip_rate"] for row in answer["layers"]] == [np.mean(layer) for layer in answer["flipped"]]
    hotflip = next(kind for kind in answer["kinds"] if kind["value"] == "HotFlip")
    assert hotflip["n_judged"] == 0 and hotflip["layers"][0]["consistency"] is None


def test_edits_of_one_text_give_no_interval(paired, rows):
    [row, edit] = sent(rows, 1)[0]
    again = [row, edited(row, text=row["text"] + " and bad", label="negative")]
    answer = run(paired, rows, [row, edit, *again], source="sent")
    assert answer["n"] == 2 and not answer["reliable"]
    assert answer["layers"][0]["consistency_low"] is None


def test_empty_edits_and_unknown_labels_are_left_out_and_counted(paired, rows):
    [row, edit] = sent(rows, 1)[0]
    inputs = [row, edit, row, edited(row, text=" "), row, edited(row, text="a bad film", label="neutral")]
    answer = run(paired, rows, inputs, source="sent")
    assert answer["n"] == 1
    assert "1 of the pairs are left out: one of their texts is empty" in answer["notes"][0]
    assert "(negative, positive)" in answer["notes"][1]
    answer = run(paired, rows, inputs[2:], source="sent")
    assert answer["status"] == "failed" and "No pair can be looked at" in answer["message"]


def test_an_original_without_its_edit_fails_with_a_sentence(paired, rows):
    [row, edit] = sent(rows, 1)[0]
    assert "one lacks its partner" in run(paired, rows, [row, edit, row], source="sent")["message"]
    assert "no pair of an example and its edit yet" in run(paired, rows, [], source="sent")["message"]


def test_train_rows_among_the_originals_are_counted(paired, rows):
    row = next(row for row in rows.examples if row["probe_split"] == "train")
    answer = run(paired, rows, [row, edited(row, text="a bad film")], source="sent")
    assert any("originals of 1 of the pairs are train rows" in note for note in answer["notes"])


@pytest.mark.parametrize("config", [{"source": "x"}, {"column": 3}, {"by": None}, {"kind": "plain"}])
def test_a_question_that_cannot_be_understood_is_refused(paired, rows, config):
    with pytest.raises(LitProbeError):
        interpreter.run([], paired, rows, config=config)


def test_while_the_probes_are_in_the_making_it_says_how_far_they_are_and_a_computation_can_be_ended(encoder, paired, rows):
    (model,) = models_of([PendingStudy(encoder, paired_splits())])
    assert interpreter.run([], model, model.dataset)["status"] == "computing"
    assert interpreter.run([], paired, rows, config={"by": "kind", "cancel": True})["status"] in ("cancelled", "ready")
