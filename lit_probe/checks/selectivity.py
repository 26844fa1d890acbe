"""Selectivity: how much better a layer's probe is at the task than at labels that say nothing about the concept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from textwrap import shorten
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lit_probe.checks.check import CheckResult
from lit_probe.checks.control_task import DEFAULT_CONTROLS, ControlTask, find_control
from lit_probe.checks.layer_comparison import defined_scores, score_draws
from lit_probe.data.asked import NUMBER, WORD
from lit_probe.data.labelled_texts import SplitName
from lit_probe.errors import DatasetError
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.probing.pace import Work
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress, of_part
from lit_probe.results import Result
from lit_probe.scores.by_target import ALL_METRICS, Rows, rows_of_target
from lit_probe.scores.intervals import percentile_interval
from lit_probe.scores.metrics import METRICS
from lit_probe.scores.number_rows import NumberRows

N_SEEDS = 5
# Labellings that give dev a class too few are passed over; so many are tried per one that is wanted.
_TRIES = 3
# With fewer dev texts whose type stands in train, the control's score would tell of new types more than of the probe.
MIN_SHARE_SEEN = 0.5

# Rows of each class that a probe needs.
_FITTED = 2

# How many of the largest types are named.
_MOST_NAMED = 5
_NAME_LENGTH = 40

Labelling = dict[SplitName, NDArray[Any]]


@dataclass(frozen=True)
class LayerSelectivity(Result):
    """The selectivity of one layer's probe.

    Attributes:
      layer: the layer's number.
      task: the score on the task.
      control: the mean of ``controls``.
      controls: ``[n_seeds]`` the score on each labelling of the control.
      selectivity: ``task`` less ``control``.
      low: the lower end of its 95 % interval; None where nothing varies, and where dev has fewer than 2 rows or groups.
      high: the upper end.
    """

    layer: int
    task: float
    control: float
    controls: tuple[float, ...]
    selectivity: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class CommonType(Result):
    """A type that many training texts have.

    Attributes:
      name: the type, such as a word; empty for texts that have none.
      share: the share of the training texts that have it, 0 to 1.
    """

    name: str
    share: float


@dataclass(frozen=True)
class Selectivity(CheckResult):
    """The answer of `selectivity`.

    Attributes:
      control: the kind of control.
      title: what a type of the control is, in words.
      metric: the name of the headline metric, by which all is scored.
      n_seeds: the number of labellings.
      seeds: ``[n_seeds]`` the seed of each labelling.
      n_types: the number of types in train.
      most_common: the types that most training texts have, up to 5, the most common first.
      share_seen: the share of dev texts whose type also stands in train, 0 to 1.
      reliable: whether there are rows and labellings enough.
      reason: what is lacking, else an empty string.
      layers: ``[n_layers]`` the selectivity of each layer.
      memorisation: ``[n_layers]``, see `memorisation`.
      notes: sentences for the reader.
    """

    control: str
    title: str
    metric: str
    n_seeds: int
    seeds: tuple[int, ...]
    n_types: int
    most_common: tuple[CommonType, ...]
    share_seen: float
    reliable: bool
    reason: str
    layers: tuple[LayerSelectivity, ...]
    memorisation: tuple[float, ...]
    notes: tuple[str, ...]


def selectivity(
    study: LayerStudy, kind: str | None = None, n_seeds: int = N_SEEDS, *, progress: Progress = no_progress
) -> Selectivity:
    """Task score less control score per layer, on dev, by the headline metric.

    Control probes are of the study's kind and are fitted by the same rule as the task's, the choice of ``C`` included, for
    ``n_seeds`` labellings of the control task (`ControlTask`). The control's score is their mean. Where the metric needs a row of
    every class, labellings that give dev none of some class are passed over for the next ones; of a number, those that give dev
    one number only. ``C`` stands for the strength of a probe's regularisation, which ridge calls ``alpha``.

    The 95 % interval is a bootstrap over dev rows (or groups) and control labellings together (`two_way_draws`). It covers what
    other dev rows and other labellings would change, for probes fitted on these train rows. It does not cover what other train
    rows would change, nor that a task which is itself one labelling by type may be an easy or a hard one. Among such tasks the
    mean selectivity is 0, but fewer than 95 % of the intervals hold 0: about 86 % of those simulated over many data sets, and on
    some of the data sets only two in three.

    Args:
      study: the fitted study; test is not read.
      kind: a name in `CONTROLS`; for a column's values ``group:`` and its name. The usual one of such rows when None.
      n_seeds: the number of labellings, 2 or more; with fewer than 5 the interval is said to be doubtful.
      progress: called with the number of fitted layers and how many there will be; an error that it raises ends the computation.

    Raises:
      UnknownNameError: there is no such control.
      DatasetError: the control cannot be balanced, its types do not repeat between train and dev, or there is no score: dev has
        no row of some class, by the task's labels or by those of nearly all labellings.
    """
    if n_seeds < 2:
        raise DatasetError(f"Selectivity needs 2 control labellings or more to tell how far they differ; got {n_seeds}.")
    splits, dev = study.splits, study.splits.dev
    kind = kind or DEFAULT_CONTROLS[splits.unit]
    rows = "words" if splits.unit == WORD else "texts"
    control = ControlTask.of(kind, splits)
    if control.share_seen < MIN_SHARE_SEEN:
        raise DatasetError(
            f"The control {kind!r} says nothing about dev: {control.share_seen:.0%} of its {rows} have a type that also stands "
            f"in train, and the labels of other types cannot be learnt. {control.advice}"
        )

    def of_control(predictions: NDArray[np.float64], labels: Labelling) -> Rows:
        decision = study.decision.of_other_train(labels["train"])
        return rows_of_target(predictions, labels["dev"], dev.groups, study.seed, splits.label_names, decision)

    task = study.dev_rows(study.predictions("dev"))
    task_scores = np.array(defined_scores(study.headline, task))
    labellings, passed_over = _labellings(control, study, n_seeds)
    fits = _Fits(study, n_seeds + 1, progress)
    controls, n_not_converged = [], 0
    for labels in labellings.values():
        probe = fits.fit(labels["train"])
        n_not_converged += len(probe.not_converged)
        controls.append(of_control(probe.predictions(study.activations["dev"]), labels))
    learnt_by_heart = _memorisation(study, fits)

    control_scores = np.array([defined_scores(study.headline, one) for one in controls])
    values = task_scores - control_scores.mean(axis=0)
    draws = two_way_draws(
        score_draws(study.headline, task), np.stack([score_draws(study.headline, one) for one in controls]), study.seed
    )
    intervals: list[tuple[float | None, float | None]] = [(None, None)] * len(values)
    if task.n_units > 1:  # one group alone does not tell how far groups differ
        intervals = [percentile_interval(*pair) or (None, None) for pair in zip(draws, values.tolist(), strict=True)]
    title, most_common = find_control(kind).title, _most_common(control)
    doubt = _doubt(study.headline, task, controls)
    of_number = splits.target == NUMBER
    label = "number" if of_number else "label"
    notes = [
        *([f"Not to be relied on: {doubt}."] if doubt else []),
        f"Control {label}s are a seeded hash of {title}, of which train has {control.n_types:,} different ones; "
        f"{n_seeds} labellings. Most common in train: {_shares(most_common)}. "
        f"For {control.share_seen:.0%} of the dev {rows} it also stands in train.",
        f"Memorisation is {'R²' if of_number else 'the accuracy'} on train with one random {label} per {rows[:-1]}, of probes "
        f"as strongly regularised as the task's; no such {label} can be learnt for dev.",
    ]
    if n_not_converged:
        notes.append(f"{n_not_converged} of {n_seeds * study.layerwise.n_layers} control probes did not converge.")
    if passed_over:
        why = "they give all rows one number" if of_number else "they give no dev row some label"
        notes.append(f"Labellings passed over because {why}: {', '.join(passed_over)}.")
    return Selectivity(
        control=kind,
        title=title,
        metric=study.headline,
        n_seeds=n_seeds,
        seeds=tuple(labellings),
        n_types=control.n_types,
        most_common=most_common,
        share_seen=control.share_seen,
        reliable=not doubt,
        reason=doubt,
        layers=tuple(
            LayerSelectivity(
                layer=layer,
                task=float(task_scores[layer]),
                control=float(control_scores[:, layer].mean()),
                controls=tuple(control_scores[:, layer].tolist()),
                selectivity=float(values[layer]),
                low=low,
                high=high,
            )
            for layer, (low, high) in enumerate(intervals)
        ),
        memorisation=learnt_by_heart,
        notes=tuple(notes),
    )


def selectivity_work(n_seeds: int = N_SEEDS) -> Work:
    """A fit to each labelling, and that of memorisation."""
    return Work(fits=n_seeds + 1)


def memorisation(study: LayerStudy, *, progress: Progress = no_progress) -> tuple[float, ...]:
    """``[n_layers]`` the accuracy on *train* of probes fitted to one random label per text: how much they can learn by heart.

    Of a number it is R² on train, with train's numbers in random order.

    The labels have the task's class shares. On other texts such probes can only be at chance, so nothing but train is scored. The
    probes are as strongly regularised as the task's: cross-validated on random labels, ``C`` would be the smallest there is, and
    the answer the majority's whatever the probe (0.5525 at a simulated layer of 32 units, 0.615 at the task's ``C``).

    Args:
      study: the fitted study.
      progress: called with the number of fitted layers and how many there will be.
    """
    return _memorisation(study, _Fits(study, 1, progress))


def two_way_draws(task: NDArray[np.float64], controls: NDArray[np.float64], seed: int) -> NDArray[np.float64]:
    """Bootstrap draws of the selectivity, over rows and control labellings together (Owen 2007, the pigeonhole bootstrap,
    https://doi.org/10.1214/07-AOAS122).

    Each draw takes the task's and the controls' scores on the same resample of rows, and of the controls the mean over
    ``n_seeds`` - 1 labellings drawn with replacement: one fewer than there are, so that the variance over few labellings is not
    understated (Rao & Wu 1988, https://doi.org/10.1080/01621459.1988.10478591).

    It is conservative where labellings hardly differ, because it counts the rows' variation once more per labelling. With 5
    labellings, 872 or 200 rows and scores of 0.6–0.95 the percentile interval covers the truth in 95–99.5 % of simulated draws,
    being 10–40 % too wide, while the control's score varies by up to 3 points (standard deviation) between labellings; in
    90–97 % if by 6.

    Args:
      task: ``[n_layers, n_draws]`` scores on resamples of the rows.
      controls: ``[n_seeds, n_layers, n_draws]`` scores on the same resamples.
      seed: the seed of the draws of labellings.

    Returns:
      ``[n_layers, n_draws]`` task less mean control.
    """
    n_seeds, _, n_draws = controls.shape
    # Not the stream that the rows are drawn from.
    picks = np.random.default_rng((seed, 1)).integers(0, n_seeds, size=(n_draws, n_seeds - 1))
    weights = (picks[:, :, None] == np.arange(n_seeds)).mean(axis=1)
    means: NDArray[np.float64] = np.einsum("ds,sld->ld", weights, controls)
    return task - means


def _labellings(control: ControlTask, study: LayerStudy, n_seeds: int) -> tuple[dict[int, Labelling], list[str]]:
    """So many labellings, by seed, by which the metric is defined on dev, and what those passed over lack."""
    lack_of = _lack_of_numbers if control.numbers else _lack_of_classes
    found: dict[int, Labelling] = {}
    passed_over: list[str] = []
    for seed in range(study.seed, study.seed + _TRIES * n_seeds):
        labels = control.labels(seed)
        if lack := lack_of(control, labels, study.headline):
            passed_over.append(f"that of seed {seed} ({lack})")
        else:
            found[seed] = labels
        if len(found) == n_seeds:
            return found, passed_over
    what = "give all rows one number" if control.numbers else "give no dev row some label"
    title = "R²" if control.numbers else METRICS[study.headline].title.lower()
    raise DatasetError(
        f"The control {control.kind!r} has no {title} on dev: {len(passed_over)} of its "
        f"{_TRIES * n_seeds} labellings {what}, such as {passed_over[0]}. Add dev rows. {control.advice}"
    )


def _lack_of_classes(control: ControlTask, labels: Labelling, headline: str) -> str:
    """Which classes a labelling lacks, so that nothing can be fitted or the metric is not defined; else an empty string."""
    n_by_class = np.bincount(labels["dev"], minlength=len(control.label_names))
    missing = ", ".join(repr(name) for name, count in zip(control.label_names, n_by_class, strict=True) if not count)
    # Independent draws may leave a tag to no word of train, or to one.
    in_train = np.bincount(labels["train"], minlength=len(control.label_names))
    unfitted = ", ".join(name for name, count in zip(control.label_names, in_train, strict=True) if count < _FITTED)
    if unfitted:
        return f"{unfitted} in train"
    return missing if METRICS[headline].needs == "rows of every class" else ""


def _lack_of_numbers(control: ControlTask, labels: Labelling, headline: str) -> str:
    """The split to which a labelling gives one number only, or an empty string."""
    return next((split for split, numbers in labels.items() if np.ptp(numbers) == 0), "")


def _most_common(control: ControlTask) -> tuple[CommonType, ...]:
    counts = sorted(Counter(control.train_types).items(), key=lambda item: (-item[1], item[0]))
    return tuple(CommonType(name, count / len(control.train_types)) for name, count in counts[:_MOST_NAMED])


def _shares(types: Sequence[CommonType]) -> str:
    """What the types are called, and how many texts have them.

    >>> _shares([CommonType("film", 0.041), CommonType("", 0.03)])
    'film 4.1%, none of them 3.0%'
    """
    return ", ".join(f"{shorten(one.name, _NAME_LENGTH, placeholder=' …') or 'none of them'} {one.share:.1%}" for one in types)


def _doubt(headline: str, task: Rows, controls: list[Rows]) -> str:
    """Why the selectivity says little, or an empty string."""
    metric = ALL_METRICS[headline]
    if doubt := metric.doubt(task):
        return f"dev has {doubt}"
    if doubt := next(filter(None, map(metric.doubt, controls)), ""):
        return f"by a labelling of the control dev has {doubt}"
    if len(controls) < N_SEEDS:
        return f"only {len(controls)} control labellings (fewer than {N_SEEDS}) tell little of how far labellings differ"
    return ""


def _memorisation(study: LayerStudy, fits: _Fits) -> tuple[float, ...]:
    labels = ControlTask.one_label_per_text(study.splits).labels(study.seed)["train"]
    predictions = fits.fit(labels, like=study.layerwise).predictions(study.activations["train"])
    if study.splits.target == NUMBER:
        return tuple(NumberRows(predictions, labels).r2.tolist())
    return tuple((predictions.argmax(axis=2) == labels[:, None]).mean(axis=0).tolist())


class _Fits:
    """Fits probes as the study's were, on other labels, and tells how many layers are done."""

    def __init__(self, study: LayerStudy, n_fits: int, progress: Progress):
        self._study, self._progress = study, progress
        self._done, self._total = 0, n_fits * study.layerwise.n_layers

    def fit(self, labels: NDArray[Any], like: LayerwiseProbe | None = None) -> LayerwiseProbe:
        study, start = self._study, self._done
        self._done += study.layerwise.n_layers
        return study.refit(
            study.activations["train"],
            labels,
            groups=study.splits.train.groups,
            seed=study.layerwise.seed,
            like=like,
            progress=of_part(self._progress, start, self._done, self._total),
        )
