"""Copies across splits: planted ones are found, others are not, and checkpoints tuned on the labels are named."""

from __future__ import annotations

import json
import re
import time
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from planted_copies import sentences, vocabulary

from lit_probe.checks import leakage
from lit_probe.checks.leakage import NearDuplicates, circularity, near_duplicates
from lit_probe.checks.near_copies import Copy
from lit_probe.data import load_dataset
from lit_probe.data.labelled_texts import LabelledTexts, Splits, normalise_text
from lit_probe.data.options import DatasetOptions
from lit_probe.encoder.checkpoint import Checkpoint

N_PLANTED = 50


def splits_of(train: list[str], dev: list[str], test: list[str]) -> Splits:
    def rows(texts: list[str]) -> LabelledTexts:
        return LabelledTexts(tuple(texts), np.arange(len(texts)) % 2, ("negative", "positive"))

    return Splits("made", rows(train), rows(dev), rows(test))


def edited(text: str, kind: int) -> str:
    """The text as people copy it: a word replaced, left out or added, or only signs and case changed."""
    words = text.split()
    middle = len(words) // 2
    return [
        " ".join([*words[:middle], "otherwise", *words[middle + 1 :]]),
        " ".join([*words[:middle], *words[middle + 1 :]]),
        " ".join([*words, "indeed"]),
        ", ".join(words).upper() + "!",
        " ".join([*words[middle:], *words[:middle]]),
    ][kind % 5]


@pytest.fixture(scope="module")
def unrelated() -> Splits:
    return splits_of(sentences(2_000, 1), sentences(400, 2), sentences(400, 3))


@pytest.mark.parametrize("held_out", ["dev", "test"])
def test_planted_near_copies_are_found_and_nothing_else_is(unrelated, held_out):
    rows = dict(unrelated.items())[held_out]
    planted = {3 * i: 7 * i for i in range(N_PLANTED)}  # held-out row -> the train row it is made from
    texts = list(rows.texts)
    for number, (row, source) in enumerate(planted.items()):
        texts[row] = edited(unrelated.train.texts[source], number)
    report = near_duplicates(replace(unrelated, **{held_out: replace(rows, texts=tuple(texts))}))
    found = set(report.rows[held_out])
    assert len(found & set(planted)) >= 48
    assert not found - set(planted)
    [part] = [part for part in report.between if (part.of, part.in_) == (held_out, "train")]
    assert part.exact + part.near == len(found)
    assert all(planted[example.row] == example.copy for example in part.examples)


def test_unrelated_texts_are_no_copies(unrelated):
    report = near_duplicates(unrelated)
    assert report.exact == report.near == 0
    assert report.rows == {"dev": (), "test": ()}
    assert report.notes == ("No text has a copy in another split, exact or near.",)


def test_exact_copies_are_those_that_differ_in_case_and_white_space_only(unrelated):
    dev = list(unrelated.dev.texts)
    dev[5] = "  " + unrelated.train.texts[10].upper().replace(" ", "<br />")
    test = list(unrelated.test.texts)
    test[7] = unrelated.dev.texts[8]
    report = near_duplicates(splits_of(list(unrelated.train.texts), dev, test))
    assert {(part.of, part.in_): part.exact for part in report.between} == {
        ("dev", "train"): 1,
        ("test", "train"): 0,
        ("test", "dev"): 1,
    }
    assert report.near == 0
    assert report.rows == {"dev": (5,), "test": ()}
    assert report.between[0].examples == (Copy(row=5, copy=10, measure="exact", similarity=1.0),)
    assert "Among 400 dev rows, exact copies of train rows: 1; near copies" in report.notes[0]


def test_the_report_is_json_with_few_examples():
    texts = sentences(100, 1)
    report = near_duplicates(splits_of(texts, [f"{text} indeed" for text in texts], sentences(20, 2)))
    written = json.loads(json.dumps(report.to_json(), allow_nan=False))
    assert NearDuplicates.from_json(written) == report and written["between"][0]["in"] == "train"
    assert report.between[0].near == 100
    assert len(report.between[0].examples) == leakage.MAX_EXAMPLES
    similarities = [example.similarity for example in report.between[0].examples]
    assert similarities == sorted(similarities, reverse=True)


def test_the_order_of_the_rows_changes_no_count(unrelated):
    texts = [edited(text, i) if i < 30 else text for i, text in enumerate(unrelated.train.texts[:400])]
    dev = [*texts[:30], *unrelated.dev.texts]
    order = np.random.default_rng(0).permutation(len(unrelated.train))
    first = near_duplicates(splits_of(list(unrelated.train.texts), dev, ["nothing like it"]))
    second = near_duplicates(splits_of([unrelated.train.texts[i] for i in order], dev, ["nothing like it"]))
    assert first.rows == second.rows
    assert len(first.rows["dev"]) >= 28


def test_texts_without_words_and_without_spaces_are_compared_too():
    train = ["?!", "", "これは良い映画でした", "très bien fait, vraiment très beau film"]
    dev = ["!?", "🙂", "これは良い映画でしたね", "Tre\u0300s bien fait vraiment tre\u0300s beau FILM"]
    report = near_duplicates(splits_of(train, dev, ["", "?!"]))
    assert report.rows == {"dev": (2, 3), "test": (0, 1)}


def test_near_copies_are_counted_by_the_measure_that_finds_them():
    train = ["the old harbour of this town was painted by three sisters", "who wrote the little song", "nothing like it at all"]
    dev = [
        "the old harbour of this town was painted by four sisters",
        "the old harbour of this town was painted by three sisters and then once more by someone of whom nothing else is known",
        "who wrtoe the litle song",
        "nothing LIKE it at all",
    ]
    [between, *_] = (report := near_duplicates(splits_of(train, dev, ["x"]))).between
    assert (between.exact, between.near, between.by) == (1, 3, {"words": 1, "contained": 1, "spelling": 1, "characters": 0})
    assert [example.measure for example in between.examples] == ["exact", "contained", "spelling", "words"]
    assert report.notes == (
        "Among 4 dev rows, exact copies of train rows: 1; near copies: 3 (1 with at least 70% of the words in common, "
        "1 of which one text holds the other, 1 misspelt).",
    )


@pytest.mark.parametrize("texts", ["random", "from one template"])
def test_ten_thousand_texts_take_seconds(texts):
    made = sentences(10_000, 0)
    if texts == "from one template":
        # Alike enough that all are candidates, and too different for most to be copies: the most work there can be.
        rng, words = np.random.default_rng(0), np.array(vocabulary(50_000))
        frame = "the {} of this review was {} but its end was {} anyway"
        made = [frame.format(*rng.choice(words, size=3)) for _ in made]
    start = time.perf_counter()
    near_duplicates(splits_of(made[:6_000], made[6_000:8_000], made[8_000:]))
    assert time.perf_counter() - start < 60  # 1 s and 4 s on one idle core; minutes without a limit on candidates


@pytest.mark.parametrize(("name", "folder"), [("sst2_sentences", "sst2"), ("imdb", "imdb")])
def test_real_data_has_hardly_any_and_planted_ones_are_found(test_data, name, folder):
    splits = load_dataset(name, str(test_data / folder), DatasetOptions(max_examples=1_500))
    before = set(near_duplicates(splits).rows["dev"])
    assert len(before) <= 0.005 * len(splits.dev)
    long = [text for text in splits.train.texts if len(set(re.findall(r"\w+", normalise_text(text)))) >= 7]
    texts = [edited(text, number) for number, text in enumerate(long[:N_PLANTED])]
    planted = replace(splits, dev=replace(splits.dev, texts=(*texts, *splits.dev.texts[N_PLANTED:])))
    after = set(near_duplicates(planted).rows["dev"])
    assert len(after & set(range(N_PLANTED))) >= 48
    assert {row for row in after if row >= N_PLANTED} == {row for row in before if row >= N_PLANTED}


HEAD = {"architectures": ["BertForSequenceClassification"]}


@pytest.mark.parametrize(
    ("model_id", "config", "label_names", "dataset", "circular"),
    [
        ("org/a", {**HEAD, "id2label": {"0": "NEGATIVE", "1": "POSITIVE"}}, ("negative", "positive"), "", "a head of its own"),
        ("org/a", {**HEAD, "id2label": {"0": "pos", "1": "neg"}}, ("neg", "pos"), "reviews", "a head of its own"),
        ("org/a", {**HEAD, "id2label": {"0": "joy", "1": "anger"}}, ("negative", "positive"), "sst2", None),
        ("org/a", {**HEAD, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}}, ("LABEL_0", "LABEL_1"), "table", None),
        ("org/a", {"id2label": {"0": "negative", "1": "positive"}}, ("negative", "positive"), "sst2", None),
        ("org/a", {**HEAD, "finetuning_task": "sst-2"}, ("negative", "positive"), "sst2_sentences", "'sst-2'"),
        ("org/a", {**HEAD, "finetuning_task": "cola"}, ("negative", "positive"), "sst2", None),
        ("org/bert-base-uncased-imdb", HEAD, ("negative", "positive"), "imdb", "'bert-base-uncased-imdb'"),
        ("org/bert-finetuned-SST-2", {}, ("negative", "positive"), "sst2", "'bert-finetuned-SST-2'"),
        ("my/copy", {**HEAD, "_name_or_path": "textattack/roberta-SST-2"}, ("0", "1"), "sst2", "'roberta-SST-2'"),
        ("org/bert-pretrained-on-imdb", {}, ("negative", "positive"), "imdb", None),
        ("/data/imdb/bert-finetuned-mnli", HEAD, ("negative", "positive"), "imdb", None),
        ("sentence-transformers/all-MiniLM-L6-v2", {"architectures": ["BertModel"]}, ("negative", "positive"), "sst2", None),
    ],
)
def test_a_checkpoint_tuned_on_the_labels_is_named_where_its_files_say_so(model_id, config, label_names, dataset, circular):
    reason = circularity(Checkpoint(model_id, None, Path(), config), label_names, dataset)
    if circular is None:
        assert reason is None
    else:
        assert circular in reason
        assert "Compare with the checkpoint it started from." in reason
