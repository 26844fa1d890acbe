"""Other questions to the same rows: columns, and what stands on the surface of a text."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lit_probe.data import DatasetOptions, load_dataset, split_table
from lit_probe.data.asking import Unasked, ask, ask_all, ask_which, question_of, target_names
from lit_probe.data.function_words import words_of
from lit_probe.data.labelled_texts import Splits, normalise_text
from lit_probe.data.surface import SURFACE
from lit_probe.errors import DatasetError


@pytest.fixture(scope="module")
def demo() -> Splits:
    return load_dataset("demo")


def table(n: int = 90, **columns) -> dict:
    rows = {"text": [f"a text of its own, number {row}" for row in range(n)], "label": [row % 2 for row in range(n)]}
    return {**rows, **columns}


def split(columns: dict) -> Splits:
    return split_table(columns, DatasetOptions(max_examples=0))


def test_a_column_becomes_the_label_of_the_same_rows(demo):
    asked = ask(demo, "domain")
    assert (asked.name, asked.label_names) == ("demo (domain)", ("film", "product"))
    for (_, one), (_, whole) in zip(asked.items(), demo.items(), strict=True):
        assert one.texts == whole.texts
        assert [one.label_names[label] for label in one.labels] == list(whole.columns["domain"])
        assert one.groups is not None and whole.groups is not None and one.groups.tolist() == whole.groups.tolist()
    assert asked.provenance["target"] == {"of": "demo", "name": "domain"}
    assert asked.provenance["sha256"] != demo.provenance["sha256"]
    assert not asked.provenance["numbered"]


def test_the_label_itself_is_a_target_with_the_same_hashes(demo):
    asked = ask(demo, "label")
    assert asked.label_names == demo.label_names
    assert asked.provenance["sha256"] == demo.provenance["sha256"]
    assert asked.provenance["numbered"]
    assert all((one.labels == whole.labels).all() for (_, one), (_, whole) in zip(asked.items(), demo.items(), strict=True))


def test_rows_without_a_value_are_left_out_and_counted():
    values = [("", "red", "blue")[row % 3] for row in range(90)]
    whole = split(table(colour=values))
    asked = ask(whole, "colour")
    kept = [len(rows) for _, rows in asked.items()]
    left = asked.provenance["dropped"]
    assert sum(kept) == 60
    assert sum(left[f"{name} rows without a value of colour"] for name, _ in asked.items()) == 30
    assert asked.asked_of is not None and asked.asked_of.splits is whole
    for name, rows in asked.items():
        before = dict(whole.items())[name]
        assert rows.texts == tuple(before.texts[row] for row in asked.asked_of.rows[name])
        assert "" not in rows.label_names


def test_numbers_in_a_column_are_classes_in_their_order():
    asked = ask(split(table(stars=[(1, 5, 10)[row % 3] for row in range(90)])), "stars")
    assert asked.label_names == ("1", "5", "10")


def test_the_order_of_the_rows_changes_nothing():
    columns = table(colour=[("", "red", "blue")[row % 3] for row in range(90)])
    order = np.random.default_rng(0).permutation(90)
    one, other = (ask(split(some), "colour") for some in (columns, {k: [v[i] for i in order] for k, v in columns.items()}))
    assert one.provenance["sha256"] == other.provenance["sha256"]
    assert one.train.texts == other.train.texts


def test_names_of_targets(demo):
    surface = [f"surface:{name}" for name in SURFACE]
    assert target_names(demo, ["columns"]) == ["label", "pair_id", "phenomenon", "domain"]
    assert target_names(demo, ["surface", "surface:question", "label", "label"]) == [*surface, "label"]
    for wrong in ("colour", "surface:colour", "", "Label"):
        with pytest.raises(
            DatasetError, match=r"has no target .* Choose of: label, pair_id, phenomenon, domain, surface:n_words"
        ):
            target_names(demo, [wrong])
    with pytest.raises(DatasetError, match="No target was named for demo"):
        target_names(demo, [])


def test_what_cannot_be_asked_is_told_beside_what_can(demo):
    found = ask_all(demo, ["domain", "pair_id", "surface:capital"])
    assert [isinstance(one, Unasked) for one in found] == [False, True, True]
    told = {one.target: one.error for one in found if isinstance(one, Unasked)}
    assert "548 classes for 1096 rows" in told["pair_id"]
    assert "all of its 1096 labelled rows are 'yes'" in told["surface:capital"]
    with pytest.raises(DatasetError, match="548 classes"):
        ask_all(demo, ["pair_id"])


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ([""] * 90, "it has no labelled row"),
        (["red"] * 90, "all of its 90 labelled rows are 'red'"),
        (["rare", *["red", "blue"] * 44, "red"], "class 'rare' has too few examples|dev has no row of class 'rare'"),
        ([[row % 2] for row in range(90)], "list"),
    ],
    ids=["empty", "constant", "rare", "lists"],
)
def test_a_column_that_cannot_be_probed_says_why(values, said):
    with pytest.raises(DatasetError, match=said):
        ask(split(table(colour=values)), "colour")


def labels(target: str, texts: list[str], dev: list[str] | None = None) -> list[str | None]:
    return list(SURFACE[target].labels({"train": texts, "dev": dev or texts})["train"])


def test_questions_negations_and_capitals():
    asks = ["Is it good?", "is it?  ", 'He asked: "Is it?"', "好吗？", "Is it? It is.", "", "(really?)"]
    assert labels("question", asks) == ["yes", "yes", "yes", "yes", "no", "no", "yes"]
    denies = ["It isn't good.", "not bad", "It is n't", "I canNOT say", "nothing happens", "a knot", "don’t", "notable", "", "NO"]
    assert labels("negation", denies) == ["yes", "yes", "yes", "yes", "yes", "no", "yes", "no", "no", "yes"]
    begins = ["A film", "a film", '"A film', "1 film", "Élan", "élan", "电影", "", "123", "ß", "ǅ"]
    assert labels("capital", begins) == ["yes", "no", "yes", "no", "yes", "no", None, None, None, "no", "yes"]


def test_lengths_are_six_classes_as_frequent_as_can_be_in_train():
    texts = ["word " * n for n in range(1, 61)]
    found = labels("n_words", texts)
    names = list(dict.fromkeys(found))
    assert len(names) == 6
    assert {found.count(name) for name in names} == {10}
    assert names[0] == "up to 10 words" and names[1] == "11 to 20 words" and names[-1] == "more than 50 words"
    lengths = SURFACE["n_words"].labels({"train": texts, "dev": ["word " * 200, ""], "test": []})
    assert lengths["dev"] == ["more than 50 words", "up to 10 words"] and lengths["test"] == []


@pytest.mark.parametrize("texts", [["one word"] * 40, ["word " * n for n in (1, 1, 1, 1, 1, 1, 9)], [""] * 3])
def test_lengths_of_equally_long_texts_are_fewer_classes(texts):
    assert len(set(labels("n_words", texts))) <= len({len(text.split()) for text in texts})


def test_the_word_content_is_one_of_ten_usual_words():
    words = [f"{chr(97 + i)}word" for i in range(12)]
    texts = [f"the {words[row % 12]} of {row}" for row in range(240)]
    found = labels("word_content", [*texts, "aword and bword", "the of"])
    assert set(found) == {*words[:10], None}
    assert found[-2:] == [None, None]
    only_in_train = SURFACE["word_content"].labels({"train": texts, "dev": ["the aword", "the bword"]})
    assert set(only_in_train["train"]) == {"aword", "bword", None}


def test_surfaces_of_pairs_read_both_texts():
    pairs = {
        "text_a": [f"Is it {row}?" if row % 2 else f"It is {row}." for row in range(90)],
        "text_b": [f"It is not {row}." if row % 3 else f"Yes, {row}." for row in range(90)],
        "label": [row % 2 for row in range(90)],
    }
    whole = split_table(pairs, DatasetOptions(max_examples=0, text_column=("text_a", "text_b")))
    for target in ("surface:question", "surface:negation"):
        assert ask(whole, target).label_names == ("no", "yes")


def test_words_that_a_text_holds_are_a_target(demo):
    asked = ask(demo, "holds:not|never|Not")
    assert (asked.name, asked.label_names) == ("demo (holds:never|not)", ("no", "yes"))
    for _, rows in asked.items():
        for text, label in zip(rows.texts, rows.labels, strict=True):
            held = {"not", "never"} & set(words_of(normalise_text(text)))
            assert asked.label_names[label] == ("yes" if held else "no")
    assert question_of("holds:never|not") == "does the text hold never or not?"


@pytest.mark.parametrize(
    ("target", "sentence"),
    [
        ("holds:", "names no word"),
        ("holds: | ", "names no word"),
        ("holds:two words", "is no single word"),
        ("holds:!", "is no single word"),
        ("holds:xylophonist", "No text of demo holds any of these words: xylophonist"),
    ],
)
def test_words_that_tell_nothing_apart_are_refused(demo, target, sentence):
    with pytest.raises(DatasetError, match=re.escape(sentence)):
        ask(demo, target)


def test_a_word_that_all_texts_hold_is_refused():
    with pytest.raises(DatasetError, match=r"Every text of .* holds any of these words: text"):
        ask(split(table()), "holds:text")


def picked_of(splits: Splits, column: str, values: tuple[str, str]) -> dict:
    parts = dict(splits.items())
    return {
        value: {name: np.flatnonzero(np.asarray(rows.columns[column]) == value).tolist() for name, rows in parts.items()}
        for value in values
    }


def test_two_selections_are_told_apart_in_the_same_division(demo):
    asked = ask_which(demo, picked_of(demo, "domain", ("film", "product")))
    same = ask(demo, "domain")
    assert asked.name == "demo (film against product)"
    assert asked.label_names == same.label_names
    for (name, one), (_, other) in zip(asked.items(), same.items(), strict=True):
        assert one.texts == other.texts
        assert (one.labels == other.labels).all()
        assert asked.provenance["target"]["picked"]["film"][name] == int((one.labels == 0).sum())


def test_rows_of_neither_selection_are_left_out(demo):
    picked = picked_of(demo, "domain", ("film", "product"))
    picked["film"]["train"] = picked["film"]["train"][:10]
    asked = ask_which(demo, picked)
    left = len(picked_of(demo, "domain", ("film", "product"))["film"]["train"]) - 10
    assert asked.provenance["dropped"]["train rows without a value of film against product"] == left
    assert len(asked.train) == len(demo.train) - left


def test_selections_that_cannot_be_told_apart_are_refused(demo):
    film, product = (picked_of(demo, "domain", ("film", "product"))[one] for one in ("film", "product"))
    with pytest.raises(DatasetError, match="One text is in one and in other"):
        ask_which(demo, {"one": film, "other": {**product, "dev": [*product["dev"], film["dev"][0]]}})
    with pytest.raises(DatasetError, match="texts are in one and in other"):
        ask_which(demo, {"one": film, "other": film})
    with pytest.raises(DatasetError, match="other holds no row of demo"):
        ask_which(demo, {"one": film, "other": {"train": [], "dev": []}})
    with pytest.raises(DatasetError, match=r"class 'other' has too few examples \(0 in train"):
        ask_which(demo, {"one": film, "other": {"train": [], "dev": product["dev"]}})
    with pytest.raises(DatasetError, match="dev has no row of class 'other'"):
        ask_which(demo, {"one": film, "other": {"train": product["train"], "dev": []}})
    for row in (-1, 10**6):
        with pytest.raises(DatasetError, match=f"other names row {row} of dev, which demo does not have"):
            ask_which(demo, {"one": film, "other": {**product, "dev": [row]}})
    with pytest.raises(DatasetError, match="other names row 0 of holdout"):
        ask_which(demo, {"one": film, "other": {**product, "holdout": [0]}})


def test_a_text_that_train_says_twice_is_no_common_text(demo):
    texts = [f"text number {row // 2 if row % 8 < 2 else row + 1000}" for row in range(240)]
    whole = split(table(240, text=texts, kind=["xy"[row // 2 % 2] for row in range(240)]))
    picked = picked_of(whole, "kind", ("x", "y"))
    for name in picked:
        picked[name]["train"] = [*picked[name]["train"], *picked[name]["train"][:3]]
    assert ask_which(whole, picked).label_names == ("x", "y")


def test_rows_of_one_text_in_both_selections_are_a_common_text():
    texts = [f"Text number {row // 2}" if row % 2 else f"text  number {row // 2}" for row in range(240)]
    whole = split(table(240, text=texts, label=[row // 2 % 2 for row in range(240)], kind=["xy"[row % 2] for row in range(240)]))
    seen = {name: [one.casefold().split() for one in rows.texts] for name, rows in whole.items()}
    twice = next(row for row, text in enumerate(seen["train"]) if seen["train"].count(text) > 1)
    both = [row for row, text in enumerate(seen["train"]) if text == seen["train"][twice]]
    rest = [row for row in range(len(whole.train)) if row not in both]
    with pytest.raises(DatasetError, match=r"(One text is|\d texts are) in a and in b"):
        ask_which(whole, {"a": {"train": [both[0], *rest[:3]], "dev": [0]}, "b": {"train": [both[1], *rest[3:6]], "dev": [1]}})
