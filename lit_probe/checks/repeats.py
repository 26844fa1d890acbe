"""How much a curve owes to its one split: the same rows divided again and again, with new folds and a new seed each time."""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Literal

import numpy as np

from lit_probe.checks.check import CheckResult
from lit_probe.data.splitting import OtherDivisions
from lit_probe.encoder.activations import Activations
from lit_probe.encoder.cache import Cache
from lit_probe.errors import LitProbeError
from lit_probe.probing.layer_choice import choose_layer
from lit_probe.probing.layerwise import ActivationView
from lit_probe.probing.pace import Work
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress, of_part
from lit_probe.results import Result
from lit_probe.scores.by_target import ALL_METRICS, AnyMetric, Rows, loss_of, rows_of_target
from lit_probe.scores.intervals import CONFIDENCE, critical_value
from lit_probe.scores.metrics import METRICS, Score
from lit_probe.scores.number_rows import NumberRows
from lit_probe.scores.scored_rows import MIN_GROUPS

N_REPEATS = 10
# Which rule makes the numbers, in words that cards and caches compare: change them when the numbers change.
REPEATS_MADE_BY = "train and dev divided anew by lot, by class and group; new folds and seeds, scored by the study's own rules"
FEWEST_REPEATS, MOST_REPEATS = 2, 1_000
# The folder of single repeats in the cache.
_KIND = "repeats"
# By which rule it is told whether scores vary more over splits or over rows; beside REPEATS_MADE_BY, which single repeats go by.
COMPARED_BY = "the wider spread by an F-test, with as many degrees of freedom as the wrong rows are worth"
# Below, the spread of scores is hardly known, and neither is a share of rows whose standard error is taken.
_FEWEST_TO_COMPARE, _FEWEST_WRONG = 5, 10
# Spreads that differ by no more than this factor are about as wide.
_ABOUT_AS_WIDE = 2
# A dev split of another size has another standard error; a difference of this share is told.
_ALIKE = 0.05

Wider = Literal["splits", "rows", "alike", "unknown"]


@dataclass(frozen=True)
class Repeat(Result):
    """What one other division of the rows gives.

    Attributes:
      seed: the seed of its division, its folds and its probes.
      division: a hash of the rows that are in its dev.
      n_train: the number of rows its probes were fitted on.
      n_dev: the number of rows they were scored on.
      layer: the layer that was chosen on its dev, by the study's rule.
      scores: ``[n_layers]`` the headline scores on its dev.
      not_converged: the layers whose fit stopped before its tolerance.
    """

    seed: int
    division: str
    n_train: int
    n_dev: int
    layer: int
    scores: tuple[float, ...]
    not_converged: tuple[int, ...]


@dataclass(frozen=True)
class RepeatedLayer(Result):
    """One layer over all repeats, beside what the study itself says of it.

    Attributes:
      layer: the layer's number.
      score: the study's own score on dev; None where there is none.
      low: the lower end of its 95 % interval, which is over rows; None where there is none.
      high: the upper end.
      standard_error: the standard error that this interval stands for; None where there is none.
      scores: ``[n]`` the score in each repeat.
      mean: their mean.
      sd: their standard deviation.
      lowest: the lowest of them.
      highest: the highest.
      n_chosen: the number of repeats in which this layer was chosen.
    """

    layer: int
    score: float | None
    low: float | None
    high: float | None
    standard_error: float | None
    scores: tuple[float, ...]
    mean: float
    sd: float
    lowest: float
    highest: float
    n_chosen: int


@dataclass(frozen=True)
class Repeats(CheckResult):
    """The answer of `repeats`.

    Attributes:
      metric: the name of the study's headline metric.
      metric_title: its name that people read.
      best_layer: the layer that the study itself chose.
      n: the number of repeats.
      seeds: ``[n]`` the seed of each.
      n_train: ``[n]`` the number of rows of its train.
      n_dev: ``[n]`` the number of rows of its dev.
      chosen: ``[n]`` the layer that was chosen in it.
      layers: ``[n_layers]`` the scores.
      wider: whether the score of the best layer varies more over ``"splits"`` or over ``"rows"``, or over both about as much
        (``"alike"``); ``"unknown"`` where that cannot be told.
      sentence: the same in words, with the numbers and why it cannot be told; and whether the study's own split stands out.
      reliable: whether dev has rows enough.
      reason: what is lacking, else an empty string.
      notes: sentences for the reader.
    """

    metric: str
    metric_title: str
    best_layer: int
    n: int
    seeds: tuple[int, ...]
    n_train: tuple[int, ...]
    n_dev: tuple[int, ...]
    chosen: tuple[int, ...]
    layers: tuple[RepeatedLayer, ...]
    wider: Wider
    sentence: str
    reliable: bool
    reason: str
    notes: tuple[str, ...]


def repeats(study: LayerStudy, n: int = N_REPEATS, cache: Cache | None = None, progress: Progress = no_progress) -> Repeats:
    """The study on other divisions of its rows: how much of a score is owed to the one split.

    A 95 % interval over rows takes the probe as given and asks how it would score on other dev rows. Other train rows would have
    given another probe, and other dev rows another choice of layer (Gorman & Bedrick 2019, https://aclanthology.org/P19-1267;
    Bouthillier et al. 2021, https://arxiv.org/abs/2103.03098). Each repeat therefore divides the rows of train and dev anew, into
    parts of the same sizes (`OtherDivisions`). It fits the study's kind of probe on the new train at every layer, with new folds
    and a new seed, and scores the new dev by the study's rules: its headline metric, its way of deciding classes (with the shares
    of the new train) and its choice of the layer. Test is not read, and no text is encoded again.

    The standard deviation over repeats stands beside the standard error over rows: both say how far one score is from the one
    that is meant. Which is the wider one is told by an F-test at 5 %: of ten repeats and 200 rows half of which are wrong, where
    the former is more than 1.48 or less than 0.55 times the latter. The fewer rows are wrong, the less their standard error is
    known (`_degrees`). Of two equal spreads one is called the wider one in 0 to 6 % of draws: 5, 10 and 50 repeats; 30 to 872
    rows; accuracy 0.5 to 0.98 and balanced accuracy (`test_of_two_equal_spreads…`). They are called about as wide where the test
    excludes that one is twice the other, and else nothing is told: nor of fewer than five repeats, of scores that are all the
    same, of fewer than ten rows wrong (or right), or where dev has too few rows.

    What the repeats do not tell: they share rows, so that fresh rows would vary more, and the mean of ten is not known √10 times
    as well as one (Nadeau & Bengio 2003, https://doi.org/10.1023/A:1024068626366). Lowest to highest is a range, not a 95 %
    interval.

    Args:
      study: what is repeated; its train and dev splits are read.
      n: the number of repeats, 2 to 1,000.
      cache: where repeats are kept, one by one: ten after five cost five.
      progress: called with the work done and all the work, in layers fitted. An error that it raises ends the computation.

    Raises:
      DatasetError: the rows cannot be divided with every class on both sides.
      LitProbeError: ``n`` is out of range.
    """
    if not FEWEST_REPEATS <= n <= MOST_REPEATS:
        raise LitProbeError(f"A score is repeated on {FEWEST_REPEATS} to {MOST_REPEATS:,} other splits, not on {n:,}.")
    divisions = OtherDivisions(study.splits.train, study.splits.dev)
    cache, n_layers = cache or Cache(None), study.layerwise.n_layers
    drawn = []
    for index in range(n):
        part = of_part(progress, index * n_layers, (index + 1) * n_layers, n * n_layers)
        part(0, n_layers)
        drawn.append(cache.result(_KIND, _facts(study, index), partial(_repeat, study, divisions, index, part), Repeat))
    progress(n * n_layers, n * n_layers)
    return _summary(study, divisions, drawn)


def repeats_work(study: LayerStudy, n: int, cache: Cache) -> Work | None:
    """A fit for each repeat that is not kept; None where all are."""
    left = sum(not cache.has(_KIND, _facts(study, index), Repeat) for index in range(n))
    return Work(fits=left) if left else None


def _facts(study: LayerStudy, index: int) -> dict[str, str | int]:
    """What decides one repeat."""
    return {"study": study.fingerprint, "repeat": index, "made_by": REPEATS_MADE_BY}


def _repeat(study: LayerStudy, divisions: OtherDivisions, index: int, progress: Progress) -> Repeat:
    seed = study.seed + 1 + index
    rows, (train, dev) = divisions.rows, divisions.drawn(seed)
    activations = _joined(study)
    groups = rows.groups
    probes = study.refit(
        ActivationView(activations, train),
        rows.labels[train],
        groups=None if groups is None else groups[train],
        seed=seed,
        progress=progress,
    )
    scored = rows_of_target(
        probes.predictions(ActivationView(activations, dev)),
        rows.labels[dev],
        None if groups is None else groups[dev],
        seed,
        rows.label_names,
        study.decision.of_other_train(rows.labels[train]),
    )
    scores, loss = ALL_METRICS[study.headline].score(scored), loss_of(rows.label_names)
    choice = choose_layer(scores, loss.score(scored), study.rules.layer_choice)
    # Every class has a row in dev, so every layer has a score.
    values = tuple(score.value for score in scores if score.value is not None)
    division = hashlib.sha256(dev.tobytes()).hexdigest()
    return Repeat(seed, division, len(train), len(dev), choice.layer, values, tuple(probes.not_converged))


def _joined(study: LayerStudy) -> Activations:
    """The activations of train and dev one after the other; none is copied before a layer is read."""
    train, dev = study.activations["train"], study.activations["dev"]
    return replace(train, blocks=(*train.blocks, *dev.blocks))


def _summary(study: LayerStudy, divisions: OtherDivisions, drawn: Sequence[Repeat]) -> Repeats:
    dev = study.dev_rows(study.predictions("dev"))
    metric, best = ALL_METRICS[study.headline], study.best_layer
    critical = critical_value(None if dev.units is None else dev.n_units)
    chosen = Counter(one.layer for one in drawn)
    layers = tuple(
        _layer(layer, own, critical, tuple(one.scores[layer] for one in drawn), chosen[layer])
        for layer, own in enumerate(metric.score(dev))
    )
    doubt = metric.doubt(dev)
    wider, why = _compared(layers[best], len(drawn), _degrees(dev, metric, best, layers[best].mean), doubt)
    return Repeats(
        metric=study.headline,
        metric_title=metric.title,
        best_layer=best,
        n=len(drawn),
        seeds=tuple(one.seed for one in drawn),
        n_train=tuple(one.n_train for one in drawn),
        n_dev=tuple(one.n_dev for one in drawn),
        chosen=tuple(one.layer for one in drawn),
        layers=layers,
        wider=wider,
        sentence=_sentence(layers, best, len(drawn), wider, why),
        reliable=not doubt,
        reason=f"dev has {doubt}" if doubt else "",
        notes=tuple(_notes(study, divisions, drawn, chosen)),
    )


def _layer(layer: int, own: Score, critical: float, scores: tuple[float, ...], n_chosen: int) -> RepeatedLayer:
    error = None if own.low is None or own.high is None else (own.high - own.low) / (2 * critical)
    mean, sd = float(np.mean(scores)), float(np.std(scores, ddof=1))
    return RepeatedLayer(layer, own.value, own.low, own.high, error, scores, mean, sd, min(scores), max(scores), n_chosen)


def _degrees(rows: Rows, metric: AnyMetric, layer: int, mean: float) -> float | None:
    """The degrees of freedom of a layer's standard error over rows: how well it is known; None where too few rows are wrong.

    A standard error by q (1 - q) is only known as well as q is: of a share of n rows it has 2 n q (1 - q) / (1 - 2 q)² of them,
    the number at which a variance varies as much (Satterthwaite 1946, https://doi.org/10.2307/3002019), about twice the wrong
    rows where these are few. Balanced accuracy is a mean of shares, whose variances add. Other metrics have one less than rows,
    and all of them at most one less than groups.

    Args:
      rows: the rows of dev.
      metric: the headline metric.
      layer: the layer.
      mean: its mean score over repeats: a study whose own split has many wrong rows by chance tells no more than others.
    """
    if not metric.decides or isinstance(rows, NumberRows):
        return rows.n_units - 1
    n_right = int((rows.predicted[layer] == rows.labels).sum())
    if min(n_right, rows.n - n_right, rows.n * mean, rows.n * (1 - mean)) < _FEWEST_WRONG:
        return None
    strata = rows.labels if METRICS[metric.name].needs == "rows of every class" else np.zeros(rows.n, dtype=np.int64)
    n = np.bincount(strata)
    # Half a row more on either side: a class that is all right has a variance, too.
    wrong = (np.bincount(strata[rows.predicted[layer] != rows.labels], minlength=len(n)) + 0.5) / (n + 1)
    variances = wrong * (1 - wrong) / n
    # By the formula a share of one half would have any number of them.
    each = 1 / np.maximum((1 - 2 * wrong) ** 2 / (2 * n * wrong * (1 - wrong)), 1 / np.maximum(n - 1, 1))
    return min(rows.n_units - 1, float(variances.sum() ** 2 / (variances**2 / each).sum()))


def _compared(layer: RepeatedLayer, n: int, degrees: float | None, doubt: str) -> tuple[Wider, str]:
    """Which of two spreads is the wider one, that over ``n`` repeats or that over rows, and why it cannot be told."""
    from scipy.special import fdtri  # slow to import, and a start from the cache compares nothing

    which = "so whether it varies more over splits or over rows cannot be told"
    if layer.standard_error is None:
        return "unknown", "there is no interval over rows"
    if layer.sd == 0:
        return "unknown", f"all of them give the same score, {which}"
    if doubt:
        return "unknown", f"dev has {doubt}, {which}"
    if degrees is None:
        return "unknown", f"fewer than {_FEWEST_WRONG} dev rows are wrong, or right, {which}"
    if n < _FEWEST_TO_COMPARE:
        return "unknown", f"{n} other splits are too few to tell over which of the two it varies more"
    tail = (1 - CONFIDENCE) / 2
    least, most = (layer.standard_error**2 * float(fdtri(n - 1, degrees, share)) for share in (tail, 1 - tail))
    variance, factor = layer.sd**2, _ABOUT_AS_WIDE**2
    if variance > most:
        return "splits", ""
    if variance < least:
        return "rows", ""
    if variance * factor > most and variance < least * factor:
        return "alike", ""
    return "unknown", f"these {n} other splits and the dev rows are too few to tell over which of the two it varies more"


_MORE_OR_LESS = {"splits": "more over splits than", "rows": "less over splits than", "alike": "about as much over splits as"}


def _sentence(layers: Sequence[RepeatedLayer], best: int, n: int, wider: Wider, why: str) -> str:
    one = layers[best]
    own = _own_split(one, n)
    over_splits = f"standard deviation over {n} other splits is {one.sd:.3f}"
    if one.standard_error is None:
        return f"At layer {best} the {over_splits}; {why}.{own}"
    spread = float(np.median([layer.sd for layer in layers]))
    error = float(np.median([layer.standard_error for layer in layers if layer.standard_error is not None]))
    both = (
        f"{over_splits}, its standard error over the dev rows {one.standard_error:.3f} (medians over layers: {spread:.3f} and "
        f"{error:.3f})"
    )
    if wider == "unknown":
        return f"At layer {best} the score's {both}; {why}.{own}"
    return f"At layer {best} the score varies {_MORE_OR_LESS[wider]} over rows: its {both}.{own}"


def _own_split(one: RepeatedLayer, n: int) -> str:
    """Whether the study's own split is worse, or better, than all others."""
    if one.score is None or one.lowest <= one.score <= one.highest:
        return ""
    side = "below" if one.score < one.lowest else "above"
    return (
        f" The study's own split scores {side} all {n}: {one.score:.3f} against {one.lowest:.3f} to {one.highest:.3f} (of splits "
        f"that are alike, one in {(n + 1) / 2:g} is the lowest or the highest)."
    )


def _notes(study: LayerStudy, divisions: OtherDivisions, drawn: Sequence[Repeat], chosen: Counter[int]) -> list[str]:
    n, n_rows = len(drawn), len(divisions.rows)
    counts = ", ".join(f"layer {layer} in {count}" for layer, count in sorted(chosen.items(), key=lambda one: (-one[1], one[0])))
    notes = [
        f"Chosen on the dev of {n} splits: {counts}; in the study itself layer {study.best_layer}.",
        f"All splits divide the same {n_rows:,} rows of train and dev, which they share in part: fresh rows would vary more.",
    ]
    if study.splits.provenance.get("official_dev"):
        notes.append(
            "Dev is a split of the source's own. The other splits mix its rows with those of train, so that both are alike."
        )
    sizes, own = [one.n_dev for one in drawn], len(study.splits.dev)
    if max(abs(size - own) for size in sizes) > _ALIKE * own:
        notes.append(
            f"Dev has {min(sizes):,} to {max(sizes):,} rows in the other splits, {own:,} in the study: rows that share a text or "
            "a group stay together, and no text counts twice."
        )
    if divisions.n_units < MIN_GROUPS:
        notes.append(f"The rows belong to only {divisions.n_units} groups, so the other splits tell little.")
    n_different = len({one.division for one in drawn})
    if n_different < n:
        notes.append(f"Only {n_different} of the {n} other splits differ.")
    n_stopped = sum(len(one.not_converged) for one in drawn)
    if n_stopped:
        notes.append(f"{n_stopped} of {n * study.layerwise.n_layers} fits stopped before their tolerance.")
    return notes
