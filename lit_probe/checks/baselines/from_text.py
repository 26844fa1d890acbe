"""Baselines that read the text and no encoder: what the labels of train by themselves, the words or the length already tell."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.baselines.baseline import Predictions
from lit_probe.checks.baselines.word_regression import WordRegression
from lit_probe.checks.baselines.word_ridge import WordRidge
from lit_probe.data.asked import NUMBER
from lit_probe.data.rows import WORD_COLUMN
from lit_probe.data.text_pairs import segments
from lit_probe.encoder.cache import Cache
from lit_probe.errors import ProbeError
from lit_probe.probing.probes import DEFAULT_PROBES, PROBES, FittedProbe, fit_majority
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress

# Words of one letter count too, unlike in scikit-learn's default.
_WORD = r"(?u)\b\w+\b"


def predict_majority(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """The class frequencies of train, whatever the text: every row goes into train's largest class."""
    return _from_lengths(study, fit_majority, progress)


def predict_mean(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """The mean of train's numbers, whatever the text."""
    progress(1, 1)
    return Predictions(np.full((1, len(study.splits.dev), 1, 1), float(study.splits.train.labels.mean())))


def predict_from_word(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """The tags that the word has in train, each as probable as it is frequent there; of a word that train lacks, those of train.

    So each word goes into its most frequent tag, and an unknown one into train's. Words are compared as they are written.

    Raises:
      ProbeError: the rows are texts.
    """
    train, dev, n_classes = study.splits.train, study.splits.dev, len(study.splits.label_names)
    if train.spans is None:
        raise ProbeError(f"The rows of {study.splits.name} are texts, not words.")
    known, of_train = np.unique(np.array(train.columns[WORD_COLUMN], dtype=np.str_), return_inverse=True)
    counts = np.zeros((len(known) + 1, n_classes))
    np.add.at(counts, (of_train, train.labels), 1)
    counts[-1] = np.bincount(train.labels, minlength=n_classes)
    place = {word: number for number, word in enumerate(known.tolist())}
    rows = np.array([place.get(str(word), len(known)) for word in dev.columns[WORD_COLUMN]])
    unknown = int((rows == len(known)).sum())
    progress(1, 1)
    # Of tags that are equally frequent, the one that is more frequent in all of train comes first.
    probabilities = counts[rows] / counts[rows].sum(axis=1, keepdims=True) * (1 - 1e-6) + 1e-6 * counts[-1] / counts[-1].sum()
    return Predictions(probabilities[None, :, None], notes=[f"train lacks {unknown:,} of the {len(dev):,} words of dev."])


def predict_from_bag_of_words(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """Logistic regression, of a number ridge regression, on which words occur: 0 or 1 for each lower-case word of train.

    Presence rather than counts: for sentiment it does at least as well (Pang et al. 2002, https://aclanthology.org/W02-1011), and
    a long text's frequent words do not outweigh the rest. 0 and 1 need no further scaling.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    return _from_words(study, CountVectorizer(token_pattern=_WORD, binary=True, dtype=np.float64), progress)


def predict_from_second_text(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """The bag of words of the second text of a pair, without the first: the hypothesis of an inference, without its premise.

    Where it is better than chance, the label can be told without reading what it is about, by habits of those who wrote the
    second texts (Gururangan et al. 2018, https://aclanthology.org/N18-2017; Poliak et al. 2018, https://aclanthology.org/S18-2023).

    Raises:
      ProbeError: the rows are single texts.
    """
    from sklearn.feature_extraction.text import CountVectorizer

    if study.splits.pair is None:
        raise ProbeError(f"The rows of {study.splits.name} are single texts, so there is no second one.")
    vectoriser = CountVectorizer(token_pattern=_WORD, binary=True, dtype=np.float64, preprocessor=_second_text)
    return _from_words(study, vectoriser, progress, by_text=False)


def _second_text(text: str) -> str:
    return segments(text)[1].lower()


def predict_from_tfidf(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """Logistic regression, of a number ridge regression, on TF-IDF of words and pairs of neighbours.

    It reads those that two or more texts of train hold. The frequencies are 1 + log of the counts, and each text's vector has
    length 1.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    return _from_words(study, TfidfVectorizer(token_pattern=_WORD, ngram_range=(1, 2), min_df=2, sublinear_tf=True), progress)


def predict_from_length(study: LayerStudy, cache: Cache, progress: Progress) -> Predictions:
    """The usual probe on two numbers: the logarithms of 1 + the words and 1 + the characters of the text.

    Of a pair there are two for each of its texts.
    """
    return _from_lengths(study, PROBES[DEFAULT_PROBES[study.splits.target]].fit, progress)


def _from_lengths(study: LayerStudy, fit: Callable[..., FittedProbe], progress: Progress) -> Predictions:
    train, dev = study.splits.train, study.splits.dev
    probe = fit(_lengths(train.texts), train.labels, len(train.label_names), train.groups, study.seed)
    progress(1, 1)
    return Predictions(
        probe.predictions(_lengths(dev.texts))[None, :, None],
        not_converged=[] if probe.converged else [0],
        settings=probe.settings,
    )


def _lengths(texts: Sequence[str]) -> NDArray[np.float64]:
    """``[n_examples, 2]``, of pairs ``[n_examples, 4]``. Logarithms, because a few texts are far longer than the rest."""
    lengths: NDArray[np.float64] = np.log1p(
        [[count for part in segments(text) for count in (len(part.split()), len(part))] for text in texts]
    )
    return lengths


def _from_words(study: LayerStudy, vectoriser: Any, progress: Progress, *, by_text: bool = True) -> Predictions:
    train, dev = study.splits.train, study.splits.dev
    if by_text and study.splits.pair is not None:
        vectoriser.set_params(analyzer=_by_text(vectoriser.build_analyzer()))
    kind = WordRidge if study.splits.target == NUMBER else WordRegression
    fitted = kind.fit(vectoriser, train.texts, train.labels, train.groups, study.seed, progress=progress)
    truncated = study.activations["train"].share_truncated
    notes = [f"it reads whole texts, the encoder reads {study.encoder.max_length} tokens of each."] if truncated else []
    return Predictions(
        fitted.predictions(dev.texts)[None, :, None],
        not_converged=[] if fitted.converged else [0],
        settings=fitted.settings,
        notes=notes,
    )


def _by_text(analyse: Callable[[str], list[str]]) -> Callable[[str], list[str]]:
    """The words of either text of a pair by themselves: a word in both counts as two, and no neighbours span the seam."""

    def analyse_pair(text: str) -> list[str]:
        return [f"{place} {words}" for place, part in enumerate(segments(text)) for words in analyse(part)]

    return analyse_pair
