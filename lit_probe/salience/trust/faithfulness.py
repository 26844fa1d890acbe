"""Do the words that a salience map names matter to the prediction? Words are erased in each method's order, and what falls is
compared with a random order of the same words and with the best and worst that any order could do.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, ClassVar
from zlib import crc32

import numpy as np
from numpy.typing import NDArray

from lit_probe.data.seeds import checked_seed
from lit_probe.errors import LitProbeError
from lit_probe.probing.probe_forward import SCALARS, Forward, Target
from lit_probe.progress import Progress, no_progress
from lit_probe.registry import lookup
from lit_probe.results import Result
from lit_probe.salience import SalienceOptions, explain
from lit_probe.salience.methods.perturbations import fitting
from lit_probe.salience.trust.erased_words import SHARES, ErasedWords, RankingLimits, RankingQuality
from lit_probe.salience.trust.judged_texts import (
    JudgedText,
    LeftOut,
    MethodRoll,
    OverTexts,
    judged_texts,
    mean_of_texts,
    truncation_notes,
)
from lit_probe.salience.trust.ranking_limits import BEAM_WIDTH, EXHAUSTIVE_WORDS
from lit_probe.salience.trust.remembered_forward import RememberedForward
from lit_probe.scores.metrics import Score, score_layers

RANDOM_DRAWS = 5

# Limits closer together than this tell no ranking from another: a forward pass rounds at about a hundredth of it in float32, at
# about a tenth of it in half precision.
_LEAST_ROOM = {"float32": 1e-4, "float16": 1e-2, "bfloat16": 1e-1}

_RANDOM = "random"


@dataclass(frozen=True)
class Measures(Result):
    """What rankings of the words are worth, over all texts. All are None for a method that failed.

    Attributes:
      comprehensiveness: fall of the explained number when the top words are erased; high is good.
      comprehensiveness_normalised: the same between the limits of each text, 0 for the worst and 1 for the best.
      sufficiency: fall when all but the top words are erased; low is good.
      sufficiency_normalised: the same between the limits of each text, 0 for the worst and 1 for the best.
      tau_loo: Kendall's τ between the scores and the falls without each word alone, -1..1.
      macro_f1_masked: macro-F1 against gold, over all texts with their top words erased at every one of ``bins``; low is good.
    """

    comprehensiveness: OverTexts | None = None
    comprehensiveness_normalised: OverTexts | None = None
    sufficiency: OverTexts | None = None
    sufficiency_normalised: OverTexts | None = None
    tau_loo: OverTexts | None = None
    macro_f1_masked: OverTexts | None = None


@dataclass(frozen=True)
class MethodMeasures(Result):
    """The measures of one method.

    Attributes:
      method: its name in ``SALIENCE_METHODS``.
      title: what people read.
      reason: why it failed; empty where it did not.
      n_maps: maps of it that were looked at.
      n_inexact: those that are not exact: they have a ``warning``.
      measures: its measures.
    """

    method: str
    title: str
    reason: str
    n_maps: int
    n_inexact: int
    measures: Measures

    in_place: ClassVar[tuple[str, ...]] = ("measures",)


@dataclass(frozen=True)
class Limit(Result):
    """How well and how badly any ranking could do, on average over texts; None where the measure is not defined.

    Attributes:
      best: mean of the texts' best values.
      worst: mean of their worst values.
    """

    best: float | None
    worst: float | None


@dataclass(frozen=True)
class Limits(Result):
    """The limits of each measure that is not normalised.

    Attributes:
      comprehensiveness: over the rankings that were tried.
      sufficiency: over the rankings that were tried.
      tau_loo: always 1 and -1.
      macro_f1_masked: the scores in the order of best and of worst comprehensiveness.
    """

    comprehensiveness: Limit
    sufficiency: Limit
    tau_loo: Limit
    macro_f1_masked: Limit


@dataclass(frozen=True)
class Faithfulness(Result):
    """What `faithfulness` found.

    Attributes:
      explained: name of what is explained, such as ``probe at layer 3``.
      scalar: number that falls in comprehensiveness and sufficiency.
      map_scalar: number that the maps explain and that falls for τ.
      seed: the seed of the random rankings, of ties and of the bootstrap.
      replace: what is done to an erased word, a name in ``REPLACE_CHOICES``.
      random_draws: random rankings of each text.
      bins: ``[n_shares]`` per cent of the words that are erased or kept.
      n_texts: texts that are judged.
      n_left_out: texts that are not.
      left_out: reasons for that.
      n_exhaustive: texts whose limits are over all rankings.
      methods: ``[n_methods]`` in the order that was asked for.
      random: the same measures of random rankings.
      limits: the limits of the measures.
      macro_f1: macro-F1 of the texts as they are.
      notes: sentences that a reader must know.
    """

    explained: str
    scalar: str
    map_scalar: str
    seed: int
    replace: str
    random_draws: int
    bins: tuple[int, ...]
    n_texts: int
    n_left_out: int
    left_out: tuple[LeftOut, ...]
    n_exhaustive: int
    methods: tuple[MethodMeasures, ...]
    random: Measures
    limits: Limits
    macro_f1: OverTexts
    notes: tuple[str, ...]


@dataclass
class _Ranked:
    """The rankings of one text by name; the random one has several draws."""

    limits: RankingLimits
    full_logits: NDArray[np.float64]
    qualities: dict[str, list[RankingQuality]] = field(default_factory=dict)


def faithfulness(
    forward: Forward,
    texts: Sequence[str],
    labels: Sequence[int | None] | None = None,
    methods: Sequence[str] | None = None,
    options: SalienceOptions | None = None,
    *,
    scalar: str = "probability",
    map_scalar: str = "logit",
    seed: int = 0,
    progress: Progress = no_progress,
) -> Faithfulness:
    """How far erasing the words that each method ranks high changes the prediction, against random rankings and the limits.

    The class explained is the one predicted for the full text. Words are ranked by `TokenScores.by_word`; those of equal score
    stand in random order. They are erased as ``options.replace`` says, as token ids and never as decoded text.

    Args:
      forward: what is explained.
      texts: the texts of any kind; those with fewer than two words are left out and counted.
      labels: ``[n_texts]`` gold class of each text, None where unknown; read by the macro-F1 only.
      methods: names in ``SALIENCE_METHODS``; all of them when None.
      options: the options of the methods, and ``replace``.
      scalar: what falls in comprehensiveness and sufficiency.
      map_scalar: what the maps explain, and what falls for τ; ``logit`` because a probability saturates.
      seed: the seed of the random rankings, of ties and of the bootstrap.
      progress: called with the number of steps done and of all; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such method or scalar.
      LitProbeError: no text has two words, labels and texts differ in number, a label is no class, or the words cannot be
        erased as asked.
      CancelledError: from ``progress``.
    """
    seed = checked_seed(seed)
    options = fitting(options or SalienceOptions(), forward.encoder)
    lookup(SCALARS, scalar, "scalar")
    lookup(SCALARS, map_scalar, "scalar")
    gold = _checked(labels, len(texts), forward)
    roll = MethodRoll(methods)
    judged, left_out = judged_texts(forward, texts)
    n_steps, n_done = len(judged) * (len(roll.methods) + 1), 0
    progress(0, n_steps)
    ranked = []
    for text in judged:
        # Erased rows are shared by all methods, by their measures and by the search for limits.
        remembered = RememberedForward(forward)
        erased = ErasedWords(remembered, text, options.replace, scalar, map_scalar)
        random = np.random.default_rng([*b"faithfulness", seed, crc32(text.text.encode("utf-8", "replace"))])
        one = _Ranked(erased.limits(), erased.full_logits)
        drawn = (random.permutation(text.n_words).astype(np.float64) for _ in range(RANDOM_DRAWS))
        one.qualities[_RANDOM] = [erased.quality(scores, random) for scores in drawn]
        ranked.append(one)
        n_done += 1
        progress(n_done, n_steps)
        for method in roll.methods:
            if method.name not in roll.reasons:
                with roll.judging(method):
                    target = Target(erased.class_index, map_scalar)
                    # Also between the passes of one map, so that whoever wants to stop need not wait for it.
                    check = partial(progress, n_done, n_steps)
                    _, scores = roll.count(explain(remembered, text.text, method.name, target, options, check)).by_word()
                    one.qualities[method.name] = [erased.quality(scores, random)]
            n_done += 1
            progress(n_done, n_steps)
    least_room = _LEAST_ROOM[forward.encoder.dtype]
    rows = _Table(ranked, [gold[text.index] for text in judged], seed, least_room)
    return Faithfulness(
        explained=forward.name,
        scalar=scalar,
        map_scalar=map_scalar,
        seed=seed,
        replace=options.replace,
        random_draws=RANDOM_DRAWS,
        bins=SHARES,
        n_texts=len(judged),
        n_left_out=len(texts) - len(judged),
        left_out=left_out,
        n_exhaustive=sum(one.limits.exhaustive for one in ranked),
        methods=tuple(
            MethodMeasures(
                method.name,
                method.title,
                roll.reasons.get(method.name, ""),
                roll.n_maps[method.name],
                roll.n_inexact[method.name],
                Measures() if method.name in roll.reasons else rows.measures(method.name),
            )
            for method in roll.methods
        ),
        random=rows.measures(_RANDOM),
        limits=rows.limits(),
        macro_f1=rows.macro_f1(),
        notes=(*roll.notes(options), *_notes(judged, ranked, rows.n_labelled, least_room)),
    )


class _Table:
    """The judgements of all texts, as the means and intervals that are shown."""

    def __init__(self, ranked: Sequence[_Ranked], gold: Sequence[int | None], seed: int, least_room: float):
        self._ranked = ranked
        self._least_room = least_room
        self._seed = seed
        self._labelled = [(one, label) for one, label in zip(ranked, gold, strict=True) if label is not None]
        self.n_labelled = len(self._labelled)
        # A beam search may miss what one of the rankings that are compared attains; the limits bound those too.
        self._comprehensiveness = self._widened("comprehensiveness", best=np.max, worst=np.min)
        self._sufficiency = self._widened("sufficiency", best=np.min, worst=np.max)

    def _widened(self, measure: str, best: Callable[..., Any], worst: Callable[..., Any]) -> NDArray[np.float64]:
        """``[2, n_texts]`` the best and the worst of the limits found and of all rankings here."""
        limits = []
        for one in self._ranked:
            values = [getattr(quality, measure) for draws in one.qualities.values() for quality in draws]
            values += getattr(one.limits, measure)
            limits.append([best(values), worst(values)])
        return np.array(limits).T

    def measures(self, name: str) -> Measures:
        """Those of one method, or of the random rankings."""
        comprehensiveness = self._of_each_text(name, "comprehensiveness")
        sufficiency = self._of_each_text(name, "sufficiency")
        values = (
            comprehensiveness,
            _normalised(comprehensiveness, self._comprehensiveness, self._least_room),
            sufficiency,
            _normalised(sufficiency, self._sufficiency, self._least_room),
            self._of_each_text(name, "tau_loo"),
        )
        masked = self._macro_f1([[quality.logits for quality in one.qualities[name]] for one, _ in self._labelled])
        return Measures(*[mean_of_texts(each, self._seed) for each in values] + [masked])

    def limits(self) -> Limits:
        """Of each measure the best and the worst, on average over texts."""
        masked = (self._macro_f1([one.limits.logits[i] for one, _ in self._labelled]).mean for i in (0, 1))
        return Limits(
            comprehensiveness=Limit(*self._comprehensiveness.mean(axis=1).tolist()),
            sufficiency=Limit(*self._sufficiency.mean(axis=1).tolist()),
            tau_loo=Limit(1.0, -1.0),
            macro_f1_masked=Limit(*masked),
        )

    def macro_f1(self) -> OverTexts:
        """Of the texts as they are."""
        return self._macro_f1([one.full_logits for one, _ in self._labelled])

    def _of_each_text(self, name: str, measure: str) -> NDArray[np.float64]:
        """``[n_texts]`` the mean of a text's draws; NaN where one of them is not defined."""
        return np.array([np.mean([getattr(quality, measure) for quality in one.qualities[name]]) for one in self._ranked])

    def _macro_f1(self, logits: Sequence[Any]) -> OverTexts:
        """Over all rows ``[…, n_classes]`` of all labelled texts; the rows of a text are resampled together."""
        score = Score(None, None, None, 0, False)
        if self.n_labelled:
            from scipy.special import softmax  # slow to import

            rows = np.array(logits)
            rows = rows.reshape(self.n_labelled, -1, rows.shape[-1])
            texts = np.repeat(np.arange(self.n_labelled), rows.shape[1])
            labels = np.array([label for _, label in self._labelled])[texts]
            probabilities = softmax(rows, axis=2).reshape(len(texts), 1, -1)
            [score] = score_layers("macro_f1", probabilities, labels, texts, self._seed)
        return OverTexts(score.value, score.low, score.high, self.n_labelled)


def _normalised(values: NDArray[np.float64], limits: NDArray[np.float64], least_room: float) -> NDArray[np.float64]:
    """``[n_texts]`` 0 at the worst and 1 at the best of the limits ``[2, n_texts]``; NaN where these are closer than the room."""
    best, worst = limits
    room = best - worst
    told = np.abs(room) > least_room
    return np.divide(values - worst, room, out=np.full(len(values), np.nan), where=told)


def _checked(labels: Sequence[int | None] | None, n_texts: int, forward: Forward) -> list[int | None]:
    if labels is None:
        return [None] * n_texts
    if len(labels) != n_texts:
        raise LitProbeError(f"There are {n_texts} texts, but {len(labels)} labels.")
    known = [None if label is None else int(label) for label in labels]
    for label in known:
        if label is not None and not 0 <= label < len(forward.class_names):
            raise LitProbeError(f"There is no class {label}: the {forward.name} tells {len(forward.class_names)} apart.")
    return known


def _notes(judged: Sequence[JudgedText], ranked: Sequence[_Ranked], n_labelled: int, least_room: float) -> list[str]:
    n_searched = sum(not one.limits.exhaustive for one in ranked)
    notes = [
        "A text with erased words is unlike those that models are trained on, so part of every fall is surprise: read each "
        "number against the random ranking, which erases as many words.",
        "How far a prediction falls at all depends on the model: only the normalised measures may be compared between models, "
        "and between layers.",
        "τ compares scores with signed falls; a method whose scores are sizes (gradient norms) cannot tell for from against.",
        "Where a model is sure of its class, no few words change the probability: texts whose limits lie less than "
        f"{least_room:g} apart count in no normalised measure. The logit or the margin may still tell their words apart.",
        "The limits of macro-F1 are its values in the order of best and of worst comprehensiveness; other orders may pass them.",
    ]
    if n_searched:
        notes.append(
            f"The limits of {n_searched} of {len(judged)} texts (more than {EXHAUSTIVE_WORDS} words) come from a greedy beam "
            f"search of width {BEAM_WIDTH}, widened to hold every ranking compared here; the true ones may lie further out. So "
            "normalised numbers may change with the methods that are compared: hold only those of the same run, or of the same "
            "methods, against each other."
        )
    if n_labelled < len(judged):
        notes.append(f"Macro-F1 is over the {n_labelled} of {len(judged)} texts whose gold class is known.")
    return notes + truncation_notes(judged)
