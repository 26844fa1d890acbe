"""Spans: worked by hand, as seqeval says (its values were computed once and stand here), and intervals that cover."""

from __future__ import annotations

import numpy as np
import pytest

from lit_probe.scores.spans import are_of_spans, span_scores, span_scores_by_type, spans_of

TAGS = ("B-LOC", "B-PER", "E-PER", "I-LOC", "I-PER", "O", "S-LOC")


@pytest.mark.parametrize(
    ("tags", "spans"),
    [
        ("", []),
        ("O O", []),
        ("B-PER I-PER O", [("PER", 0, 1)]),
        ("B-PER B-PER", [("PER", 0, 0), ("PER", 1, 1)]),
        ("I-PER I-PER", [("PER", 0, 1)]),
        ("O I-PER", [("PER", 1, 1)]),
        ("B-PER I-LOC", [("PER", 0, 0), ("LOC", 1, 1)]),
        ("B-PER O I-PER", [("PER", 0, 0), ("PER", 2, 2)]),
        ("S-PER I-PER E-PER", [("PER", 0, 0), ("PER", 1, 2)]),
        ("B-PER E-PER E-PER", [("PER", 0, 1), ("PER", 2, 2)]),
        ("B-a-b I-a-b B-a", [("a-b", 0, 1), ("a", 2, 2)]),
    ],
)
def test_spans_are_those_that_conlleval_takes(tags, spans):
    assert spans_of(tags.split()) == spans


@pytest.mark.parametrize(
    ("names", "told"),
    [(["O", "B-X", "I-X"], True), (["B-X"], True), (["O"], False), (["O", "B-"], False), (["B-X", "PROPN"], False), ([], False)],
)
def test_tags_of_spans_are_told_by_their_form(names, told):
    assert are_of_spans(names) is told


def test_scores_worked_by_hand():
    # Two sentences. There: PER 0-1, LOC 3-3 | PER 4-4. Found: PER 0-1, LOC 2-3 | nothing.
    names = ["B-LOC", "B-PER", "I-LOC", "I-PER", "O"]
    there = [names.index(tag) for tag in "B-PER I-PER O B-LOC B-PER O".split()]
    found = [names.index(tag) for tag in "B-PER I-PER B-LOC I-LOC O O".split()]
    nothing = [names.index("O")] * 6
    sentences, groups = [(0, 4), (4, 6)], ["a"] * 4 + ["b"] * 2
    one, none, all_right = span_scores([found, nothing, there], there, names, sentences, groups, [0, 1, 2])
    assert (one.precision.value, one.recall.value, one.f1.value) == (1 / 2, 1 / 3, 2 / 5)
    assert (one.precision.n, one.recall.n, one.f1.n) == (2, 3, 4)
    assert none.precision.value is None and none.precision.reason == "the probe finds no span"
    assert (none.recall.value, none.f1.value, all_right.f1.value) == (0, 0, 1)
    assert not one.f1.reliable and "only 4 spans (fewer than 30); no interval" in one.f1.reason
    loc, per = span_scores_by_type(found, there, names, sentences, groups, 0)
    assert (loc.name, loc.f1.value, per.name, per.recall.value) == ("LOC", 0, "PER", 1 / 2)


def random_rows():
    random = np.random.default_rng(3)
    sizes = random.integers(1, 9, size=200)
    ends = np.cumsum(sizes)
    labels = random.integers(0, len(TAGS), size=ends[-1])
    predicted = np.where(random.random(ends[-1]) < 0.8, labels, random.integers(0, len(TAGS), size=ends[-1]))
    return predicted, labels, list(zip((ends - sizes).tolist(), ends.tolist(), strict=True)), np.repeat(np.arange(200), sizes)


def test_random_tags_score_as_seqeval_says():
    predicted, labels, sentences, groups = random_rows()
    [one] = span_scores([predicted], labels, TAGS, sentences, groups, [0])
    found = [one.precision.value, one.recall.value, one.f1.value]
    found += [row.f1.value for row in span_scores_by_type(predicted, labels, TAGS, sentences, groups, 0)]
    assert found == pytest.approx(SEQEVAL, abs=1e-12)


# Precision, recall and F1 of all spans, then F1 of LOC and of PER, of seqeval 1.2.2.
SEQEVAL = [0.8314121037463977, 0.8161244695898161, 0.8236973590292649, 0.8440111420612814, 0.8023426061493412]


def test_intervals_by_sentence_cover():
    random, held, truth = np.random.default_rng(0), 0, 0.8
    names, n, size, draws = ("B-X", "O"), 80, 6, 300
    groups = np.repeat(np.arange(n), size)
    sentences = [(size * i, size * i + size) for i in range(n)]
    for _ in range(draws):
        right = random.random((n, size)) < random.beta(4, 1, size=(n, 1))
        labels = np.zeros(n * size, int)
        [one] = span_scores([np.where(right.ravel(), 0, 1)], labels, names, sentences, groups, [0])
        held += one.recall.low <= truth <= one.recall.high
    assert 0.92 <= held / draws <= 0.98
