"""The whole page: one HTML file that needs no other, for the screen and for A4 paper."""

from __future__ import annotations

import shlex
from collections.abc import Mapping

from lit_probe.checks.provenance import flags_of
from lit_probe.checks.transfer import Transfer
from lit_probe.errors import LitProbeError
from lit_probe.figures import concept_map_svg
from lit_probe.report.comparison import beside, comparison_section
from lit_probe.report.dataset_section import dataset_sections
from lit_probe.report.html import Content, Html, join, name, tag
from lit_probe.report.methods import methods_section, references_section
from lit_probe.report.numbers import At, with_interval
from lit_probe.report.parts import Numbering, entries, source, words
from lit_probe.report.references import Citations
from lit_probe.report.run_file import Run
from lit_probe.report.unchecked import unchecked_section
from lit_probe.scores.by_target import ALL_METRICS
from lit_probe.scores.metrics import METRICS

# Nothing is loaded from anywhere and nothing runs, whatever stands in the data.
_POLICY = "default-src 'none'; style-src 'unsafe-inline'"

_CSS = """
:root { color: #202124; background: #fff; font: 15px/1.45 Roboto, "Helvetica Neue", Arial, sans-serif; }
body { max-width: 182mm; margin: 24px auto; padding: 0 16px; overflow-wrap: break-word; }
h1 { font-size: 1.7em; line-height: 1.2; margin: 0 0 .4em; }
h2 { font-size: 1.3em; margin: 1.8em 0 .5em; padding-top: .3em; border-top: 1px solid #dadce0; }
h3 { font-size: 1.05em; margin: 1.3em 0 .4em; }
h2.part { font-size: 1.5em; border-top: 3px solid #1f6180; }
h1, h2, h3, bdi, code, td, th, li { overflow-wrap: anywhere; }
p, ul { margin: .5em 0; }
ul { padding-left: 1.3em; }
.answer { background: #f3f8fa; border-left: 4px solid #1f6180; padding: .4em 1em; }
.note, .source, .notes, .quiet { color: #5f6368; }
.note, .source, .notes { font-size: .85em; }
.notes p { margin: .25em 0; }
.methods { text-align: justify; hyphens: auto; }
table { border-collapse: collapse; font-size: .85em; min-width: 75%; max-width: 100%; font-variant-numeric: tabular-nums; }
caption { text-align: left; padding: .3em 0; caption-side: top; }
th, td { text-align: left; vertical-align: top; padding: .18em .7em .18em 0; border-bottom: 1px solid #e8eaed; }
thead th { border-bottom: 1px solid #80868b; vertical-align: bottom; overflow-wrap: normal; }
tbody th { font-weight: normal; }
.interval { color: #5f6368; }
.interval, .agreement { white-space: nowrap; }
.n { overflow-wrap: anywhere; }
.table { margin: 1em 0 1.4em; }
figure { margin: 1em 0; }
figure svg { width: 100%; height: auto; max-height: 110mm; }
figure svg text { font-family: Roboto, "Helvetica Neue", Arial, sans-serif !important; }
figcaption { font-size: .85em; }
code, pre { font: .88em/1.4 "Roboto Mono", Consolas, Menlo, monospace; }
code { white-space: pre-wrap; overflow-wrap: anywhere; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: #f8f9fa; padding: .6em .8em; }
/* A long option breaks where the line ends, not behind the hyphens it begins with. */
.command { line-break: anywhere; }
a { color: #1f6180; }
@page { size: A4; margin: 16mm 14mm; @bottom-right { content: counter(page) " / " counter(pages); font: 8pt sans-serif; } }
@media print {
  :root { font-size: 10pt; }
  body { max-width: none; margin: 0; padding: 0; }
  h1, h2, h3, caption, thead, .asked { break-after: avoid; }
  .command { font-size: 7.5pt; }
  .bibtex { columns: 2; font-size: 6.5pt; }
  h2.part { break-before: page; }
  thead { display: table-header-group; }
  tr, figure, figcaption, li, .source, .note, .asked, .short { break-inside: avoid; }
  .answer { -webkit-print-color-adjust: exact; print-color-adjust: exact; }
  p { orphans: 3; widows: 3; }
}
"""


def report_html(run: Run, other: Run | None = None) -> str:
    """The page about a run, the same for the same run.

    Args:
      run: what was read from a ``layers.json``.
      other: a run to be set beside it.

    Raises:
      LitProbeError: the other run is the same one.
    """
    numbering, cite = Numbering(), Citations()
    several = len(run.datasets) > 1
    body: list[Content] = [_title(run), [_concepts(run, place, numbering) for place in range(len(run.maps))]]
    for one in run.datasets:
        if several:
            body.append(tag("h2", "Data set ", name(one.name), class_="part"))
        body.append(dataset_sections(run, one, numbering))
    methods = methods_section(run, cite)
    body += [
        _transfer(run, numbering),
        None if other is None else comparison_section(run, beside(run, other), numbering),
        _provenance(run, numbering),
        methods,
        # Before the references, which are long.
        unchecked_section(run),
        references_section(cite),
    ]
    head = tag(
        "head",
        tag("meta", charset="utf-8"),
        tag("meta", http_equiv="Content-Security-Policy", content=_POLICY),
        tag("meta", name="viewport", content="width=device-width, initial-scale=1"),
        tag("title", f"Layer probes: {run.encoder} on {', '.join(one.name for one in run.datasets)}"),
        tag("style", Html(_CSS)),
    )
    return f"<!DOCTYPE html>\n{tag('html', head, tag('body', tag('main', body)), lang='en')}\n"


def _title(run: Run) -> Html:
    data = words([name(one.name) for one in run.datasets])
    versions = run.at["versions"]
    return tag(
        "header",
        tag("h1", "Layer probes of ", name(run.encoder), " on ", data),
        tag(
            "p",
            "Report of one run of lit_probe",
            [" ", versions["lit-probe"].html] if "lit-probe" in versions else None,
            ". Every number stands in the run’s layers.json, at the place that is named under its table.",
            class_="note",
        ),
    )


def _concepts(run: Run, place: int, numbering: Numbering) -> Html:
    """The map of one data set, with its numbers."""
    one, at = run.maps[place], run.at["concepts"][place]
    label = "Concepts by layers: the share of the way from the majority baseline to a perfect score."
    rows: list[list[Content]] = [
        [
            name(row.value["target"]),
            row["headline"].html,
            row["baseline"].html,
            row["best_layer"].html,
            with_interval(chosen["score"], chosen["low"], chosen["high"]),
            row["test"]["value"].html,
            row["n"]["dev"].html,
        ]
        for row in at["rows"]
        for chosen in [row["cells"][row.value["best_layer"]]]
    ]
    heads: list[Content] = ["Concept", "Metric", "Baseline", "Layer", "Dev", "Test", "n of dev"]
    notes: list[Content] = [join([name(left.target), " was not asked: ", name(left.error)]) for left in one.unasked]
    return tag(
        "section",
        tag("h2", "Concepts of ", name(one.dataset), " by layers"),
        tag("p", "Which of them is decodable where? All are asked of the same rows. ", one.measure),
        numbering.figure(concept_map_svg(at.value), label, [label, " A frame marks the layer that was chosen on dev."]),
        numbering.table("Concepts at the layers chosen on dev.", heads, rows, notes=notes, source=source(at)),
        _joint(at, numbering),
    )


def _joint(at: At, numbering: Numbering) -> Html | None:
    """How well the values of a label are found together, where it has several."""
    joint = at.get("joint")
    if joint is None:
        return None
    scores = {"macro_f1": "Macro F1", "micro_f1": "Micro F1", "subset_accuracy": "All values right"}
    rows: list[list[Content]] = [
        [
            row["split"].html,
            *(with_interval(row[score]["value"], row[score]["low"], row[score]["high"]) for score in scores),
            row["subset_baseline"].html,
            row["n"].html,
        ]
        for row in joint
    ]
    heads = ["Split", *scores.values(), "All right by the most frequent answers", "n"]
    title = "All values together, each decided at its own dev-chosen layer, with 95 % intervals."
    return numbering.table(title, heads, rows, source=source(joint, joint.value[0]["made_by"]))


def _transfer(run: Run, numbering: Numbering) -> Html | None:
    if run.transfer is None or not any(isinstance(group, Transfer) for group in run.transfer.groups):
        return None
    at = run.at["transfer"]["groups"]
    tables = [
        _transfer_table(run, at[place], numbering)
        for place, group in enumerate(run.transfer.groups)
        if isinstance(group, Transfer)
    ]
    question = "Do the probes of one data set read the label off the texts of another one? Rows that their train rows tell "
    "of are left out."
    return tag("section", tag("h2", "Transfer between data sets"), tag("p", question), tables)


def _transfer_table(run: Run, at: At, numbering: Numbering) -> Html:
    """A row for each layer and pair of data sets."""
    rows: list[list[Content]] = []
    for layer in at["layers"]:
        for i, train in enumerate(at["train"]):
            for j, test in enumerate(at["test"]):
                cell = with_interval(layer["scores"][i][j], layer["low"][i][j], layer["high"][i][j])
                doubt = "*" if layer.value["reasons"][i][j] else ""
                rows.append([layer["layer"].html, name(train.value), name(test.value), join([cell, doubt]), at["n"][i][j].html])
    reasons = [reason for layer in at.value["layers"] for row in layer["reasons"] for reason in row if reason]
    notes = [*(f"*: {reason}." for reason in reasons), *at.value["notes"]]
    title = f"{METRICS[at.value['metric']].title} on dev rows of each data set, with 95 % intervals."
    heads = ["Layer", "Trained on", "Rows of", "Score", "n"]
    return numbering.table(title, heads, rows, notes=notes, source=source(at, run.at.value["made_by"]["transfer"]))


def _provenance(run: Run, numbering: Numbering) -> Html:
    at = run.at
    try:
        flags = flags_of(at.value, "This run")
        command = tag("pre", " \\\n  ".join(["lit-probe layers", *map(shlex.quote, flags)]), class_="command")
        also = [
            "The same with ",
            tag("code", "report"),
            " in place of ",
            tag("code", "layers"),
            " writes this page. ",
            tag("code", "lit-probe layers --from=layers.json"),
            " does the same run again too, and refuses where a file has changed since.",
        ]
        again = [command, tag("p", also, class_="note")]
    except LitProbeError as error:
        again = [tag("p", f"No command can do the same again: {error}")]
    settings: list[list[Content]] = [
        ["encoder", tag("code", at["model"]["id"].html)],
        ["revision", at["model"]["revision"].html] if at.value["model"].get("revision") else [],
        ["weights drawn by seed", at["model"]["random_weights"].html] if "random_weights" in at["model"] else [],
        ["dtype", tag("code", at["model"]["dtype"].html)] if "dtype" in at["model"] else [],
        *_facts({f"{part}, sha256": at["model"]["sha256"][part] for part in at.value["model"]["sha256"]}),
        *_facts({key: at[key] for key in ("pooling", "probe", "max_length", "keep", "template", "chat", "seed") if key in at}),
        ["places", entries(at["sites"])] if "sites" in at else [],
        ["activations kept as", at["cache_dtype"].html] if "cache_dtype" in at else [],
        *_facts({key: at["rules"][key] for key in at.value["rules"]}),
        ["control of selectivity", at["control"].html] if any("selectivity" in one.checks for one in run.datasets) else [],
        *_facts({f"version of {package}": at["versions"][package] for package in at.value["versions"]}),
    ]
    return tag(
        "section",
        tag("h2", "Provenance"),
        tag("h3", "The command", id="command"),
        again,
        numbering.table("Model, settings and versions.", ["What", "Value"], [row for row in settings if row], source=source(at)),
        _rules(run, numbering),
    )


def _facts(found: Mapping[str, At]) -> list[list[Content]]:
    return [[key.replace("_", " "), tag("code", at.html)] for key, at in found.items()]


def _rules(run: Run, numbering: Numbering) -> Html:
    """By which rule each number of this page is made."""
    used = ["probes", *ALL_METRICS]
    used += [key for key in run.at.value["made_by"] if any(one.result(key) for one in run.datasets)]
    used += ["near_duplicates"] if any("near_duplicates" in one.at for one in run.datasets) else []
    used += ["transfer"] if run.transfer is not None else []
    made_by = run.at["made_by"]
    rows = [[key.replace("_", " "), made_by[key].html] for key in dict.fromkeys(used) if key in made_by]
    return numbering.table("The rule by which each number is made.", ["Number", "Rule"], rows, source=source(made_by))
