"""What a probe's score has to beat: baselines on the same axes, fitted on train alone and scored on dev as the probes are.

The embedding layer, which reads words but no context, is layer 0 of every study and needs no entry here.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial, reduce
from operator import add

from lit_probe.checks.baselines.baseline import Baseline, MeasuredBaseline, Predictions
from lit_probe.checks.baselines.from_layers import (
    N_ORDERS,
    N_WEIGHTS,
    predict_with_random_weights,
    predict_with_shuffled_labels,
    random_weights_work,
    shuffled_labels_work,
)
from lit_probe.checks.baselines.from_text import (
    predict_from_bag_of_words,
    predict_from_length,
    predict_from_second_text,
    predict_from_tfidf,
    predict_from_word,
    predict_majority,
    predict_mean,
)
from lit_probe.checks.check import CheckResult
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD, TargetKind, check_served
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache
from lit_probe.errors import CancelledError, LitProbeError
from lit_probe.probing.pace import Work
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, no_progress, of_part
from lit_probe.registry import lookup

__all__ = ["BASELINES", "Baseline", "Baselines", "MeasuredBaseline", "Predictions", "measure_baselines", "panel_baselines"]

_BOTH: tuple[TargetKind, ...] = (CLASSES, NUMBER)

BASELINES: dict[str, Baseline] = {
    "majority": Baseline("Majority class", False, predict_majority, "#5F6368", "4 3", units=(TEXT, WORD)),
    "mean": Baseline("Mean of train", False, predict_mean, "#5F6368", "4 2", units=(TEXT, WORD), targets=(NUMBER,)),
    "word_tag": Baseline(
        "Most frequent tag of the word", False, predict_from_word, "#8A5A00", "8 3", in_figure=True, units=(WORD,)
    ),
    "bag_of_words": Baseline("Bag of words", False, predict_from_bag_of_words, "#8A5A00", "5 3", in_figure=True, targets=_BOTH),
    "tfidf": Baseline("TF-IDF", False, predict_from_tfidf, "#A03A6B", "2 2", in_figure=True, targets=_BOTH),
    "second_text": Baseline(
        "Second text alone", False, predict_from_second_text, "#00695C", "7 2 1 2", for_pairs=True, targets=_BOTH
    ),
    "length": Baseline("Text length", False, predict_from_length, "#5F6368", "1 3", targets=_BOTH),
    "random_weights": Baseline(
        "Random weights",
        True,
        predict_with_random_weights,
        "#2B6E30",
        "6 2 2 2",
        marker="square",
        n_draws=N_WEIGHTS,
        in_figure=True,
        units=(TEXT, WORD),
        targets=_BOTH,
        work=random_weights_work,
    ),
    "shuffled": Baseline(
        "Shuffled labels",
        True,
        predict_with_shuffled_labels,
        "#7A3E9D",
        "3 3",
        marker="diamond",
        n_draws=N_ORDERS,
        units=(TEXT, WORD),
        targets=_BOTH,
        work=shuffled_labels_work,
    ),
}

# The folder of the results in the cache.
_KIND = "baselines"
# Each has a hundredth of the bar at least.
_LEAST = 100
# Every series of the curve brings these along.
_TRIVIAL = ("majority", "mean")


def baselines_for(splits: Splits) -> list[str]:
    """The names of the baselines that say something of these data: those of pairs where they are pairs, of words where words."""
    fitting = {name: one for name, one in BASELINES.items() if splits.unit in one.units and splits.target in one.targets}
    return [name for name, one in fitting.items() if splits.pair is not None or not one.for_pairs]


def panel_baselines(splits: Splits) -> list[dict[str, str | int | None]]:
    """How the panel names and draws each baseline, but majority and mean: every series of the curve brings these along."""
    return [
        {
            "name": name,
            "title": one.title,
            "color": one.color,
            "dash": one.dash,
            "marker": one.marker,
            "n_draws": one.n_draws,
        }
        for name, one in ((name, BASELINES[name]) for name in baselines_for(splits))
        if name not in _TRIVIAL
    ]


@dataclass(frozen=True)
class Baselines(CheckResult):
    """The answer of `measure_baselines`.

    Attributes:
      metric: the name of the study's headline metric.
      baselines: the results, in the order that was asked for. One that cannot be fitted to these data has no score, and says why
        in its ``reason``.
      notes: sentences for the reader.
    """

    metric: str
    baselines: tuple[MeasuredBaseline, ...]
    notes: tuple[str, ...]

    @classmethod
    def of(cls, metric: str, measured: Sequence[MeasuredBaseline]) -> Baselines:
        """Those that were measured, with what is to be said of each.

        Args:
          metric: the name of the study's headline metric.
          measured: the results.
        """
        return cls(metric, tuple(measured), tuple(note for one in measured for note in _notes(one)))


def measure_baselines(
    study: LayerStudy, cache: Cache, progress: Progress = no_progress, names: Sequence[str] | None = None
) -> Baselines:
    """The baselines' scores on dev by the study's headline metric; each is cached for itself.

    Args:
      study: whose data, encoder, pooling, probe and seed they share.
      cache: where results are kept.
      progress: called with how much is done of how much.
      names: the names in `BASELINES`; by default all of them that say something of the data.

    Raises:
      UnknownNameError: there is no such baseline.
      CancelledError: from ``progress``.
    """
    chosen = {name: lookup(BASELINES, name, "baseline") for name in (baselines_for(study.splits) if names is None else names)}
    # So that the bar moves evenly, each has a share of it by what it has to do, and the small ones a few hundredths together.
    left = {name: Work() if _is_kept(name, one, study, cache) else one.work(study, cache) for name, one in chosen.items()}
    sizes = {name: work.in_rows(len(study.splits.train)) for name, work in left.items()}
    least = 1 + sum(sizes.values()) // _LEAST
    total, done, measured = sum(least + size for size in sizes.values()), 0, []
    for name, baseline in chosen.items():
        part = of_part(progress, done, done + least + sizes[name], total)
        done += least + sizes[name]
        part(0, 1)
        measured.append(_stored(name, baseline, study, cache, part))
    progress(total, total)
    return Baselines.of(study.headline, measured)


def baselines_work(study: LayerStudy, cache: Cache, names: Sequence[str] | None = None) -> Work | None:
    """What `measure_baselines` has to do; None where the cache has all of them. Arguments as there."""
    chosen = {name: BASELINES[name] for name in (baselines_for(study.splits) if names is None else names)}
    left = [one.work(study, cache) for name, one in chosen.items() if not _is_kept(name, one, study, cache)]
    return reduce(add, left) if left else None


def _notes(one: MeasuredBaseline) -> list[str]:
    notes = [f"{one.title}: {note}" for note in one.notes]
    if one.not_converged:
        where = f" at layers {', '.join(map(str, one.not_converged))}" if one.per_layer else ""
        notes.append(f"{one.title}: the fit did not converge{where}.")
    return notes


def _facts(name: str, baseline: Baseline, study: LayerStudy) -> dict[str, str | int]:
    """What decides the result of one."""
    return {"baseline": name, "study": study.fingerprint, **({"n_draws": baseline.n_draws} if baseline.n_draws > 1 else {})}


def _is_kept(name: str, baseline: Baseline, study: LayerStudy, cache: Cache) -> bool:
    return cache.has(_KIND, _facts(name, baseline, study), baseline.result)


def _stored(name: str, baseline: Baseline, study: LayerStudy, cache: Cache, progress: Progress) -> MeasuredBaseline:
    facts = _facts(name, baseline, study)
    try:
        unit = study.splits.unit
        check_served(f"The baseline {baseline.title.lower()!r}", unit, study.splits.target, (unit,), baseline.targets)
        return cache.result(_KIND, facts, partial(baseline.measure, name, study, cache, progress), baseline.result)
    except CancelledError:
        raise
    except LitProbeError as error:
        return baseline.failure(name, study, str(error))
