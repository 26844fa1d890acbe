"""A rule asked of each word: what it holds of, both labels balanced, divisions that are kept, and what is refused."""

from __future__ import annotations

import re

import numpy as np
import pytest

from lit_probe import flags
from lit_probe.brackets import entries, options_of, without_options
from lit_probe.cli import main
from lit_probe.data import DatasetOptions, annotate, load_dataset, split_words
from lit_probe.data.word_rules import rule_of
from lit_probe.errors import DatasetError

TEXTS = [f"Ann saw {i} films, but \u0939\u093f\u0928\u094d\u0926\u0940 she did." for i in range(60)]


@pytest.fixture(autouse=True)
def no_flags():
    yield
    flags.FLAGS.unparse_flags()


def answers(splits):
    return {
        (text, word, tuple(span)): splits.label_names[label]
        for _, rows in splits.items()
        for text, word, span, label in zip(rows.texts, rows.words, rows.spans.tolist(), rows.labels.tolist(), strict=True)
    }


def holds(splits):
    return {word for (_, word, _), answer in answers(splits).items() if answer == "yes"}


def test_every_form_of_a_rule_says_the_same(tmp_path):
    file = tmp_path / "words.txt"
    file.write_text("Ann\nshe\tdid\n", "utf-8")
    found = [
        annotate(TEXTS, rule)
        for rule in (
            "regex:^(Ann|she|did)$",
            re.compile("^(Ann|she|did)$"),
            "words:Ann she did",
            f"words:{file}",
            ["Ann", "she", "did"],
            frozenset(["Ann", "she", "did"]),
            lambda word: word in ("Ann", "she", "did"),
        )
    ]
    assert holds(found[0]) == {"Ann", "she", "did"} and len(answers(found[0])) == 60 * 10
    assert all(answers(one) == answers(found[0]) for one in found)
    assert all(one.label_names == ("no", "yes") and one.unit == "word" for one in found)


def test_words_of_signs_marks_and_capitals():
    splits = annotate(TEXTS, r"regex:[^\W\d_]")
    assert holds(splits) == {"Ann", "saw", "films", "but", "\u0939\u093f\u0928\u094d\u0926\u0940", "she", "did"}
    assert "ann" not in holds(annotate(TEXTS, "words:ann she"))


def test_both_labels_are_equally_frequent_where_that_is_asked_and_all_texts_are_read():
    whole, half = annotate(TEXTS, "regex:^[A-Z]"), annotate(TEXTS, "regex:^[A-Z]", balanced=True)
    n_by_class = sum(np.bincount(rows.labels) for _, rows in half.items())
    assert n_by_class.tolist() == [60, 60] and sum(np.bincount(rows.labels) for _, rows in whole.items()).tolist() == [540, 60]
    assert {text for text, _, _ in answers(half)} == set(TEXTS) and answers(half).items() <= answers(whole).items()
    assert answers(annotate(TEXTS[::-1], "balanced:regex:^[A-Z]")) == answers(half)
    assert answers(annotate(TEXTS, "regex:^[A-Z]", balanced=True, seed=1)) != answers(half)


def test_a_data_set_keeps_its_division_and_its_groups():
    demo = load_dataset("demo")
    splits = annotate(demo, "regex:^[A-Z]")
    for (_, rows), (_, words) in zip(demo.items(), splits.items(), strict=True):
        assert set(rows.texts) == set(words.texts)
        group_of = dict(zip(rows.texts, rows.groups, strict=True))
        assert all(group_of[text] == group for text, group in zip(words.texts, words.groups, strict=True))
    assert splits.name == "demo-regex-A-Z" and splits.provenance["origin"]["annotate"] == "regex:^[A-Z]"
    again = load_dataset("demo", options=DatasetOptions(annotate="regex:^[A-Z]"))
    assert answers(again) == answers(splits)


def test_words_with_tags_get_other_ones_whatever_theirs_are(tmp_path):
    words = [["Ann", "sat", str(i)] for i in range(60)]
    tagged = split_words(words, [["X", "Y", None]] * 60)
    assert len(answers(annotate(tagged, "words:Ann"))) == 120  # a word without a tag is no row of a data set
    file = tmp_path / "a.conll"
    file.write_text("".join("".join(f"{word} X\n" for word in one) + "\n" for one in words), "utf-8")
    splits = load_dataset("conll", str(file), DatasetOptions(annotate="words:Ann"))
    assert len(answers(splits)) == 180 and holds(splits) == {"Ann"}
    assert answers(annotate(words, "words:Ann")) == answers(splits)


def test_a_rule_stands_on_the_command_line_with_brackets_and_commas_of_its_own():
    rule = "regex:^[A-Z,]{1,2}|^[a-c]"
    for given in ([f"--datasets=demo[annotate={rule}]"], ["--datasets=demo", f"--annotate={rule}"]):
        flags.FLAGS.unparse_flags()
        flags.FLAGS(["lit-probe", *given])
        [splits] = flags.load_splits()
        assert splits.provenance["origin"]["annotate"] == rule


@pytest.mark.parametrize(
    ("flag", "parts", "options"),
    [
        ("csv=a[x=[A,B],y=1],demo", ["csv=a[x=[A,B],y=1]", "demo"], [("x", "[A,B]"), ("y", "1")]),
        ("csv=a[y=1,x=[A]],demo", ["csv=a[y=1,x=[A]]", "demo"], [("y", "1"), ("x", "[A]")]),
        ("csv=a[b,c=d[x=1]", ["csv=a[b", "c=d[x=1]"], []),
        ("csv=a]b[x={1,2}]", ["csv=a]b[x={1,2}]"], [("x", "{1,2}")]),
        ("csv=a[],b", ["csv=a[]", "b"], [("", "")]),
    ],
)
def test_brackets_within_brackets_belong_to_the_value(flag, parts, options):
    assert entries(flag, lambda entry: "") == parts
    assert (options_of(parts[0]) == options and not options) or without_options(parts[0]) in ("csv=a", "csv=a]b")


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ("regex:never", r"holds of none of the 600 words"),
        ("regex:.", r"holds of all of the 600 words"),
        ("regex:(", "no regular expression"),
        ("words:", "names no word"),
        ("words:/nowhere/a.txt", "There is no file '/nowhere/a.txt' of words"),
        ("^[A-Z]", r"Write regex:PATTERN, words:FILE"),
        ([], "names no word"),
        ([7], "It is"),
        (7, "It is 7"),
        ("words:zebra", "holds of none"),
        (lambda word: word == "0", "only 'no' is"),
    ],
)
def test_what_is_refused_is_told_in_one_sentence(rule, said):
    with pytest.raises(DatasetError, match=said):
        annotate(TEXTS, rule)


@pytest.mark.parametrize("data", ["a text", [1, 2], [None]])
def test_what_is_no_list_of_texts_is_refused(data):
    with pytest.raises(DatasetError, match="takes a list of texts"):
        annotate(data, "regex:x")


def test_no_texts_and_pairs_are_refused(tmp_path):
    with pytest.raises(DatasetError, match="holds of none of the 0 words"):
        annotate([], "regex:x")
    table = {"a": [f"one {i}" for i in range(40)], "b": [f"two {i}" for i in range(40)], "label": [0, 1] * 20}
    with pytest.raises(DatasetError, match="are pairs"):
        load_dataset(table, options=DatasetOptions(text_column=("a", "b"), annotate="regex:o"))


def test_the_command_line_says_so_in_one_line(capsys):
    assert main(["lit-probe", "layers", "--datasets=demo", "--annotate=regex:zzz"]) == 1
    assert "holds of none" in capsys.readouterr().err
    assert main(["lit-probe", "layers", "--datasets=demo", "--annotate=zzz"]) == 1
    assert "'zzz' is no rule for --annotate." in capsys.readouterr().err


def test_a_list_of_words_longer_than_the_name_of_a_file_is_a_list():
    words = [f"word{number}" for number in range(200)]
    rule = rule_of(f"words:{' '.join(words)}")
    assert rule.holds("word199") and not rule.holds("word200")
