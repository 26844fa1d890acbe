"""Spans of words, such as names: how many are found whole, as ``seqeval`` counts them, with intervals over sentences."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lit_probe.results import Result
from lit_probe.scores.class_means import f1_interval
from lit_probe.scores.intervals import Interval, proportion_interval
from lit_probe.scores.metrics import Score
from lit_probe.scores.scored_rows import MIN_GROUPS, MIN_ROWS

OUTSIDE = "O"
_TAG = re.compile(r"[BIES]-.+", re.DOTALL)

SPANS_MADE_BY = (
    "spans as seqeval counts them (its default mode): right where type, first and last word are; Wilson for precision and "
    "recall, Jeffreys of the share that is right of the spans that are there or found for F1, of as many spans as the sentences "
    "are worth"
)

Span = tuple[str, int, int]
"""Its type, and its first and last place."""


@dataclass(frozen=True)
class SpanScores(Result):
    """How well the spans of one kind are found.

    Attributes:
      name: the type of the spans; empty where all of them are counted.
      layer: the number of the layer.
      precision: the share of the spans found that are there; ``n`` counts those found.
      recall: the share of the spans there that are found; ``n`` counts those there.
      f1: 2 × right ÷ (there + found); ``n`` counts those that are there or found.
    """

    name: str
    layer: int
    precision: Score
    recall: Score
    f1: Score


@dataclass(frozen=True)
class Spans(Result):
    """How well the spans of a study are found.

    Attributes:
      dev: ``[n_layers]`` all spans of dev at each layer.
      test: all spans of test at the chosen layer.
      types: the spans of each type on test, at the chosen layer.
      made_by: how they are counted, and how their intervals are made.
    """

    dev: tuple[SpanScores, ...]
    test: SpanScores
    types: tuple[SpanScores, ...]
    made_by: str = SPANS_MADE_BY

    def table(self) -> str:
        """The layers as text, a line each: F1 with its interval, precision and recall."""
        lines = [f"{'layer':>5}  {'F1 of spans on dev':>24}  {'95 % interval':>15}  {'precision':>9}  {'recall':>8}"]
        for row in self.dev:
            cells = f"{_interval(row.f1):>15}  {_shown(row.precision):>9}  {_shown(row.recall):>8}"
            lines.append(f"{row.layer:>5}  {_shown(row.f1):>24}  {cells}")
        test = self.test
        lines.append(
            f"Test at layer {test.layer}: F1 of spans {_shown(test.f1)} [{_interval(test.f1)}], precision "
            f"{_shown(test.precision)}, recall {_shown(test.recall)}, n = {test.recall.n:,} spans. By type: "
            + ", ".join(f"{one.name} {_shown(one.f1)} ({one.recall.n:,})" for one in self.types)
            + "."
        )
        scores = [score for row in (*self.dev, test) for score in (row.f1, row.precision, row.recall)]
        doubts = {f"* Not to be relied on: {score.reason}." for score in scores if score.value is not None and not score.reliable}
        return "\n".join([*lines, *sorted(doubts)])


def _shown(score: Score) -> str:
    return "n/a" if score.value is None else f"{score.value:.3f}{'' if score.reliable else '*'}"


def _interval(score: Score) -> str:
    return "–".join("n/a" if end is None else f"{end:.3f}" for end in (score.low, score.high))


def are_of_spans(label_names: Sequence[str]) -> bool:
    """Whether tags are those of spans: ``B-`` and ``I-`` (in IOBES also ``E-`` and ``S-``) with a type, and ``O`` outside.

    >>> are_of_spans(["B-PER", "I-PER", "O"]), are_of_spans(["B-PER", "NOUN"]), are_of_spans(["O", "X"])
    (True, False, False)
    """
    inside = [name for name in label_names if name != OUTSIDE]
    return bool(inside) and all(_TAG.fullmatch(name) for name in inside)


def spans_of(tags: Sequence[str]) -> list[Span]:
    """The spans of one sentence, as ``seqeval`` takes them in its default mode, after ``conlleval`` of CoNLL-2000.

    A span begins with ``B-`` or ``S-``, after ``O``, and wherever the type changes, so that ``I-PER`` without ``B-PER`` before
    it is one as well.

    >>> spans_of(["I-PER", "I-PER", "B-PER", "O", "B-LOC", "I-PER"])
    [('PER', 0, 1), ('PER', 2, 2), ('LOC', 4, 4), ('PER', 5, 5)]
    """
    found: list[Span] = []
    start, last, last_type = 0, OUTSIDE, ""
    for place, tag in enumerate([*tags, OUTSIDE]):
        sign, _, kind = (tag[0], *tag[1:].partition("-")[1:]) if tag != OUTSIDE else (OUTSIDE, "", "")
        changes = kind != last_type
        if last != OUTSIDE and (changes or last in "ES" or sign in "BSO"):
            found.append((last_type, start, place - 1))
        if sign != OUTSIDE and (changes or last in "ESO" or sign in "BS"):
            start = place
        last, last_type = sign, kind
    return found


def span_scores(
    predicted: ArrayLike,
    labels: ArrayLike,
    label_names: Sequence[str],
    sentences: Sequence[tuple[int, int]],
    groups: ArrayLike,
    layers: Sequence[int],
) -> tuple[SpanScores, ...]:
    """The scores of all spans at each layer.

    Args:
      predicted: ``[n_layers, n_words]`` class indices.
      labels: ``[n_words]`` class indices.
      label_names: ``[n_classes]`` tags of spans.
      sentences: (first row, row after the last) of the words of each sentence.
      groups: ``[n_words]`` what is independent of each other: sentences or documents.
      layers: ``[n_layers]`` their numbers.
    """
    there = _all_spans(np.asarray(labels), label_names, sentences)
    found = [_all_spans(own, label_names, sentences) for own in np.asarray(predicted)]
    return tuple(_scored("", layer, there, own, np.asarray(groups)) for layer, own in zip(layers, found, strict=True))


def span_scores_by_type(
    predicted: ArrayLike,
    labels: ArrayLike,
    label_names: Sequence[str],
    sentences: Sequence[tuple[int, int]],
    groups: ArrayLike,
    layer: int,
) -> tuple[SpanScores, ...]:
    """The scores of the spans of each type at one layer, whose ``predicted`` is ``[n_words]``; else as `span_scores`."""
    there = _all_spans(np.asarray(labels), label_names, sentences)
    found = _all_spans(np.asarray(predicted), label_names, sentences)
    kinds = sorted({name.partition("-")[2] for name in label_names if name != OUTSIDE})

    def of_kind(spans: set[Span], kind: str) -> set[Span]:
        return {span for span in spans if span[0] == kind}

    return tuple(_scored(kind, layer, of_kind(there, kind), of_kind(found, kind), np.asarray(groups)) for kind in kinds)


def _all_spans(labels: NDArray[np.int64], label_names: Sequence[str], sentences: Sequence[tuple[int, int]]) -> set[Span]:
    """The spans of all sentences, their places as rows."""
    return {
        (kind, start + first, start + last)
        for start, end in sentences
        for kind, first, last in spans_of([label_names[label] for label in labels[start:end]])
    }


def _scored(name: str, layer: int, there: set[Span], found: set[Span], groups: NDArray[np.generic]) -> SpanScores:
    either = sorted(there | found, key=lambda span: (span[1:], span[0]))
    is_there = np.array([span in there for span in either], dtype=bool)
    is_found = np.array([span in found for span in either], dtype=bool)
    units = np.unique(groups[[first for _, first, _ in either]], return_inverse=True)[1].astype(np.int64)
    right = is_there & is_found

    def share(of: NDArray[np.bool_], none: str) -> Score:
        value = float(right.sum()) / int(of.sum()) if of.any() else None
        return _score(value, proportion_interval(right, of, units) if of.any() else None, of, units, none)

    value = 2 * float(right.sum()) / float(is_there.sum() + is_found.sum()) if either else None
    interval = f1_interval(is_found.astype(np.int64), is_there.astype(np.int64), 1, units) if either else None
    return SpanScores(
        name,
        layer,
        share(is_found, "the probe finds no span"),
        share(is_there, "there is no span"),
        _score(value, interval, is_there | is_found, units, "there is no span, and none is found"),
    )


def _score(value: float | None, interval: Interval | None, of: NDArray[np.bool_], units: NDArray[np.int64], none: str) -> Score:
    n, n_units = int(of.sum()), len(np.unique(units[of]))
    if value is None:
        return Score(None, None, None, n, False, none)
    doubt = f"only {n} span{'' if n == 1 else 's'} (fewer than {MIN_ROWS})" if n < MIN_ROWS else ""
    if not doubt and n_units < MIN_GROUPS:
        doubt = f"spans of only {n_units} groups (fewer than {MIN_GROUPS})"
    low, high = (min(interval[0], value), max(interval[1], value)) if interval else (None, None)
    lack = "" if interval else "no interval: all spans belong to one or two groups"
    return Score(value, low, high, n, not doubt, "; ".join(filter(None, (doubt, lack))))
