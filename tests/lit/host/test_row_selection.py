import random

import numpy as np
import pytest
from tiny_probing import computed, edited, models_of, tiny_splits, with_foreign_rows

from lit_probe.data.labelled_texts import SPLIT_NAMES
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.row_selection import all_rows, select_rows


def texts_of(selection):
    return {split: rows.texts for split, rows in selection.by_split.items()}


def test_all_rows_are_sorted_into_their_splits_in_the_order_of_the_data_set(model, dataset):
    selection = select_rows(dataset.examples, model, model.dataset, SPLIT_NAMES)
    splits = model.dataset.splits
    assert list(selection.by_split) == ["train", "dev", "test"]
    assert texts_of(selection) == {name: list(rows.texts) for name, rows in splits.items() if name != "train"} | {
        "train": [splits.train.texts[i] for i in model.dataset.shown["train"]]
    }
    assert np.array_equal(selection.by_split["dev"].labels, splits.dev.labels)
    assert set(selection.left_out.values()) == {0}


def test_the_order_of_the_request_and_repeated_rows_change_nothing(model, dataset):
    shuffled = [*dataset.examples, *dataset.examples[:7]]
    random.Random(1).shuffle(shuffled)
    expected = select_rows(dataset.examples, model, model.dataset)
    found = select_rows(shuffled, model, model.dataset)
    assert texts_of(found) == texts_of(expected)
    for split, rows in found.by_split.items():
        assert [shuffled[index]["text"] for index in rows.indices] == rows.texts
        assert np.array_equal(rows.labels, expected.by_split[split].labels)


def test_edited_and_unlabelled_rows_are_counted_and_left_out(model, dataset):
    row = dict(dataset.examples[0])
    inputs = [
        row,
        edited(row, text="an edit"),
        edited(row),
        {**row, "text": "no label", "label": ""},
        {**row, "text": "unknown label", "label": "neutral"},
        {key: value for key, value in row.items() if key != "label"} | {"text": "missing label"},
        {**row, "text": "no split", "probe_split": "validation"},
    ]
    selection = select_rows(inputs, model, model.dataset)
    assert texts_of(selection) == {"dev": [row["text"]]}
    assert selection.left_out == {"edited": 2, "unlabelled": 4, "not_in_data": 0, "train": 0, "seen_in_training": 0}


def test_rows_of_another_data_set_that_the_probes_were_trained_on_are_left_out(model):
    trained_on = model.dataset.splits.train.texts
    shouted = [text.upper().replace(" ", "  ") for text in trained_on[:4]]
    near = [text.replace("the", "The very") for text in trained_on[6:9]]
    new = ["Snow fell all night.", "Who owns this bicycle?", "Bread costs two euros now", "7 + 5 = 12"]
    again, foreign = with_foreign_rows(model, [*shouted, *trained_on[4:6], *near, *new])
    for selection in (select_rows(foreign.examples, again, foreign, SPLIT_NAMES), all_rows(again, foreign, SPLIT_NAMES)):
        assert selection.left_out == {"edited": 0, "unlabelled": 0, "not_in_data": 0, "train": 0, "seen_in_training": 9}
        assert sorted(text for rows in selection.by_split.values() for text in rows.texts) == sorted(new)


def test_the_splits_of_ones_own_data_set_may_resemble_each_other(models):
    """They share no text, and near copies across them are a check of its own."""
    for model in models:
        again = ProbeDataset(model.dataset.splits)
        assert select_rows(again.examples, model, again, SPLIT_NAMES).left_out["seen_in_training"] == 0


def test_train_rows_are_left_out_and_counted_unless_they_are_asked_for(model, dataset):
    train = [example for example in dataset.examples if example["probe_split"] == "train"]
    selection = select_rows([*train, *train[:3]], model, model.dataset)
    assert selection.by_split == {} and selection.left_out["train"] == len(train)
    whole = select_rows(dataset.examples, model, model.dataset)
    assert list(whole.by_split) == ["dev", "test"] and whole.left_out["train"] == len(train)
    asked = select_rows(train, model, model.dataset, SPLIT_NAMES)
    assert list(asked.by_split) == ["train"] and set(asked.left_out.values()) == {0}


def test_one_number_is_about_dev_rows_and_about_test_rows_only_where_there_is_no_dev_row(model, dataset):
    of = {split: [row for row in dataset.examples if row["probe_split"] == split] for split in SPLIT_NAMES}
    assert select_rows(dataset.examples, model, model.dataset).reported.texts == [row["text"] for row in of["dev"]]
    without_dev = select_rows([*of["train"], *of["test"]], model, model.dataset)
    assert without_dev.reported.texts == [row["text"] for row in of["test"]]
    assert select_rows(of["train"], model, model.dataset).reported is None


def test_a_row_sent_in_full_is_scored_only_as_it_stands_in_the_data_set(model, dataset):
    row = {**dataset.examples[3], "_meta": {"added": None}}
    assert texts_of(select_rows([row], model, model.dataset)) == {"dev": [row["text"]]}
    flipped = "negative" if row["label"] == "positive" else "positive"
    forged = [
        {**row, "text": "zebra"},
        {**row, "label": flipped},
        {**row, "probe_split": "test"},
        {**row, "text": row["text"] + " "},
    ]
    without_meta = [{key: value for key, value in one.items() if not key.startswith("_")} for one in forged]
    for changed in (forged, without_meta):
        selection = select_rows([*changed, row], model, model.dataset)
        assert texts_of(selection) == {"dev": [row["text"]]}
        assert selection.left_out == {"edited": 4, "unlabelled": 0, "not_in_data": 0, "train": 0, "seen_in_training": 0}


def test_the_empty_data_set_has_no_rows(model, dataset):
    selection = select_rows(dataset.examples[:3], model, None)
    assert selection.by_split == {} and selection.left_out["edited"] == 3


def test_rows_that_are_not_shown_come_last_in_the_order_of_their_texts(encoder):
    study = computed(encoder, tiny_splits())
    (model,) = models_of([study], lambda splits: ProbeDataset(splits, max_shown=40))
    rows = study.splits.dev
    examples = [
        {"text": text, "label": rows.label_names[label], "probe_split": "dev"}
        for text, label in zip(rows.texts, rows.labels, strict=True)
    ]
    shown = [rows.texts[i] for i in model.dataset.shown["dev"]]
    assert 0 < len(shown) < len(rows)
    expected = shown + sorted(set(rows.texts) - set(shown))
    assert select_rows(examples[::-1], model, model.dataset).by_split["dev"].texts == expected


def test_only_the_wanted_splits_are_returned(model, dataset):
    assert set(select_rows(dataset.examples, model, model.dataset, splits=("test",)).by_split) == {"test"}


def test_groups_travel_with_their_rows(model, encoder):
    splits = tiny_splits(groups=lambda texts: np.array([f"film {text.split()[1]}" for text in texts]))
    (grouped,) = models_of([computed(encoder, splits)])
    rows = select_rows(grouped.dataset.examples, grouped, grouped.dataset).by_split["dev"]
    assert rows.groups.tolist() == [f"film {text.split()[1]}" for text in rows.texts]
    assert select_rows(model.dataset.examples, model, model.dataset).by_split["dev"].groups is None


def test_an_empty_selection_has_no_rows(model):
    assert select_rows([], model, model.dataset).by_split == {}


def test_an_example_without_text_is_refused(model):
    with pytest.raises(LitProbeError, match="string"):
        select_rows([{"label": "positive"}], model, model.dataset)
