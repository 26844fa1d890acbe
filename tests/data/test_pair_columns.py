"""Two columns of a table as pairs: how they are named, what is refused, and that nothing else changes."""

from __future__ import annotations

import pytest
from nli_rows import nli_rows, write_nli_table

from lit_probe import DatasetOptions, load_dataset, split_texts
from lit_probe.data import parse_dataset_flag
from lit_probe.data.labelled_texts import Splits, normalise_text
from lit_probe.data.text_pairs import is_pair, joined, segments
from lit_probe.errors import DatasetError

COLUMNS = {name: [row[name] for row in nli_rows()] for name in ("premise", "hypothesis", "label", "genre")}


def all_pairs(splits: Splits) -> set[tuple[str, ...]]:
    return {segments(text) for _, rows in splits.items() for text in rows.texts}


@pytest.mark.parametrize(
    "word", ["premise,hypothesis", "premise+hypothesis", " premise , hypothesis ", ("premise", "hypothesis")]
)
def test_two_columns_make_pairs(word):
    splits = load_dataset(COLUMNS, options=DatasetOptions(text_column=word))
    assert splits.pair == ("premise", "hypothesis")
    assert all_pairs(splits) == set(zip(COLUMNS["premise"], COLUMNS["hypothesis"], strict=True))
    assert list(splits.train.columns) == ["genre"]
    assert splits.provenance["origin"]["text_column"] == "premise+hypothesis"


def test_the_order_of_the_columns_is_the_order_of_the_texts():
    splits = load_dataset(COLUMNS, options=DatasetOptions(text_column="hypothesis,premise"))
    assert splits.pair == ("hypothesis", "premise")
    assert all_pairs(splits) == set(zip(COLUMNS["hypothesis"], COLUMNS["premise"], strict=True))


@pytest.mark.parametrize("form", ["csv", "in brackets"])
def test_a_file_is_read_by_the_flag_and_by_brackets(form, tmp_path):
    path = write_nli_table(tmp_path / "nli.csv")
    if form == "csv":
        splits = load_dataset("csv", str(path), DatasetOptions(text_column="premise,hypothesis"))
    else:
        [(name, source, own)] = parse_dataset_flag(f"csv={path}[text=premise+hypothesis,group=premise]")
        splits = load_dataset(name, source, DatasetOptions(**own))
        premises = [{segments(text)[0] for text in rows.texts} for _, rows in splits.items()]
        assert not premises[0] & premises[1] | premises[0] & premises[2] | premises[1] & premises[2]
    assert splits.pair == ("premise", "hypothesis")


def test_a_column_that_is_called_like_two_is_one():
    table = {"a,b": [f"film {i}" for i in range(40)], "a": ["x"] * 40, "b": ["y"] * 40, "label": ["yes", "no"] * 20}
    splits = load_dataset(table, options=DatasetOptions(text_column="a,b"))
    assert splits.pair is None and not any(map(is_pair, splits.train.texts))


def test_columns_with_signs_in_their_names_make_pairs():
    table = {"a+b": COLUMNS["premise"], "c, d": COLUMNS["hypothesis"], "label": COLUMNS["label"]}
    for word in ("a+b,c, d", "a+b+c, d", ("a+b", "c, d")):
        assert load_dataset(table, options=DatasetOptions(text_column=word)).pair == ("a+b", "c, d")


@pytest.mark.parametrize(
    ("word", "told"),
    [
        ("premise,hypo", "has no column 'hypo'. Its columns are: premise, hypothesis, label, genre."),
        ("prem,hypothesis", "has no column 'prem'"),
        ("premise,premise", "names the column 'premise' twice. A pair needs two different columns."),
        ("premise,hypothesis,genre", "names 3 columns: premise, hypothesis, genre. Name one, or the two of a pair."),
        (("premise", "hypothesis", "genre"), "names 3 columns"),
        ((), "names no column"),
        ("premise,label", "The column 'label' cannot be both text and label."),
    ],
)
def test_what_makes_no_pair_gets_one_sentence(word, told):
    with pytest.raises(DatasetError) as error:
        load_dataset(COLUMNS, options=DatasetOptions(text_column=word))
    assert told in str(error.value)


@pytest.mark.parametrize("name", ["demo", "sst2", "sst2_sentences", "imdb"])
def test_a_source_without_columns_takes_no_pair(name):
    with pytest.raises(DatasetError, match="does not use the option text_column"):
        load_dataset(name, options=DatasetOptions(text_column="premise,hypothesis"))


def test_brackets_say_how_a_pair_is_written():
    with pytest.raises(DatasetError, match=r"joined by a plus sign: text=premise\+hypothesis"):
        parse_dataset_flag("csv=nli.csv[text=premise,hypothesis]")


@pytest.mark.parametrize("empty", ["", "  ", None, "\u200b", "\x1f"])
@pytest.mark.parametrize("column", ["premise", "hypothesis"])
def test_a_row_with_one_empty_text_is_left_out_and_counted(column, empty):
    table = {**COLUMNS, column: [empty, *COLUMNS[column][1:]]}
    splits = load_dataset(table, options=DatasetOptions(text_column="premise,hypothesis"))
    assert splits.provenance["dropped"] == {"without text": 1}
    assert all(all(parts) for parts in all_pairs(splits))


def test_the_sign_of_a_seam_in_somebodys_columns_makes_no_other_pair():
    table = {**COLUMNS, "premise": [f"{text}\x1fmore" for text in COLUMNS["premise"]]}
    splits = load_dataset(table, options=DatasetOptions(text_column="premise,hypothesis"))
    assert all_pairs(splits) == {(f"{a} more", b) for a, b in zip(COLUMNS["premise"], COLUMNS["hypothesis"], strict=True)}
    numbered = {"text": [f"{text}\x1f{row}" for row, text in enumerate(COLUMNS["premise"])], "label": COLUMNS["label"]}
    assert not any(is_pair(text) for _, rows in load_dataset(numbered).items() for text in rows.texts)


def test_pairs_of_python_are_the_pairs_of_a_table():
    pairs = list(zip(COLUMNS["premise"], COLUMNS["hypothesis"], strict=True))
    ours = split_texts(pairs, COLUMNS["label"])
    table = load_dataset(COLUMNS, options=DatasetOptions(text_column="premise,hypothesis"))
    assert ours.pair == ("first", "second")
    assert ours.train.texts == table.train.texts and ours.test.texts == table.test.texts


def test_pairs_among_single_texts_are_refused():
    with pytest.raises(DatasetError, match=r"Text 2 is two texts where text 1 is one\. Give pairs in all rows, or in none\."):
        split_texts(["good", ("good", "bad"), "bad", "fine"] * 5, ["a", "b"] * 10)


def test_the_same_pair_never_stands_in_two_splits_and_a_swap_is_another():
    table = {name: values * 2 for name, values in COLUMNS.items()}
    splits = load_dataset(table, options=DatasetOptions(text_column="premise,hypothesis"))
    texts = [set(rows.texts) for _, rows in splits.items()]
    assert not texts[0] & texts[1] | texts[0] & texts[2] | texts[1] & texts[2]
    assert joined("a", "b") != joined("b", "a")


def test_the_same_words_parted_elsewhere_are_another_pair():
    first, second, labels = [], [], []
    for row in range(40):
        first += [f"new {row}", f"new {row} york", f"NEW {row}  york"]
        second += ["york city", "city", "City"]
        labels += ["a", "b", "b"]
    splits = split_texts(list(zip(first, second, strict=True)), labels)
    assert not any("two labels" in reason for reason in splits.provenance["dropped"])
    label_of = dict(zip(zip(first, second, strict=True), labels, strict=True))
    for _, rows in splits.items():
        said = [rows.label_names[label] for label in rows.labels]
        assert said == [label_of[segments(text)] for text in rows.texts]
    compared = [{normalise_text(text) for text in rows.texts} for _, rows in splits.items()]
    assert sum(map(len, compared)) == len(set.union(*compared)) == 80


def test_splits_with_their_texts_in_other_columns_are_refused():
    train = {"a,b": COLUMNS["premise"], "label": COLUMNS["label"]}
    test = {"a": COLUMNS["premise"], "b": COLUMNS["hypothesis"], "label": COLUMNS["label"]}
    with pytest.raises(DatasetError, match="has its texts in different columns in its splits: a\\+b and a,b"):
        load_dataset({"train": train, "test": test}, options=DatasetOptions(text_column="a,b"))


def test_the_provenance_names_both_columns_of_pairs_and_of_single_texts_nothing():
    pairs = load_dataset(COLUMNS, options=DatasetOptions(text_column="premise,hypothesis"))
    assert pairs.provenance["pair"] == ["premise", "hypothesis"]
    assert "pair" not in load_dataset("demo").provenance
