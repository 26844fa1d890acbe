"""The salience methods put to the test: do they find the words that decide, where these are known?

Words are planted in reviews so that they alone decide the class (`shortcuts`), classifiers learn this, and each method explains
texts that these have not seen. A method passes where the planted words stand at the top of its ranking. One that explains
nothing, as its entry in the registry says, is not put to the test.

The test says which methods can be trusted for such reasons in such classifiers. It is no proof for other models: methods may find
one deciding word and miss an interplay of two.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.checkpoint import DEFAULT_MODEL
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import Forward, Target, forward_of_probe
from lit_probe.probing.probes import fit_logistic
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.salience import EXPLAINING_METHODS, SalienceMethod, SalienceOptions, TokenScores, explain, explaining_method
from lit_probe.salience.selftest.shortcuts import CLASS_NAMES, PlantedTexts
from lit_probe.salience.selftest.small_classifier import train_small_classifier
from lit_probe.scores.intervals import wilson_interval

# A classifier that is wrong more often has other reasons than the planted words too.
REQUIRED_ACCURACY = 0.99
N_TEXTS = 30
N_HELD_OUT = 1000

# Deep enough for the words to have met in a block, and shallow enough for one of them to be told from the mean.
_PROBE_LAYER = 1
_N_PROBE_TRAIN = 600
# Where nothing decides, there is no accuracy to wait for.
_SHUFFLED_STEPS = 60


def _small_transformer(encoder: Encoder, planted: PlantedTexts, seed: int, shuffled: bool, check: Callable[[], None]) -> Forward:
    random = np.random.default_rng([1, seed])
    limit = {"max_steps": _SHUFFLED_STEPS} if shuffled else {}
    return train_small_classifier(
        encoder, lambda n: planted.texts("train", n, random, shuffled=shuffled)[:2], CLASS_NAMES, seed, check=check, **limit
    )


def _probe(encoder: Encoder, planted: PlantedTexts, seed: int, shuffled: bool, check: Callable[[], None]) -> Forward:
    random = np.random.default_rng([2, seed])
    texts, labels, _ = planted.texts("train", _N_PROBE_TRAIN, random, shuffled=shuffled)
    activations = extract_activations(encoder, texts, progress=lambda done, total: check())
    probe = fit_logistic(activations.layer(_PROBE_LAYER), labels, len(CLASS_NAMES), seed=seed)
    return forward_of_probe(encoder, encoder.default_pooling, _PROBE_LAYER, probe, CLASS_NAMES)


@dataclass(frozen=True)
class Case:
    """A shortcut and what learns it.

    Attributes:
      shortcut: a name in ``SHORTCUTS``.
      fit: makes the classifier, given the encoder, the planted texts, the seed, whether plants are shuffled, and a check.
    """

    shortcut: str
    fit: Callable[[Encoder, PlantedTexts, int, bool, Callable[[], None]], Forward]


# Linear probes of a frozen encoder learn what one word decides, but neither conjunction nor order to 99 %.
CASES: dict[str, Case] = {
    "one_word": Case("one_word", _small_transformer),
    "both_words": Case("both_words", _small_transformer),
    "order": Case("order", _small_transformer),
    "one_word_probe": Case("one_word", _probe),
}


@dataclass(frozen=True)
class Precision(Result):
    """The share of the k planted words among the k of the largest score, over texts.

    Attributes:
      precision: mean over texts, 0..1.
      low: lower end of its 95 % interval.
      high: upper end.
    """

    precision: float
    low: float
    high: float


@dataclass(frozen=True)
class MethodPrecision(Result):
    """How many planted words one method ranks first.

    Attributes:
      method: its name in ``EXPLAINING_METHODS``.
      title: what people read.
      precision: mean over texts, 0..1, of the scores as they are.
      low: lower end of its 95 % interval.
      high: upper end.
      by_size: the same for the sizes of the scores.
    """

    method: str
    title: str
    precision: float
    low: float
    high: float
    by_size: Precision


@dataclass(frozen=True)
class CaseResult(Result):
    """How all methods do in one case.

    Attributes:
      name: its key in `CASES`.
      shortcut: its name in ``SHORTCUTS``.
      title: what people read.
      rule: the same in full.
      words: the two planted words; none where plants are shuffled.
      explained: name of the classifier, such as ``small transformer``.
      accuracy: the accuracy of the classifier on held-out texts, 0..1.
      n_held_out: the number of held-out ones.
      reliable: whether the accuracy is as high as it must be.
      k: planted words of each text that is explained.
      n_texts: texts that are explained.
      random: expected precision of a random ranking.
      methods: ``[n_methods]`` in the order that was asked for.
    """

    name: str
    shortcut: str
    title: str
    rule: str
    words: tuple[str, ...]
    explained: str
    accuracy: float
    n_held_out: int
    reliable: bool
    k: int
    n_texts: int
    random: float
    methods: tuple[MethodPrecision, ...]


@dataclass(frozen=True)
class Selftest(Result):
    """What `selftest` found.

    Attributes:
      encoder: its name.
      seed: the seed of words, texts, classifiers and methods.
      shuffled: whether the plants decide nothing.
      required_accuracy: accuracy below which a classifier may have other reasons than the planted words.
      options: the options of the methods.
      cases: ``[n_cases]`` in the order that was asked for.
      notes: sentences that a reader must know.
    """

    encoder: str
    seed: int
    shuffled: bool
    required_accuracy: float
    options: SalienceOptions
    cases: tuple[CaseResult, ...]
    notes: tuple[str, ...]


def selftest(
    encoder: Encoder | None = None,
    seed: int = 0,
    *,
    cases: Sequence[str] = tuple(CASES),
    methods: Sequence[str] = tuple(EXPLAINING_METHODS),
    n_texts: int = N_TEXTS,
    options: SalienceOptions | None = None,
    shuffled: bool = False,
    progress: Progress = no_progress,
) -> Selftest:
    """How many of the planted words each salience method ranks first.

    What is explained is the logit of a text's own class. Precision@k is the share of a text's k planted words among its k words
    of the largest score, averaged over texts; where words tie at the edge, what a random order of them would give on average. It
    is told for the scores as they are (words that speak for the class come first) and by their size: where the order of two words
    decides, one of them may well speak against the class. Intervals are Wilson's for so many texts, at most too wide for k > 1;
    they tell about other texts, not about other planted words, which another ``seed`` draws.

    Args:
      encoder: whose probe is explained in the case ``one_word_probe``; of it the others take the tokenizer alone. By default
        the demo's encoder.
      seed: the seed of words, texts, classifiers and methods. The same seed gives the same result on one machine.
      cases: names in `CASES`.
      methods: names in ``EXPLAINING_METHODS``.
      n_texts: the number of texts that are explained in each case, 2 or more.
      options: settings of the methods; by default those of `SalienceOptions` with this seed.
      shuffled: the sanity twin. Each text gets other planted words, whatever its class, so that they decide nothing and no method
        should find them more often than a random ranking.
      progress: called with the number of maps made and of all, before and after each, also while classifiers learn; what it
        raises ends the test.

    Raises:
      UnknownNameError: there is no such case or method.
      LitProbeError: too few texts, or the encoder reads too few tokens of a text to see its planted words.
    """
    chosen_cases = {name: lookup(CASES, name, "case of the self-test") for name in cases}
    chosen = [explaining_method(name) for name in methods]
    if n_texts < 2:
        raise LitProbeError(f"The self-test explains 2 texts or more; got n_texts = {n_texts}.")
    encoder = encoder or load_encoder(DEFAULT_MODEL)
    options = options or SalienceOptions(seed=seed)
    count = _Count(progress, len(chosen_cases) * len(chosen) * n_texts)
    results = tuple(
        _run(name, case, encoder, seed, chosen, n_texts, options, shuffled, count) for name, case in chosen_cases.items()
    )
    return Selftest(encoder.name, seed, shuffled, REQUIRED_ACCURACY, options, results, _notes(results, shuffled))


def precision_at_k(scores: NDArray[np.float64], planted: NDArray[np.bool_], *, by_size: bool = False) -> float:
    """The share of the ``k`` planted words among the ``k`` of the largest score; ties at the edge count by their expectation.

    Args:
      scores: ``[n_words]``.
      planted: ``[n_words]``, ``k`` of them True.
      by_size: whether -3 counts as more than 2.

    >>> precision_at_k(np.array([0.1, -3.0, 2.0, 0.1]), np.array([False, True, True, False]))
    0.5
    >>> precision_at_k(np.array([0.1, -3.0, 2.0, 0.1]), np.array([False, True, True, False]), by_size=True)
    1.0
    """
    ranked = np.abs(scores) if by_size else scores
    k = int(planted.sum())
    edge = np.sort(ranked)[-k]
    above, tied = ranked > edge, ranked == edge
    return float((planted[above].sum() + planted[tied].mean() * (k - above.sum())) / k)


def stored_selftest(encoder: Encoder, seed: int, cache: Cache, progress: Progress = no_progress) -> Selftest:
    """`selftest` with its defaults, from the cache where the same encoder has been tested with this seed before."""
    facts = {"encoder": encoder.fingerprint, "seed": seed, "options": SalienceOptions(seed=seed).to_json()}
    return cache.result("selftest", facts, lambda: selftest(encoder, seed, progress=progress), Selftest)


def selftest_table(result: Selftest) -> str:
    """The result as text: for each case what decides and how well it was learnt, then one line per method."""
    blocks = [_block(case, result.required_accuracy) for case in result.cases]
    return "\n\n".join([*blocks, *(["\n".join(result.notes)] if result.notes else [])])


class _Count:
    """Reports maps made of all."""

    def __init__(self, progress: Progress | None, total: int):
        self._progress = progress
        self._done, self._total = 0, total
        self.repeat()

    def repeat(self) -> None:
        if self._progress is not None:
            self._progress(self._done, self._total)

    def advance(self) -> None:
        self._done += 1
        self.repeat()


def _run(
    name: str,
    case: Case,
    encoder: Encoder,
    seed: int,
    methods: Sequence[SalienceMethod],
    n_texts: int,
    options: SalienceOptions,
    shuffled: bool,
    count: _Count,
) -> CaseResult:
    planted = PlantedTexts.draw(case.shortcut, seed)
    kind = planted.shortcut
    forward = case.fit(encoder, planted, seed, shuffled, count.repeat)
    random = np.random.default_rng([3, seed])
    held_out, classes, _ = planted.texts("held_out", N_HELD_OUT, random, shuffled=shuffled)
    accuracy = float((forward.logits_of(encoder.encode(held_out)).argmax(axis=1) == classes).mean())
    texts, labels, plants = planted.texts("held_out", n_texts, random, kind.explained, shuffled=shuffled)
    precisions = np.empty((len(methods), n_texts, 2))
    n_words = np.empty(n_texts)
    for i, (text, label) in enumerate(zip(texts, labels, strict=True)):
        for j, method in enumerate(methods):
            scores = explain(forward, text, method.name, Target(int(label)), options, count.repeat)
            is_planted = _planted(scores, plants[i])
            of_words = scores.by_word()[1]
            precisions[j, i] = [precision_at_k(of_words, is_planted, by_size=by_size) for by_size in (False, True)]
            n_words[i] = len(is_planted)
            count.advance()
    return CaseResult(
        name=name,
        shortcut=kind.name,
        title=kind.title,
        rule=kind.rule,
        words=() if shuffled else planted.words,
        explained=forward.name,
        accuracy=accuracy,
        n_held_out=N_HELD_OUT,
        reliable=accuracy >= REQUIRED_ACCURACY,
        k=kind.k,
        n_texts=n_texts,
        random=float((kind.k / n_words).mean()),
        methods=tuple(
            MethodPrecision(method.name, method.title, *_mean(as_is), Precision(*_mean(by_size)))
            for method, (as_is, by_size) in zip(methods, precisions.transpose(0, 2, 1), strict=True)
        ),
    )


def _planted(scores: TokenScores, plants: Sequence[str]) -> NDArray[np.bool_]:
    """``[n_words]`` which words of the map are planted ones.

    Raises:
      LitProbeError: one of them was not read.
    """
    found = np.array([word in plants for word in scores.word_texts])
    if found.sum() != len(plants):
        raise LitProbeError("The encoder reads too few tokens of a text to see its planted words. Use a larger max_length.")
    return found


def _mean(precisions: NDArray[np.float64]) -> tuple[float, float, float]:
    """The mean and its interval."""
    # A text's precision lies in 0..1, so it varies no more than a yes or no of the same mean.
    mean = float(precisions.mean())
    return mean, *wilson_interval(mean, len(precisions))


def _notes(cases: Sequence[CaseResult], shuffled: bool) -> tuple[str, ...]:
    if shuffled:
        return ("Shuffled: the planted words decide nothing, so a method should find them about as often as a random ranking.",)
    weak = ", ".join(f"{case.title} ({case.explained})" for case in cases if not case.reliable)
    if not weak:
        return ()
    return (
        f"Right about fewer than {REQUIRED_ACCURACY:.0%} of held-out texts, so it may have other reasons than the planted words: "
        f"{weak}. Its precisions say little.",
    )


def _block(case: CaseResult, required: float) -> str:
    verdict = "" if case.reliable else f" (below {required:.0%})"
    width = max(len("random ranking"), *(len(one.title) for one in case.methods))
    head = f"precision@{case.k}"
    planted = ", ".join(case.words) or "other words in each text"
    lines = [
        f"{case.title[0].upper()}{case.title[1:]}, {case.explained}: {case.rule}. Planted: {planted}.",
        f"Accuracy {case.accuracy:.1%} on {case.n_held_out:,} held-out texts{verdict}; {case.n_texts} explained.",
        f"{'method':<{width}}  {head:>11}  {'95 % interval':>13}  {'by size':>7}",
    ]
    for one in case.methods:
        interval = f"{one.low:.2f}–{one.high:.2f}"
        lines.append(f"{one.title:<{width}}  {one.precision:>11.2f}  {interval:>13}  {one.by_size.precision:>7.2f}")
    lines.append(f"{'random ranking':<{width}}  {case.random:>11.2f}  {'':>13}  {case.random:>7.2f}")
    return "\n".join(lines)
