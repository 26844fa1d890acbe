"""The battery of checks that a careful reader asks of a layer curve, in reading order, each computed when asked for and cached.

All of them are computed on dev; test is read for one score alone, the one that every study reports.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from lit_probe.checks.agreement import Agreement, agreement
from lit_probe.checks.baselines import BASELINES, Baselines, baselines_work, measure_baselines
from lit_probe.checks.calibration import Calibration, calibration
from lit_probe.checks.check import Check, CheckResult, FailedCheck
from lit_probe.checks.control_task import DEFAULT_CONTROLS, find_control
from lit_probe.checks.description_length import DescriptionLength, description_length
from lit_probe.checks.layer_comparison import LayerComparison, compare_layers
from lit_probe.checks.leakage import COPIES_MADE_BY, NearDuplicates, near_duplicates
from lit_probe.checks.learning_curve import LearningCurve, learning_curve
from lit_probe.checks.repeats import COMPARED_BY, N_REPEATS, REPEATS_MADE_BY, Repeats, repeats, repeats_work
from lit_probe.checks.selectivity import Selectivity, selectivity, selectivity_work
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache, text_hash
from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError, UnservedError
from lit_probe.probing.pace import Work
from lit_probe.probing.portions import portion_work
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, StudyProgress, no_progress, of_step
from lit_probe.registry import lookup
from lit_probe.scores.intervals import N_DRAWS
from lit_probe.scores.metrics import SCORE_INTERVALS
from lit_probe.scores.number_rows import NUMBER_INTERVALS

# The check whose number has a flag of its own, ``--repeat``.
REPEATS = "repeats"
# The folder of answers in the cache.
_KIND = "checks"
# The rule of two checks.
_PORTIONS = "portions of train with classes at even distances from random places, two rows of each in the largest"

# The answers of several checks, by name.
Battery = Mapping[str, CheckResult | FailedCheck]


def _selectivity(study: LayerStudy, cache: Cache, progress: Progress, control: str | None) -> Selectivity:
    assert control is not None
    return selectivity(study, control, progress=progress)


def _baselines(study: LayerStudy, cache: Cache, progress: Progress, name: str | None) -> CheckResult:
    if name is None:
        return measure_baselines(study, cache, progress)
    return measure_baselines(study, cache, progress, (name,)).baselines[0]


def _repeats(study: LayerStudy, cache: Cache, progress: Progress, n: str | None) -> Repeats:
    if n is None or not n.isdecimal():
        raise LitProbeError(f"Other splits are counted by a whole number, not by {n!r}.")
    return repeats(study, int(n), cache, progress)


def _without_score(result: CheckResult) -> list[str]:
    measured = [(one.title, one.at(0)) for one in result.baselines] if isinstance(result, Baselines) else []
    return [f"{title} has no score: {cell.reason.rstrip('.')}." for title, cell in measured if cell.score is None]


def _alike_and_optimism(result: LayerComparison) -> list[str]:
    best, one = result.best_layer, result.optimism
    alike = [str(row.layer) for row in result.layers if row.indistinguishable and row.layer != best]
    found = [f"Every other layer differs from layer {best}, which was chosen on dev."]
    if alike:
        found = [f"Layers that cannot be told apart from layer {best}, which was chosen on dev: {', '.join(alike)}."]
    if one.optimism is not None:
        difference = f"dev {_cell(one.dev)} less test {_cell(one.test)} is {_with_interval(one.optimism, one.low, one.high)}"
        found.append(f"Optimism of choosing layer {one.layer} on dev: {difference}.")
    return found


def _head_accuracy(result: Agreement) -> list[str]:
    if result.model is None:
        return []
    accuracy = _with_interval(result.model.accuracy, result.model.low, result.model.high)
    return [f"The model's own head has an accuracy of {accuracy} on n = {result.n:,}."]


CHECKS: dict[str, Check[Any]] = {
    "selectivity": Check(
        "Selectivity",
        Selectivity,
        _selectivity,
        interval=f"{N_DRAWS:,} bootstrap draws of dev rows (of groups, where there are groups) and control labellings",
        made_by="task less mean control, each at its own cross-validated C; memorisation at the task's C",
        made_by_number="task less mean control, each at its own cross-validated alpha; memorisation at the task's alpha",
        targets=(CLASSES, NUMBER),
        columns={"selectivity": "selectivity", "selectivity_low": "low", "selectivity_high": "high"},
        variant="control",
        default=DEFAULT_CONTROLS[TEXT],
        default_of_words=DEFAULT_CONTROLS[WORD],
        units=(TEXT, WORD),
        rule=lambda control: find_control(control or "word").rule(),
        work=lambda *_: selectivity_work(),
    ),
    "baselines": Check(
        "Baselines",
        Baselines,
        _baselines,
        interval=SCORE_INTERVALS,
        interval_number=NUMBER_INTERVALS,
        made_by="fitted on train and scored on dev by the study's own rules",
        findings=_without_score,
        targets=(CLASSES, NUMBER),
        variant="baseline",
        rule=lambda _: ", ".join(f"{one.n_draws} draws of {name}" for name, one in BASELINES.items() if one.n_draws > 1),
        keeps_parts=True,
        units=(TEXT, WORD),
        work=lambda study, cache, name: baselines_work(study, cache, None if name is None else (name,)),
    ),
    "layer_comparison": Check(
        "Comparison of layers",
        LayerComparison,
        lambda study, *_: compare_layers(study),
        interval=f"{N_DRAWS:,} paired bootstrap draws of dev rows (of groups, where there are groups)",
        made_by="McNemar's mid-p or the bootstrap's t, Holm over all pairs of layers",
        findings=_alike_and_optimism,
        targets=(CLASSES, NUMBER),
        quick=True,
        units=(TEXT, WORD),
    ),
    "description_length": Check(
        "Description length",
        DescriptionLength,
        lambda study, cache, progress, _: description_length(study, cache, progress),
        interval="none",
        made_by=f"online code over {_PORTIONS}, against the code of the label prior",
        not_of_number="Description length does not apply to a number: it counts the bits of labels, and a number takes as many "
        "as it has digits.",
        columns={
            "description_length": "bits",
            "compression_to_prior": "compression_to_prior",
            "compression": "compression",
        },
        shown=("compression_to_prior",),
        splits=("train",),
        units=(TEXT, WORD),
        work=lambda study, cache, _: portion_work(study, cache),
    ),
    "learning_curve": Check(
        "Learning curve",
        LearningCurve,
        lambda study, cache, progress, _: learning_curve(study, cache, progress),
        interval=SCORE_INTERVALS,
        interval_number=NUMBER_INTERVALS,
        made_by=_PORTIONS,
        targets=(CLASSES, NUMBER),
        units=(TEXT, WORD),
        work=lambda study, cache, _: portion_work(study, cache),
    ),
    "calibration": Check(
        "Calibration",
        Calibration,
        lambda study, _, progress, __: calibration(study, progress),
        interval="none",
        made_by="confidence of the most probable class, bins of equal size, cross-fitted temperature",
        columns={"brier": "brier", "ece": "ece"},
        shown=("brier", "ece"),
        quick=True,
        units=(TEXT, WORD),
    ),
    "agreement": Check(
        "Probe against model",
        Agreement,
        lambda study, *_: agreement(study),
        interval="Wilson, by group where there are groups",
        made_by="the probe's decided class beside the head's most probable one",
        columns={"agreement": "agreement"},
        shown=("agreement",),
        findings=_head_accuracy,
        quick=True,
    ),
    REPEATS: Check(
        "Other splits",
        Repeats,
        _repeats,
        interval="none: lowest to highest score of all other splits, beside the interval over rows",
        made_by=f"{REPEATS_MADE_BY}; {COMPARED_BY}",
        columns={"repeat_mean": "mean", "repeat_low": "lowest", "repeat_high": "highest", "repeat_sd": "sd"},
        shown=("repeat_mean", "repeat_low", "repeat_high", "repeat_sd"),
        findings=lambda result: [result.sentence],
        targets=(CLASSES, NUMBER),
        splits=("train", "dev"),
        variant="n",
        default=str(N_REPEATS),
        by_name_only=True,
        keeps_parts=True,
        units=(TEXT, WORD),
        work=lambda study, cache, n: repeats_work(study, int(n or N_REPEATS), cache),
    ),
}
# What is computed where nobody names any.
USUAL_CHECKS = tuple(name for name, check in CHECKS.items() if not check.by_name_only)


def find_check(name: str, variant: str | None = None) -> Check[CheckResult]:
    """The check of that name.

    Raises:
      UnknownNameError: there is none, or it has no variants.

    >>> find_check("selectivity", "first_word").title
    'Selectivity'
    """
    check: Check[CheckResult] = lookup(CHECKS, name, "check")
    if variant is not None and check.variant is None:
        raise UnknownNameError(f"The check {name!r} has no variants, such as {variant!r}.")
    return check


def run_check(
    name: str, study: LayerStudy, cache: Cache | None = None, progress: Progress = no_progress, variant: str | None = None
) -> CheckResult:
    """Computes one check of a study, or reads it from the cache.

    Args:
      name: in `CHECKS`.
      study: the fitted study.
      cache: where results are kept; without one everything is computed.
      progress: hears how far it is, and may end it.
      variant: a control of selectivity, one baseline, or the number of other splits; None for the default.

    Returns:
      The dataclass that the check's entry names; of one baseline its own part of it.

    Raises:
      UnknownNameError: there is no such check or variant.
      UnservedError: it is not defined for the study's unit or target, or fits probes where the study's read tokens.
      CancelledError: from ``progress``.
      LitProbeError: it cannot be computed from these data; the message says why.
    """
    check, cache = find_check(name, variant), cache or Cache(None)
    check.check_serves(study.splits.unit, study.splits.target)
    if not check.quick:
        study.check_pooled(check.title)
    variant = variant or check.default_of(study.splits.unit)
    make = partial(check.compute, study, cache, progress, variant)
    if check.keeps_parts:
        return make()
    return cache.result(_KIND, _facts(name, study, variant), make, check.result)


def work_left(name: str, study: LayerStudy, cache: Cache, variant: str | None = None) -> Work | None:
    """How much `run_check` has to do; None where the answer is kept, or all of its parts. Arguments as there.

    Nothing where it takes no time worth telling, as where it cannot be computed.
    """
    check = find_check(name, variant)
    try:
        check.check_serves(study.splits.unit, study.splits.target)
        if not check.quick:
            study.check_pooled(check.title)
    except UnservedError:
        return Work()
    variant = variant or check.default_of(study.splits.unit)
    if not check.keeps_parts and cache.has(_KIND, _facts(name, study, variant), check.result):
        return None
    return check.work(study, cache, variant)


def _facts(name: str, study: LayerStudy, variant: str | None) -> dict[str, str | None]:
    """What decides the answer of a check."""
    rule = CHECKS[name].rule_of(variant, study.splits.target)
    return {"check": name, "variant": variant, "study": study.fingerprint, "made_by": rule}


def stored_near_duplicates(splits: Splits, cache: Cache) -> NearDuplicates:
    """`leakage.near_duplicates`, computed or read from the cache. It needs no study, so it can be known before any is made."""
    return cache.result("near_duplicates", _facts_of_copies(splits), lambda: near_duplicates(splits), NearDuplicates)


def kept_near_duplicates(splits: Splits, cache: Cache) -> NearDuplicates | None:
    """The same where the cache has it; else None."""
    return cache.kept_result("near_duplicates", _facts_of_copies(splits), NearDuplicates)


def _facts_of_copies(splits: Splits) -> dict[str, Any]:
    return {"texts": {name: text_hash(rows.texts) for name, rows in splits.items()}, "made_by": COPIES_MADE_BY}


def run_battery(
    study: LayerStudy,
    cache: Cache | None = None,
    progress: StudyProgress | None = None,
    names: Sequence[str] | None = None,
    variants: Mapping[str, str] | None = None,
) -> dict[str, CheckResult | FailedCheck]:
    """The named checks of a study, by name.

    Args:
      study: the fitted study.
      cache: where results are kept.
      progress: hears how far each check is; an error that it raises ends the battery.
      names: which checks, in `CHECKS`; `USUAL_CHECKS` by default.
      variants: by check the variant that is meant, such as ``{"selectivity": "first_word"}``; the default where none is named.

    Raises:
      CancelledError: from ``progress``.
    """
    results: dict[str, CheckResult | FailedCheck] = {}
    for name in USUAL_CHECKS if names is None else names:
        check = find_check(name)
        try:
            step = of_step(progress, f"{check.title} on {study.splits.name}", "steps")
            results[name] = run_check(name, study, cache, step, (variants or {}).get(name))
        except CancelledError:
            raise
        except LitProbeError as error:
            results[name] = FailedCheck(str(error))
    return results


def layer_columns(results: Battery, n_layers: int) -> list[dict[str, Any]]:
    """What ``layers.json`` says of each layer beside its scores, from `run_battery`.

    Returns:
      Per layer the ``columns`` of each check, such as ``selectivity`` with its interval ``selectivity_low`` and
      ``selectivity_high``, and ``baselines``: by name the score that the layer has to beat, the same at each layer for those that
      read no encoder. None where a check could not be computed.
    """
    measured = results.get("baselines")
    baselines = {one.name: one for one in measured.baselines} if isinstance(measured, Baselines) else {}

    def columns(name: str, layer: int) -> dict[str, Any]:
        if name == "baselines":
            of_words = any(TEXT not in BASELINES[one].units for one in baselines)
            of_number = any(CLASSES not in BASELINES[one].targets for one in baselines)
            usual = [
                one
                for one, entry in BASELINES.items()
                if TEXT in entry.units and CLASSES in entry.targets and not (entry.for_pairs or of_words or of_number)
            ]
            shown = [one for one in BASELINES if one in baselines or one in usual]
            return {name: {one: baselines[one].at(layer).score if one in baselines else None for one in shown}}
        layers = getattr(results.get(name), "layers", ())
        return {column: getattr(layers[layer], field) if layers else None for column, field in CHECKS[name].columns.items()}

    return [{key: value for name in CHECKS for key, value in columns(name, layer).items()} for layer in range(n_layers)]


def check_table(results: Battery, n_layers: int) -> str:
    """The checks as text: one line per layer where any has a number for it, then a line for each thing to know about a check.

    A number that is not to be relied on has an asterisk, as on the page; why stands below.
    """
    columns = layer_columns(results, n_layers)
    doubts = [_doubts(results, layer) for layer in range(n_layers)]
    baselines = [name for name in BASELINES if any(row["baselines"].get(name) is not None for row in columns)]
    measures = [name for check in CHECKS.values() for name in check.shown if any(row[name] is not None for row in columns)]
    selective = any(row["selectivity"] is not None for row in columns)
    heads = [*(["selectivity", "95 % interval"] if selective else []), *measures, *baselines]
    lines = [f"{'layer':>5}  " + "  ".join(f"{head:>14}" for head in heads)] if heads else []
    for layer, row in enumerate(columns) if heads else ():
        interval = f"{_cell(row['selectivity_low'])}–{_cell(row['selectivity_high'])}"
        values = {"selectivity": row["selectivity"], **row, **row["baselines"]}
        marked = {name: _cell(values[name]) + ("*" if doubts[layer].get(name) else "") for name in heads if name in values}
        lines.append(f"{layer:>5}  " + "  ".join(f"{marked.get(head, interval):>14}" for head in heads))
    why = {f"* Not to be relied on: {reason}." for row in doubts for name, reason in row.items() if name in heads}
    return "\n".join([*lines, *sorted(why), *_remarks(results)])


def _doubts(results: Battery, layer: int) -> dict[str, str]:
    """Why numbers of a layer are not to be relied on, by the name of their column; those that are have none."""
    found: dict[str, str] = {}
    for name, result in results.items():
        if isinstance(result, Baselines):
            cells = {one.name: one.at(layer) for one in result.baselines}
            found |= {one: cell.reason for one, cell in cells.items() if not cell.reliable and cell.score is not None}
        elif reason := getattr(result, "reason", ""):
            found |= dict.fromkeys(CHECKS[name].columns, reason)
    return found


def _remarks(results: Battery) -> list[str]:
    """What the checks say in words, each once: which layers are alike, the optimism of the choice, notes, what went wrong."""
    told: dict[str, list[str]] = {}
    for name, result in results.items():
        for sentence in [result.error] if isinstance(result, FailedCheck) else [*CHECKS[name].findings(result), *result.notes]:
            # Checks that share their rows or fits share what is to be said of these.
            titles = told.setdefault(sentence, [])
            if CHECKS[name].title not in titles:
                titles.append(CHECKS[name].title)
    return [f"{', '.join(titles)}: {sentence}" for sentence, titles in told.items()]


def _with_interval(value: float, low: float | None, high: float | None) -> str:
    return f"{_cell(value)} [{_cell(low)} to {_cell(high)}]"


def _cell(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
