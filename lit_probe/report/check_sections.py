"""What the page says of each check that was run: a sentence on what it asks, its numbers, its rule and its notes.

A check that has no drawing or table of its own here is told by the ``columns`` of its entry in `CHECKS`.
"""

from __future__ import annotations

from collections.abc import Callable

from lit_probe.checks.agreement import Agreement
from lit_probe.checks.baselines import Baselines
from lit_probe.checks.battery import CHECKS
from lit_probe.checks.calibration import Calibration
from lit_probe.checks.check import CheckResult
from lit_probe.checks.description_length import DescriptionLength
from lit_probe.checks.layer_comparison import LayerComparison
from lit_probe.checks.learning_curve import LearningCurve
from lit_probe.checks.repeats import Repeats
from lit_probe.checks.selectivity import Selectivity
from lit_probe.data.asked import CLASSES, NUMBER
from lit_probe.encoder.sites import EMBEDDINGS
from lit_probe.figures import learning_curves_svg, reliability_svg
from lit_probe.report.html import Content, Html, join, tag
from lit_probe.report.numbers import At, with_interval
from lit_probe.report.parts import Numbering, source
from lit_probe.report.run_file import DatasetRun, Run
from lit_probe.scores.by_target import trivial_title

Rows = list[list[Content]]
# The heads and the rows of a table of layers.
LayerTable = tuple[list[Content], Rows]


def checks_section(run: Run, one: DatasetRun, numbering: Numbering) -> list[Html]:
    """The checks that were run and could be computed, in reading order."""
    made = [
        _check(run, one, check, found, numbering)
        for check in CHECKS
        if (found := one.result(check)) is not None and _has_answer(found)
    ]
    return made or [tag("p", "No check was run beside the scores.")]


def _has_answer(result: CheckResult) -> bool:
    return not isinstance(result, Agreement) or result.available


def _check(run: Run, one: DatasetRun, name: str, result: CheckResult, numbering: Numbering) -> Html:
    entry, at = CHECKS[name], one.at["checks"][name]
    head, question = _ABOUT.get(type(result), (entry.title, ""))
    target = CLASSES if one.facts.label_names else NUMBER
    rule = source(at, run.at.value["made_by"][name], entry.interval_of(target))
    told = [tag("p", text, dir="auto") for text in dict.fromkeys([*entry.findings(result), *result.notes])]
    return tag(
        "section",
        tag("h3", head),
        tag("p", question, class_="asked") if question else None,
        _drawing(one, result, at, numbering),
        _tables(one, name, result, at, numbering, rule),
        tag("div", told, class_="notes") if told else None,
        class_="check",
    )


# What is asked, by the kind of answer; any other check has the title of its entry.
_ABOUT: dict[type[CheckResult], tuple[str, str]] = {
    Selectivity: (
        "Selectivity",
        "Is the score owed to the activations, or to a probe that learns anything? The task’s score less that on control labels, "
        "which say nothing about the concept.",
    ),
    Baselines: ("Baselines", "What does the score have to beat? All are fitted on train and scored on dev."),
    LayerComparison: ("Comparison of layers", "Which layers can be told apart from the one that was chosen?"),
    DescriptionLength: (
        "Description length",
        "How many bits do the labels of train cost somebody who has the activations? Above 1, the compression to the label prior "
        "is owed to the activations.",
    ),
    LearningCurve: ("Learning curve", "Would more rows help?"),
    Calibration: (
        "Calibration",
        "Is the probe right as often as its probabilities say? Brier score and ECE: lower is better. ECE by chance is what a "
        "perfectly calibrated probe would have on so many rows.",
    ),
    Agreement: ("Probe against model", "Where are the probe and the checkpoint’s own head right?"),
    Repeats: (
        "Other splits",
        "How much do the scores owe to the one division into train and dev? Lowest to highest is no interval.",
    ),
}


def _drawing(one: DatasetRun, result: CheckResult, at: At, numbering: Numbering) -> Html | None:
    best = one.facts.best_layer
    if isinstance(result, LearningCurve):
        names = one.facts.layer_names
        curves = {f"layer {best}" if one.place_names is None else names[best]: at.value["layers"][best]["points"]}
        # Not all places of a network have them among them.
        if EMBEDDINGS in names and names[best] != EMBEDDINGS:
            curves[EMBEDDINGS] = at.value["layers"][names.index(EMBEDDINGS)]["points"]
        svg = learning_curves_svg(curves, at.value["majority"], result.metric, trivial_title(result.metric))
        label = f"{result.metric_title} on dev by the number of training rows."
        return numbering.figure(svg, label, f"{label} Bands: 95 % intervals over dev rows. Rows on a logarithmic scale.")
    if isinstance(result, Calibration) and result.layers[best].diagram:
        layer = at["layers"][best]
        svg = reliability_svg(layer.value["diagram"], layer.value["diagram_after"])
        label = "Share of right answers by how sure the probe is."
        caption = join(
            [label, " Layer ", one.place(at["layers"][best]["layer"]), ", n = ", at["n"].html, "; bars: 95 % intervals."]
        )
        return numbering.figure(svg, label, caption)
    return None


def _tables(one: DatasetRun, name: str, result: CheckResult, at: At, numbering: Numbering, rule: Html) -> list[Html]:
    if isinstance(result, Baselines):
        return _baselines(at, numbering, rule)
    made = _LAYERS.get(type(result), _by_columns)(one, name, at)
    if made is None:
        return [tag("p", rule, class_="source")]
    heads, rows = made
    reason = getattr(result, "reason", "")
    notes = [f"Not to be relied on: {reason}."] if reason and not getattr(result, "reliable", True) else []
    return [numbering.table(f"{CHECKS[name].title}, by layer.", heads, rows, source=rule, notes=notes)]


def _by_columns(one: DatasetRun, name: str, at: At) -> LayerTable | None:
    """The columns that the check gives to ``layers.json``; None where it gives none."""
    columns = CHECKS[name].columns
    if not columns or "layers" not in at or not at.value["layers"]:
        return None
    return _of_layers(one, at, {column.replace("_", " "): _field(field) for column, field in columns.items()})


def _field(field: str) -> Callable[[At], Content]:
    return lambda layer: layer[field].html


def _span(value: str, low: str = "low", high: str = "high") -> Callable[[At], Content]:
    return lambda layer: with_interval(layer[value], layer[low], layer[high])


def _of_layers(one: DatasetRun, at: At, cells: dict[str, Callable[[At], Content]]) -> LayerTable:
    """A row for each layer, the chosen one in bold."""
    rows: Rows = [[_layer(one, layer["layer"]), *(cell(layer) for cell in cells.values())] for layer in at["layers"]]
    return ["Layer", *cells], rows


def _layer(one: DatasetRun, at: At) -> Html:
    return tag("b", one.place(at), " (chosen)") if at.value == one.facts.best_layer else one.place(at)


def _selectivity(one: DatasetRun, name: str, at: At) -> LayerTable:
    heads, rows = _of_layers(
        one,
        at,
        {"Task": _field("task"), "Control (mean)": _field("control"), "Selectivity [95 % interval]": _span("selectivity")},
    )
    beside = [[*row, heart.html] for row, heart in zip(rows, at["memorisation"], strict=True)]
    return [*heads, "Memorisation"], beside


def _compared(one: DatasetRun, name: str, at: At) -> LayerTable:
    test = at.value["significance_test"]
    cells = {
        "Score less the chosen layer’s [95 % interval]": _span("difference"),
        f"p ({'McNemar' if test == 'mcnemar' else 'bootstrap'})": _field(f"p_{test}"),
        "p, Holm": _field("p_holm"),
        "Told apart": lambda layer: "–" if layer.value["p_holm"] is None else "no" if layer.value["indistinguishable"] else "yes",
    }
    return _of_layers(one, at, cells)


def _code(one: DatasetRun, name: str, at: At) -> LayerTable:
    names = {"Bits": "bits", "Uniform code": "uniform_bits", "Label prior": "prior_bits"}
    ratios = {"Compression to uniform": "compression", "Compression to prior": "compression_to_prior"}
    return _of_layers(one, at, {head: _field(field) for head, field in {**names, **ratios}.items()})


def _learnt(one: DatasetRun, name: str, at: At) -> LayerTable:
    rows: Rows = [[_layer(one, layer["layer"]), *(point["score"].html for point in layer["points"])] for layer in at["layers"]]
    return ["Layer", *(join(["n = ", size.html]) for size in at["n_train"])], rows


def _calibrated(one: DatasetRun, name: str, at: At) -> LayerTable:
    fields = {
        "Brier": "brier",
        "ECE": "ece",
        "ECE by chance": "ece_by_chance",
        "Temperature": "temperature",
        "Brier after": "brier_after",
        "ECE after": "ece_after",
    }
    return _of_layers(one, at, {head: _field(field) for head, field in fields.items()})


def _agreed(one: DatasetRun, name: str, at: At) -> LayerTable:
    counts = {"Both right": "both_right", "Probe only": "probe_only", "Model only": "model_only", "Both wrong": "both_wrong"}
    agreed = {"Same class [95 % interval]": _span("agreement")}
    return _of_layers(one, at, {**{head: _field(field) for head, field in counts.items()}, **agreed})


def _repeated(one: DatasetRun, name: str, at: At) -> LayerTable:
    cells = {
        "Score [95 % interval over rows]": _span("score"),
        "Mean": _field("mean"),
        "Lowest": _field("lowest"),
        "Highest": _field("highest"),
        "Standard deviation": _field("sd"),
        "Times chosen": _field("n_chosen"),
    }
    return _of_layers(one, at, cells)


_LAYERS: dict[type[CheckResult], Callable[[DatasetRun, str, At], LayerTable | None]] = {
    Selectivity: _selectivity,
    LayerComparison: _compared,
    DescriptionLength: _code,
    LearningCurve: _learnt,
    Calibration: _calibrated,
    Agreement: _agreed,
    Repeats: _repeated,
}


def _baselines(at: At, numbering: Numbering, rule: Html) -> list[Html]:
    """One table of those that read no layers, one of those that do."""
    measured = list(at["baselines"])
    whole = [one for one in measured if not one.value["per_layer"] and one.value["score"] is not None]
    by_layer = [
        one for one in measured if one.value["per_layer"] and any(cell.value["score"] is not None for cell in one["layers"])
    ]
    tables = []
    if whole:
        rows: Rows = [[one["title"].html, _marked(one)] for one in whole]
        notes = [f"*: not to be relied on, {one.value['reason']}." for one in whole if one.value["reason"]]
        tables.append(
            numbering.table(
                "Baselines that read the text alone.", ["Baseline", "Dev [95 % interval]"], rows, notes=notes, source=rule
            )
        )
    if by_layer:
        cells = [list(one["layers"]) for one in by_layer]
        rows = [[layer[0]["layer"].html, *(_marked(cell) for cell in layer)] for layer in zip(*cells, strict=True)]
        doubts = [cell.value["reason"] for layer in cells for cell in layer if cell.value["reason"]]
        notes = [f"*: not to be relied on, {reason}." for reason in doubts]
        heads = ["Layer", *(one["title"].html for one in by_layer)]
        caption = "Baselines that are probed layer by layer: means of random draws, with 95 % intervals over rows."
        tables.append(numbering.table(caption, heads, rows, notes=notes, source=rule))
    return tables or [tag("p", "No baseline could be measured.")]


def _marked(cell: At) -> Html:
    return join([with_interval(cell["score"], cell["low"], cell["high"]), None if cell.value["reliable"] else "*"])
