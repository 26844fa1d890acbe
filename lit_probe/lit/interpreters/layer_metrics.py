"""How well the probe of every layer does on exactly the rows that are asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from lit_probe.checks.baselines import panel_baselines
from lit_probe.data.asked import CLASSES, NUMBER, TEXT, WORD, UnitKind
from lit_probe.data.labelled_texts import SPLIT_NAMES, SplitName
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import fields
from lit_probe.lit.host.asked_rows import readings_of, rows_of
from lit_probe.lit.host.config_values import any_text, boolean, one_of
from lit_probe.lit.host.dataset import NEAR_COPIES_LATER, ProbeDataset
from lit_probe.lit.host.model import ProbeModel
from lit_probe.lit.host.row_selection import HELD_OUT
from lit_probe.lit.interpreters.probe_interpreter import ProbeInterpreter
from lit_probe.lit.interpreters.question import Question
from lit_probe.probing.layerwise import LayerMetrics
from lit_probe.probing.study import unknown_words
from lit_probe.registry import lookup
from lit_probe.scores.by_target import metrics_of
from lit_probe.scores.decision import DECISION_RULES, Decision
from lit_probe.scores.metrics import METRICS, Score
from lit_probe.scores.number_rows import NUMBER_METRICS

HEADLINE = "headline"
# The rule by which the study decides classes.
OF_STUDY = "of the study"
_ROWS: dict[UnitKind, str] = {TEXT: "texts", WORD: "words"}
DECISION = one_of((OF_STUDY, *DECISION_RULES), OF_STUDY)


class LayerMetricsInterpreter(ProbeInterpreter):
    """At which layer is the concept decodable? One score per layer and split, with its 95 % interval.

    Edited rows are never scored, nor are rows of another data set that the probes know from training. Train rows are scored
    where that is asked for, which shows how well the probes fit. ``whole`` scores every row of the data set on the page, those
    too that LIT does not show, whatever examples are sent: the numbers of the command line.
    """

    # The metrics of single classes, such as ``recall:positive``, may be named as well.
    keys = {
        "metric": replace(
            any_text(HEADLINE),
            limits={"choices": [HEADLINE, *(name for name, metric in METRICS.items() if not metric.per_class), *NUMBER_METRICS]},
        ),
        "decision": DECISION,
        "train": boolean(False),
        "whole": boolean(False),
    }
    form = ("metric", "decision", "train")
    reads_texts = True
    remembers = True
    waits_for_rows = True
    units = (TEXT, WORD)
    targets = (CLASSES, NUMBER)

    def check(self, question: Question) -> None:
        """Refuses a metric that there is not for these classes."""
        if question["metric"] != HEADLINE:
            lookup(metrics_of(question.probes.label_names), question["metric"], "metric")

    def answer(self, question: Question) -> dict[str, Any]:
        """The scores of the rows; edited ones and rows without a label are counted and left out."""
        probes, rows_from, study = question.probes, question.shown, question.study
        metrics, asked = metrics_of(probes.label_names), question["metric"]
        metric = metrics[study.headline if asked == HEADLINE else asked]
        decision = decision_of(question)
        wanted = SPLIT_NAMES if question["train"] else HELD_OUT
        whole = rows_from is not None and question["whole"]
        selection = rows_of(question.inputs, probes, rows_from, wanted, whole=whole)
        # Asked once: what is found meanwhile is told by the panel's next question.
        looking = rows_from is probes.dataset and probes.dataset.copies.looking
        notes = _origins(probes, rows_from, looking=looking)
        series = []
        for split, rows in selection.by_split.items():
            read = readings_of(probes, split, rows)
            measured = LayerMetrics.measure(
                split,
                read.predictions,
                rows.labels,
                probes.label_names,
                study.splits.train.labels,
                groups=rows.groups,
                seed=study.seed,
                metrics=[metric.name],
                decision=decision,
            )
            series.append(series_of(measured, metric.name, range(probes.encoder.n_layers)))
            notes += [unknown_words(split, read.unknown, _ROWS[probes.unit])] if (read.unknown > 0).any() else []
            notes += _truncation(split, int(read.truncated.sum()), len(rows), probes) + _missing_intervals(
                split, measured.scores[metric.name]
            )
        return {
            "metric": metric.name,
            "metric_title": metric.title,
            "higher_is_better": metric.higher_is_better,
            "headline": study.headline,
            "decision": decision.to_json() if metric.decides else None,
            "decision_of_study": study.decision.rule,
            "decided_by": decision.sentence if metric.decides else "",
            "metrics": [{"name": one.name, "title": one.title} for one in metrics.values()],
            "best_layer": study.best_layer,
            "chosen_on": "dev",
            "choice": {**study.choice.to_json(), "sentence": study.choice.told(probes.layer_names)},
            "n_layers": probes.encoder.n_layers,
            "layer_names": probes.layer_names,
            "sites": probes.sites,
            "d_model": probes.encoder.d_model,
            "pooling": study.pooling,
            "probe": study.layerwise.kind,
            "label_names": list(probes.label_names),
            "encoder": probes.encoder.name,
            "trained_on": probes.dataset.name,
            "asked_of": probes.asked_of,
            "own_rows": rows_from is probes.dataset,
            "n_rows": 0 if rows_from is None else sum(len(rows) for _, rows in rows_from.splits.items()),
            "circular": probes.circularity,
            "not_converged": study.layerwise.not_converged,
            "series": series,
            "left_out": dict(selection.left_out),
            "notes": notes,
            **({"unit": WORD} if probes.unit == WORD else {}),
            **({"looking_for_copies": True} if looking else {}),
            "baselines": panel_baselines(study.splits),
        }


def decision_of(question: Question) -> Decision:
    """The rule by which the key ``decision`` says that rows are put in a class."""
    study = question.study
    if question["decision"] == OF_STUDY:
        return study.decision
    return Decision.by(question["decision"], study.splits.train.labels, len(question.probes.label_names))


def series_of(measured: LayerMetrics, metric: str, layers: Sequence[int]) -> dict[str, Any]:
    """The scores of some layers on one split, as the page draws them."""
    scores = measured.scores[metric]
    doubts = [score.reason for score in scores if not score.reliable]
    unreliable = len(doubts) == len(scores)
    return {
        "split": measured.split,
        "n": measured.n,
        "n_by_class": list(measured.n_by_class),
        "majority": measured.majority[metric],
        "reliable": not unreliable,
        "reason": doubts[0] if unreliable else "",
        "layers": [
            {"layer": layer, "score": score.value, "low": score.low, "high": score.high}
            for layer, score in zip(layers, scores, strict=True)
        ],
    }


def _missing_intervals(split: SplitName, scores: Sequence[Score]) -> list[str]:
    """Why layers that have a score have no interval, with the layers that share a reason in one note."""
    layers_by_reason: dict[str, list[str]] = {}
    for layer, score in enumerate(scores):
        if score.value is not None and score.low is None:
            layers_by_reason.setdefault(score.reason, []).append(str(layer))
    return [f"{_layer_list(layers)} on {split}: {reason}." for reason, layers in layers_by_reason.items()]


def _layer_list(layers: Sequence[str]) -> str:
    """Layers at the beginning of a sentence.

    >>> _layer_list(["2"]), _layer_list(["0", "1", "4"])
    ('Layer 2', 'Layers 0, 1 and 4')
    """
    return f"Layer {layers[0]}" if len(layers) == 1 else f"Layers {', '.join(layers[:-1])} and {layers[-1]}"


def _origins(probes: ProbeModel, dataset: ProbeDataset | None, *, looking: bool) -> list[str]:
    """What a reader must know about where the probes and their layers come from; ``looking`` as of `_copies`."""
    notes = []
    if dataset is not None and dataset is not probes.dataset:
        notes.append(f"The probes were trained on {probes.dataset.name}; these are rows of {dataset.name}.")
    if probes.circularity:
        notes.append(f"Circular: {probes.circularity}")
    elif probes.encoder.head_label_names is not None:
        notes.append("This checkpoint was fine-tuned to classify: what its layers show may have been put there by that task.")
    encoder = probes.encoder
    names = [] if encoder.has_network else [_fields_of_layers(encoder.layer_names)]
    # Where places have names, its name says so.
    if encoder.ends_in_norm and not encoder.at_sites:
        notes.append(f"Layer {encoder.n_layers - 1} is read after the final norm, as transformers gives it.")
    marked = probes.reader is None
    copies = _copies(probes.dataset, marked=marked, looking=looking) if dataset is probes.dataset else ()
    return [*names, *notes, *copies]


def _copies(dataset: ProbeDataset, *, marked: bool, looking: bool) -> list[str]:
    """Which copies across the splits were removed when the data set was read, and which are left.

    Args:
      dataset: the data set.
      marked: whether LIT shows our column that marks them.
      looking: whether they are still being looked for; then the panel asks for those that are left.
    """
    dropped = dataset.splits.provenance.get("dropped") or {}
    # Exact copies, and what stood in one group with a row of another split.
    removed = [f"{count:,} {reason}" for reason, count in dropped.items() if count and "also stands in" in reason]
    told = f"Copies across splits: {', '.join(removed) or 'none'} removed at load"
    column = NEAR_COPIES_LATER
    if dataset.copies.known_at_once is not None:
        column = f"The rows with a copy in train are marked in the column {fields.IN_TRAIN}."
    of_column = [column] if marked else []
    if looking:
        return [f"{told}.", *of_column]
    try:
        copies = dataset.copies.result()
    except LitProbeError as error:
        return [f"{told}.", str(error), *of_column]  # the curve does not hang on it
    notes = [f"{told}; {copies.exact:,} exact and {copies.near:,} near ones left."]
    return [*notes, *copies.notes, *of_column] if copies.exact or copies.near else notes


def _fields_of_layers(names: Sequence[str]) -> str:
    """Which field each layer is.

    >>> _fields_of_layers(["first", "second"])
    'The layers are fields of the model: 0 first, 1 second.'
    """
    return f"The layers are fields of the model: {', '.join(f'{layer} {name}' for layer, name in enumerate(names))}."


def _truncation(split: SplitName, n_truncated: int, n_texts: int, probes: ProbeModel) -> list[str]:
    if not n_truncated:
        return []
    kept = f"{probes.encoder.max_length} tokens (kept: {probes.encoder.keep})"
    rows = {TEXT: "texts", WORD: "words stand in texts that"}[probes.unit]
    return [f"{n_truncated:,} of {n_texts:,} {split} {rows} were truncated to {kept}."]
