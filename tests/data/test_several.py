"""Labels of several values: every value asked by itself, one division for all, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest

from lit_probe.data import DatasetOptions, load_dataset, split_table
from lit_probe.data.asking import ask, ask_all, target_names
from lit_probe.errors import DatasetError

GENRES = ("comedy", "drama", "war")
MANY = DatasetOptions(label_column="genre", multilabel=True)


def rows(n=200):
    random = np.random.default_rng(0)
    sets = [[genre for genre in GENRES if random.random() < 0.4] for _ in range(n)]
    return {"text": [f"text {i} {' '.join(own)}".strip() for i, own in enumerate(sets)], "genre": sets}


def answers(splits):
    return {
        (text, target): bool(label)
        for target in splits.several
        for _, part in ask(splits, target).items()
        for text, label in zip(part.texts, part.labels.tolist(), strict=True)
    }


def test_lists_and_written_lists_say_the_same_and_every_value_is_asked_of_every_row(tmp_path):
    table = rows()
    written = {"text": table["text"], "genre": ["|".join(own) or None for own in table["genre"]]}
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps(dict(zip(table, one, strict=True))) + "\n" for one in zip(*table.values(), strict=True)), "utf-8"
    )
    lists = split_table(table, MANY)
    assert lists.several == ("genre:comedy", "genre:drama", "genre:war")
    expected = {(text, f"genre:{genre}"): genre in own for text, own in zip(*table.values(), strict=True) for genre in GENRES}
    assert answers(lists) == expected
    assert answers(load_dataset("jsonl", str(tmp_path / "a.jsonl"), MANY)) == expected
    some = {key: answer for key, answer in expected.items() if table["genre"][table["text"].index(key[0])]}
    assert answers(split_table(written, MANY)) == some
    assert [set(part.texts) for _, part in ask(lists, "genre:war").items()] == [set(part.texts) for _, part in lists.items()]


def test_every_split_has_the_values_in_proportion_and_a_rare_one_is_told():
    table = rows(400)
    table["genre"][0] = [*table["genre"][0], "western"]
    splits = split_table(table, MANY)
    assert any("genre that 10 rows do not have" in note and "western (1)" in note for note in splits.provenance["notes"])
    for target in splits.several:
        shares = [np.mean(part.labels) for _, part in ask(splits, target).items()]
        assert max(shares) - min(shares) < 0.12


def test_the_label_of_the_division_cannot_be_asked_for():
    splits = split_table(rows(), MANY)
    assert target_names(splits, ["columns"]) == list(splits.several)
    with pytest.raises(DatasetError, match="no target 'label'"):
        ask_all(splits, ["label"])


def test_missing_words_and_hidden_labels_leave_rows_out():
    table = rows()
    table["genre"][0], table["genre"][1], table["genre"][2] = ["unknown"], None, [-1]
    splits = split_table(table, DatasetOptions(label_column="genre", multilabel=True, missing=("unknown",)))
    assert sum(len(part) for _, part in splits.items()) == 197


@pytest.mark.parametrize(
    ("label", "options", "said"),
    [
        ([["a"]] * 60, {}, "no value of 'label' stands in 10 rows and is absent from as many"),
        ([[]] * 60, {}, "The values are: none"),
        ([[["a"]]] * 60, {}, "should hold one label per row"),
        ([{"a": 1}] * 60, {}, "should hold one label per row"),
        ([[f"v{i % 150}", f"v{(i + 1) % 150}"] for i in range(3000)], {}, "has 150 values"),
        ([["a"], ["b"]] * 30, {"target": "number"}, "classes, not numbers"),
        ([["a"], ["b"]] * 30, {"label_column": "genre"}, "no column 'genre'"),
    ],
)
def test_what_is_refused_is_told_in_one_sentence(label, options, said):
    table = {"text": [f"text {i}" for i in range(len(label))], "label": label}
    with pytest.raises(DatasetError, match=said):
        split_table(table, DatasetOptions(multilabel=True, **options))
