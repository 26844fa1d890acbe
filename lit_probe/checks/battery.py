"""The battery of checks that a careful reader asks of a layer curve, in reading order, each computed when asked for and cached.

All of them are computed on dev; test is read for one score alone, the one that every study reports.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lit_probe.checks.agreement import agreement
from lit_probe.checks.baselines import BASELINES, measure_baselines
from lit_probe.checks.calibration import calibration
from lit_probe.checks.description_length import description_length
from lit_probe.checks.layer_comparison import compare_layers
from lit_probe.checks.leakage import near_duplicates
from lit_probe.checks.learning_curve import learning_curve
from lit_probe.checks.selectivity import selectivity
from lit_probe.data.labelled_texts import Splits
from lit_probe.encoder.cache import Cache, text_hash
from lit_probe.errors import CancelledError, LitProbeError, UnknownNameError
from lit_probe.probing.study import LayerStudy
from lit_probe.progress import Progress, StudyProgress, no_progress, of_step
from lit_probe.registry import lookup

# Hears how much is done of how much. What it raises ends the computation: `CancelledError` where it is not wanted any more.


@dataclass(frozen=True)
class Check:
    """One question to a study.

    Attributes:
      title: the name people read.
      compute: answers it, JSON-ready: ``layers`` with one dict per layer, ``notes`` with sentences. The last argument is the
        variant; None where there are none, or for all of them (of baselines: a list).
      variant: what the variants are, such as ``"control"``; None where there are none.
      default: the variant that is meant where none is named; None where the check then takes all of them.
      quick: whether it takes about a second at most; the others fit probes.
      keeps_parts: whether ``compute`` itself caches its parts, each under what decides it.
    """

    title: str
    compute: Callable[[LayerStudy, Cache, Progress, str | None], dict[str, Any]]
    variant: str | None = None
    default: str | None = None
    quick: bool = False
    keeps_parts: bool = False


def _selectivity(study: LayerStudy, cache: Cache, progress: Progress, control: str | None) -> dict[str, Any]:
    assert control is not None
    return selectivity(study, control, progress=progress)


def _baselines(study: LayerStudy, cache: Cache, progress: Progress, name: str | None) -> dict[str, Any]:
    if name is None:
        return measure_baselines(study, cache, progress)
    one: dict[str, Any] = measure_baselines(study, cache, progress, (name,))["baselines"][0]
    return one


CHECKS: dict[str, Check] = {
    "selectivity": Check("Selectivity", _selectivity, variant="control", default="word"),
    "baselines": Check("Baselines", _baselines, variant="baseline", keeps_parts=True),
    "layer_comparison": Check("Comparison of layers", lambda study, *_: compare_layers(study), quick=True),
    "description_length": Check(
        "Description length", lambda study, cache, progress, _: description_length(study, cache, progress)
    ),
    "learning_curve": Check("Learning curve", lambda study, cache, progress, _: learning_curve(study, cache, progress)),
    "calibration": Check("Calibration", lambda study, _, progress, __: calibration(study, progress), quick=True),
    "agreement": Check("Probe against model", lambda study, *_: agreement(study), quick=True),
}


def find_check(name: str, variant: str | None = None) -> Check:
    """The check of that name.

    Raises:
      UnknownNameError: there is none, or it has no variants.

    >>> find_check("selectivity", "first_word").title
    'Selectivity'
    """
    check = lookup(CHECKS, name, "check")
    if variant is not None and check.variant is None:
        raise UnknownNameError(f"The check {name!r} has no variants, such as {variant!r}.")
    return check


def run_check(
    name: str, study: LayerStudy, cache: Cache | None = None, progress: Progress = no_progress, variant: str | None = None
) -> dict[str, Any]:
    """Computes one check of a study, or reads it from the cache.

    Args:
      name: in `CHECKS`.
      study: the fitted study.
      cache: where results are kept; without one everything is computed.
      progress: hears how far it is, and may end it.
      variant: a control of selectivity, or one baseline; None for the default.

    Returns:
      JSON-ready, see the check's own function; numbers are finite or None.

    Raises:
      UnknownNameError: there is no such check or variant.
      CancelledError: from ``progress``.
      LitProbeError: it cannot be computed from these data; the message says why.
    """
    check, cache = find_check(name, variant), cache or Cache(None)
    variant = variant or check.default

    def compute() -> dict[str, Any]:
        return check.compute(study, cache, progress, variant)

    if check.keeps_parts:
        return compute()
    facts = {
        "check": name,
        "variant": variant,
        "study": study.fingerprint,
    }
    return cache.json_result("checks", facts, compute)


def stored_near_duplicates(splits: Splits, cache: Cache) -> dict[str, Any]:
    """`leakage.near_duplicates`, computed or read from the cache. It needs no study, so it is known before any is made."""
    facts = {"texts": {name: text_hash(rows.texts) for name, rows in splits.items()}}
    return cache.json_result("near_duplicates", facts, lambda: near_duplicates(splits))


def run_battery(
    study: LayerStudy,
    cache: Cache | None = None,
    progress: StudyProgress | None = None,
    names: Sequence[str] = tuple(CHECKS),
    variants: Mapping[str, str] | None = None,
) -> dict[str, dict[str, Any]]:
    """The named checks of a study, by name.

    A check that cannot be computed from these data holds the sentence that says so, as its ``error``.

    Args:
      study: the fitted study.
      cache: where results are kept.
      progress: hears how far each check is; what it raises ends the battery.
      names: which checks, in `CHECKS`; all of them by default.
      variants: by check the variant that is meant, such as ``{"selectivity": "first_word"}``; the default where none is named.

    Raises:
      CancelledError: from ``progress``.
    """
    results: dict[str, dict[str, Any]] = {}
    for name in names:
        check = find_check(name)
        try:
            step = of_step(progress, f"{check.title} on {study.splits.name}", "steps")
            results[name] = run_check(name, study, cache, step, (variants or {}).get(name))
        except CancelledError:
            raise
        except LitProbeError as error:
            results[name] = {"error": str(error)}
    return results


def layer_columns(results: dict[str, dict[str, Any]], n_layers: int) -> list[dict[str, Any]]:
    """What ``layers.json`` says of each layer beside its scores, from `run_battery`.

    Returns:
      Per layer: ``selectivity`` with its interval ``selectivity_low`` and ``selectivity_high``; ``baselines``: by name the score
      that the layer has to beat, the same at each layer for those that read no encoder; ``description_length`` in bits and
      ``compression`` against the uniform code; ``brier`` and ``ece``; ``agreement`` with the checkpoint's own head. None where a
      check could not be computed.
    """

    def cell(check: str, layer: int, key: str) -> Any:
        layers = results.get(check, {}).get("layers", [])
        return layers[layer][key] if layers else None

    measured = {one["name"]: one for one in results.get("baselines", {}).get("baselines", [])}

    def baseline(name: str, layer: int) -> float | None:
        one = measured.get(name, {})
        score: float | None = one["layers"][layer]["score"] if "layers" in one else one.get("score")
        return score

    return [
        {
            "selectivity": cell("selectivity", layer, "selectivity"),
            "selectivity_low": cell("selectivity", layer, "low"),
            "selectivity_high": cell("selectivity", layer, "high"),
            "baselines": {name: baseline(name, layer) for name in BASELINES},
            "description_length": cell("description_length", layer, "bits"),
            "compression": cell("description_length", layer, "compression"),
            "brier": cell("calibration", layer, "brier"),
            "ece": cell("calibration", layer, "ece"),
            "agreement": cell("agreement", layer, "agreement"),
        }
        for layer in range(n_layers)
    ]


def check_table(results: dict[str, dict[str, Any]], n_layers: int) -> str:
    """The checks as text: one line per layer, then a line for each thing to know about a check, or why it has no result."""
    columns = layer_columns(results, n_layers)
    baselines = [name for name in BASELINES if any(row["baselines"][name] is not None for row in columns)]
    measures = [name for name in ("compression", "brier", "ece", "agreement") if any(row[name] is not None for row in columns)]
    heads = ["selectivity", "95 % interval", *measures, *baselines]
    lines = [f"{'layer':>5}  " + "  ".join(f"{head:>14}" for head in heads)]
    for layer, row in enumerate(columns):
        interval = f"{_cell(row['selectivity_low'])}–{_cell(row['selectivity_high'])}"
        cells = [_cell(row["selectivity"]), interval, *(_cell(row[name]) for name in measures)]
        cells += [_cell(row["baselines"][name]) for name in baselines]
        lines.append(f"{layer:>5}  " + "  ".join(f"{cell:>14}" for cell in cells))
    return "\n".join([*lines, *_remarks(results)])


def _remarks(results: dict[str, dict[str, Any]]) -> list[str]:
    """What the checks say in words, each once: which layers are alike, the optimism of the choice, notes, what went wrong."""
    told: dict[str, list[str]] = {}
    for name, result in results.items():
        for sentence in (*_findings(name, result), *result.get("notes", []), *([result["error"]] if "error" in result else [])):
            # Checks that share their rows or fits share what is to be said of these.
            titles = told.setdefault(sentence, [])
            if CHECKS[name].title not in titles:
                titles.append(CHECKS[name].title)
    return [f"{', '.join(titles)}: {sentence}" for sentence, titles in told.items()]


def _findings(name: str, result: dict[str, Any]) -> list[str]:
    """The numbers of a check that belong to no layer, as sentences."""
    if name == "layer_comparison" and "layers" in result:
        return [_alike(result), *_optimism(result["optimism"])]
    if name == "baselines" and "baselines" in result:
        cells = [(one["title"], one["layers"][0] if one["per_layer"] else one) for one in result["baselines"]]
        return [f"{title} has no score: {cell['reason'].rstrip('.')}." for title, cell in cells if cell["score"] is None]
    if name == "agreement" and result.get("available"):
        return [f"The model's own head has an accuracy of {_with_interval(result['model'], 'accuracy')} on n = {result['n']:,}."]
    return []


def _alike(comparison: dict[str, Any]) -> str:
    best = comparison["best_layer"]
    alike = [str(row["layer"]) for row in comparison["layers"] if row["indistinguishable"] and row["layer"] != best]
    if not alike:
        return f"Every other layer differs from layer {best}, the best on dev."
    return f"Layers that cannot be told apart from layer {best}, the best on dev: {', '.join(alike)}."


def _optimism(one: dict[str, Any]) -> list[str]:
    if one["optimism"] is None:
        return []
    scores = f"dev {_cell(one['dev'])} less test {_cell(one['test'])} is {_with_interval(one, 'optimism')}"
    return [f"Optimism of choosing layer {one['layer']} on dev: {scores}."]


def _with_interval(one: dict[str, Any], name: str) -> str:
    return f"{_cell(one[name])} [{_cell(one['low'])} to {_cell(one['high'])}]"


def _cell(value: float | None) -> str:
    return "n/a" if value is None else f"{value:.3f}"
