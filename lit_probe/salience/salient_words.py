"""The corpus view of salience: which words speak most for each class, over many texts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.tokens import EncodedText
from lit_probe.encoder.words import words_of
from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import Forward, Target
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.salience import SalienceOptions, TokenScores, explain, explaining_method
from lit_probe.salience.methods.perturbations import fitting
from lit_probe.salience.remarks import baseline_notes, inexact_note
from lit_probe.scores.intervals import critical_value

PREDICTED, GOLD = "predicted", "gold"

_NO_WORD = "has no word to explain"
_NO_GOLD = "has no gold label"


@dataclass(frozen=True)
class SalientWord(Result):
    """One word, over the texts that were explained for a class.

    Attributes:
      word: the word in lower case.
      count: texts that hold it.
      n_occurrences: how often it stands in them.
      mean: mean of its score over these texts.
      low: lower end of the 95 % interval of the mean.
      high: upper end.
      positions: ``[count]`` indices of these texts among all.
    """

    word: str
    count: int
    n_occurrences: int
    mean: float
    low: float
    high: float
    positions: tuple[int, ...]


@dataclass(frozen=True)
class ClassWords(Result):
    """The words of one class.

    Attributes:
      class_index: the index of the class.
      class_name: the name of the class.
      n_texts: texts that were explained for it.
      n_words: words that stand in ``min_count`` of these texts.
      words: the first of them, the largest mean first.
    """

    class_index: int
    class_name: str
    n_texts: int
    n_words: int
    words: tuple[SalientWord, ...]


@dataclass(frozen=True)
class LeftOutText(Result):
    """A text that was not explained.

    Attributes:
      position: its index among all texts.
      reason: why, as the end of a sentence about it.
    """

    position: int
    reason: str


@dataclass(frozen=True)
class SalientWords(Result):
    """What `salient_words` found.

    Attributes:
      explained: name of what is explained, such as ``probe at layer 3``.
      layer: the layer of the explained probe; None for the model's own head.
      method: its name in ``EXPLAINING_METHODS``.
      title: the title of the method, for people.
      signed: whether a score below 0 speaks against the class.
      target: the class for which texts are explained: ``predicted``, ``gold`` or a class's name.
      scalar: the explained number.
      options: the options that the method reads.
      min_count: the smallest number of a class's texts in which a word must stand.
      top: the number of words of a class that are named at most.
      n_texts: all texts.
      n_explained: texts that were explained.
      n_inexact: those of them whose map is not exact: it has a ``warning``.
      left_out: the other texts.
      classes: ``[n_classes]``, or the one class that was asked for.
      notes: sentences that a reader must know.
    """

    explained: str
    layer: int | None
    method: str
    title: str
    signed: bool
    target: str
    scalar: str
    options: Mapping[str, float | int | str]
    min_count: int
    top: int
    n_texts: int
    n_explained: int
    n_inexact: int
    left_out: tuple[LeftOutText, ...]
    classes: tuple[ClassWords, ...]
    notes: tuple[str, ...]


def salient_words(
    forward: Forward,
    texts: Sequence[str],
    method: str,
    options: SalienceOptions | None = None,
    *,
    target: str = PREDICTED,
    labels: Sequence[int | None] | None = None,
    scalar: str = "logit",
    min_count: int = 2,
    top: int = 30,
    progress: Progress = no_progress,
) -> SalientWords:
    """The words of the largest mean salience, for each class.

    Each text is explained for one class and counts for that class alone. A word's score in a text is that of `by_word` (the sum
    over its tokens for signed methods, else their L2 norm); where a text holds it more than once, the mean. Words in lower case
    are one word. The mean and its interval (Student's t, over texts) follow from these scores, one per text. The interval takes
    the texts as independent draws, and holds for a word named beforehand: the largest of many means are partly large by luck.

    Args:
      forward: what is explained.
      texts: any strings.
      method: a name in ``EXPLAINING_METHODS``.
      options: settings of the method.
      target: for which class a text is explained: ``predicted``, ``gold``, or the name of one class for all texts.
      labels: ``[n_texts]`` the gold classes' indices, None where unknown; needed for ``gold``.
      scalar: which number of that class, a name in ``SCALARS``.
      min_count: in how many of a class's texts a word must stand, 2 or more: one text has no interval.
      top: the number of words of each class, 1 or more.
      progress: called with the number of texts done and of all, also within a text; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such method, scalar or target.
      LitProbeError: a number is out of its range, labels are missing or do not fit, or the method cannot work on this model.
    """
    kind = explaining_method(method)
    options = fitting(options or SalienceOptions(), forward.encoder)
    if min_count < 2 or top < 1:
        raise LitProbeError(f"Words must stand in 2 texts or more, and 1 or more be shown; got min_count {min_count}, top {top}.")
    total = len(texts)
    progress(0, total)
    encoded = forward.encoder.encode(texts, with_tokens=True)
    wordless = [not words_of(text, one).texts for text, one in zip(texts, encoded, strict=True)]
    classes = _classes(forward, encoded, wordless, target, labels)
    found = [_Scores() for _ in forward.class_names]
    left_out: list[LeftOutText] = []
    n_inexact = 0
    for position, (text, index) in enumerate(zip(texts, classes, strict=True)):
        if wordless[position] or index is None:
            left_out.append(LeftOutText(position, _NO_WORD if wordless[position] else _NO_GOLD))
        else:
            # Also between the passes of one map, so that whoever wants to stop need not wait for it.
            check = partial(progress, position, total)
            scores = explain(forward, text, method, Target(index, scalar), options, check)
            found[index].add(position, scores)
            n_inexact += bool(scores.warning)
        progress(position + 1, total)
    shown = range(len(found)) if target in (PREDICTED, GOLD) else [forward.class_names.index(target)]
    return SalientWords(
        explained=forward.name,
        layer=forward.layer,
        method=method,
        title=kind.title,
        signed=kind.signed,
        target=target,
        scalar=scalar,
        options=kind.options_of(options),
        min_count=min_count,
        top=top,
        n_texts=total,
        n_explained=total - len(left_out),
        n_inexact=n_inexact,
        left_out=tuple(left_out),
        classes=tuple(found[index].summary(index, forward.class_names[index], min_count, top) for index in shown),
        notes=(
            *inexact_note(n_inexact, total - len(left_out), kind.title),
            *_notes(kind.signed, [one.reason for one in left_out]),
            *baseline_notes([kind], options),
        ),
    )


@dataclass
class _Scores:
    """The words of the texts that were explained for one class: by word, the scores in each text by its position."""

    n_texts: int = 0
    scores: dict[str, dict[int, list[float]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))

    def add(self, position: int, scores: TokenScores) -> None:
        self.n_texts += 1
        for word, score in zip(*scores.by_word(), strict=True):
            self.scores[word.lower()][position].append(float(score))

    def summary(self, class_index: int, class_name: str, min_count: int, top: int) -> ClassWords:
        words = [_summary(word, of_texts) for word, of_texts in self.scores.items() if len(of_texts) >= min_count]
        words.sort(key=lambda one: (-one.mean, one.word))
        return ClassWords(class_index, class_name, self.n_texts, len(words), tuple(words[:top]))


def _summary(word: str, of_texts: dict[int, list[float]]) -> SalientWord:
    values = np.array([np.mean(scores) for scores in of_texts.values()])
    mean, low, high = _mean_interval(values)
    return SalientWord(word, len(values), sum(map(len, of_texts.values())), mean, low, high, tuple(of_texts))


def _mean_interval(values: NDArray[np.float64]) -> tuple[float, float, float]:
    """The mean of two values or more, and Student's t interval."""
    mean = float(values.mean())
    half = critical_value(len(values)) * float(values.std(ddof=1)) / len(values) ** 0.5
    return mean, mean - half, mean + half


def _classes(
    forward: Forward,
    encoded: Sequence[EncodedText],
    wordless: Sequence[bool],
    target: str,
    labels: Sequence[int | None] | None,
) -> list[int | None]:
    """``[n_texts]`` the class that each text is explained for; None where that is unknown."""
    n_texts, names = len(encoded), forward.class_names
    if target == GOLD:
        return _gold(labels, n_texts, len(names))
    if target != PREDICTED:
        index = lookup({PREDICTED: -1, GOLD: -1, **{name: index for index, name in enumerate(names)}}, target, "target")
        return [index] * n_texts
    predicted: list[int | None] = [None] * n_texts
    readable = [i for i in range(n_texts) if not wordless[i]]
    if readable:
        for i, logits in zip(readable, forward.logits_of([encoded[i] for i in readable]), strict=True):
            predicted[i] = int(forward.decided(logits))
    return predicted


def _gold(labels: Sequence[int | None] | None, n_texts: int, n_classes: int) -> list[int | None]:
    if labels is None:
        raise LitProbeError("To explain texts for their gold class, give their labels.")
    if len(labels) != n_texts:
        raise LitProbeError(f"There are {n_texts} texts, but {len(labels)} labels.")
    gold = [None if label is None else int(label) for label in labels]
    for label in gold:
        if label is not None and not 0 <= label < n_classes:
            raise LitProbeError(f"Labels must lie in 0..{n_classes - 1}; found {label}.")
    return gold


def _notes(signed: bool, reasons: Sequence[str]) -> list[str]:
    notes = ["These are the largest of many means, so some are large by luck; the intervals hold for a word named beforehand."]
    if not signed:
        notes.append("This method tells how strongly the class reacts to a word, not whether the word speaks for or against it.")
    for reason in dict.fromkeys(reasons):
        n = reasons.count(reason)
        notes.append(f"{n:,} text{'s' if n > 1 else ''} left out: {reason}.")
    return notes
