"""Two runs side by side: what differs, both curves, and the differences where the same rows were scored in the same way."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lit_probe.data.labelled_texts import SPLIT_NAMES
from lit_probe.errors import LitProbeError
from lit_probe.figures import two_layer_curves_svg
from lit_probe.report.html import Content, Html, join, name, tag
from lit_probe.report.numbers import At, score, shown
from lit_probe.report.parts import Numbering, entries, listed, source
from lit_probe.report.run_file import DatasetRun, Run
from lit_probe.scores.by_target import ALL_METRICS

_SETTINGS = ("pooling", "probe", "max_length", "keep", "template", "chat", "seed")


def beside(run: Run, other: Run) -> Run:
    """The other run, so marked that its numbers say whose they are.

    Raises:
      LitProbeError: it is the same run.
    """
    if run.at.value == other.at.value:
        raise LitProbeError(
            "The run to compare with is the same run. Name the layers.json of another one with the option compare."
        )
    at = At(other.at.value, (), "other")
    datasets = tuple(replace(one, at=At(one.at.value, one.at.path, "other")) for one in other.datasets)
    return Run(at, datasets, other.transfer, other.maps)


def comparison_section(run: Run, other: Run, numbering: Numbering) -> Html:
    """The section.

    Args:
      run: the report's own run, called A.
      other: the one beside it, from `beside`, called B.
      numbering: the page's.
    """
    return tag(
        "section",
        tag("h2", "Two runs side by side"),
        tag("p", tag("b", "A"), " is the run of this report, ", tag("b", "B"), " the other one."),
        _settings(run, other, numbering),
        [_pair(one, _partner(one, other), run, other, numbering) for one in run.datasets],
    )


def _partner(one: DatasetRun, other: Run) -> DatasetRun:
    """The data set of the other run to be drawn beside: with the same rows, else of the same name, else the first."""
    same_rows = [two for two in other.datasets if not list(_obstacles(one, two))]
    same_name = [two for two in other.datasets if two.name == one.name]
    return (same_rows or same_name or list(other.datasets))[0]


def _settings(run: Run, other: Run, numbering: Numbering) -> Html:
    def row(title: str, of_a: At | None, of_b: At | None) -> list[Content]:
        cells = [tag("span", "–") if at is None else _shown(at) for at in (of_a, of_b)]
        same = (of_a.value if of_a else None) == (of_b.value if of_b else None)
        return [
            title,
            *(tag("code", cell) for cell in cells),
            tag("span" if same else "b", "same" if same else "differs", class_="agreement"),
        ]

    def find(at: At, *keys: str) -> At | None:
        for key in keys:
            if key not in at:
                return None
            at = at[key]
        return at

    paths = {
        "encoder": ("model", "id"),
        "weights, sha256": ("model", "sha256", "weights"),
        "seed of random weights": ("model", "random_weights"),
        "dtype": ("model", "dtype"),
        **{key.replace("_", " "): (key,) for key in _SETTINGS},
        "places": ("sites",),
        "activations kept as": ("cache_dtype",),
        **{key.replace("_", " "): ("rules", key) for key in run.at.value["rules"]},
        "lit_probe": ("versions", "lit-probe"),
    }
    found = {title: (find(run.at, *keys), find(other.at, *keys)) for title, keys in paths.items()}
    rows = [row(title, *pair) for title, pair in found.items() if any(at is not None for at in pair)]
    return numbering.table("The settings of both runs.", ["Setting", "A", "B", ""], rows)


def _shown(at: At) -> Html:
    return entries(at) if isinstance(at.value, list) else at.html


def _pair(one: DatasetRun, two: DatasetRun, run: Run, other: Run, numbering: Numbering) -> Html:
    metric = one.facts.headline
    obstacles = list(_obstacles(one, two))
    figure = numbering.figure(
        two_layer_curves_svg([("A", one.at.value), ("B", two.at.value)], metric),
        f"{ALL_METRICS[metric].title} on dev by layer, of two runs.",
        join(
            [
                f"{ALL_METRICS[metric].title} on dev. A: ",
                name(run.encoder),
                " on ",
                name(one.name),
                "; B: ",
                name(other.encoder),
                " on ",
                name(two.name),
                ". Bands: 95 % intervals; vertical lines: the layers that were chosen on dev.",
            ]
        ),
    )
    parts: list[Html | None] = [tag("h3", name(one.name), " and ", name(two.name)), figure, _chosen(one, two, numbering)]
    if obstacles:
        parts += [tag("p", "No differences are given, because the two are not comparable row by row:"), listed(obstacles)]
    else:
        parts += [
            _differences(one, two, numbering),
            tag(
                "p",
                "The differences have no interval: a paired one needs what each probe says of each row, which layers.json "
                "does not "
                "hold. Two intervals that overlap do not show that there is no difference. In LIT, the panel Probe by layer "
                "compares "
                "several encoders on the same rows, with intervals.",
                class_="note",
            ),
        ]
    return tag("section", parts)


def _obstacles(one: DatasetRun, two: DatasetRun) -> Iterator[Content]:
    """Why the scores of two data sets are not about the same rows, scored in the same way."""
    if one.facts.label_names != two.facts.label_names:
        yield (
            "The classes differ."
            if one.facts.label_names and two.facts.label_names
            else "One asks for classes, one for a number."
        )
    for split in SPLIT_NAMES:
        of_a, of_b = ((of.facts.data.get("sha256") or {}).get(split) for of in (one, two))
        if of_a is None or of_b is None:
            yield f"The {split} rows of one of them have no hash, so nobody can tell whether they are the same."
        elif of_a != of_b:
            yield f"The {split} rows differ (their sha256 does)."
    if one.facts.headline != two.facts.headline:
        yield "They compare layers by different metrics."
    if one.facts.decision != two.facts.decision:
        yield "They put rows in classes by different rules."


def _chosen(one: DatasetRun, two: DatasetRun, numbering: Numbering) -> Html:
    """Each run's chosen layer, by its own headline metric."""
    rows: list[list[Content]] = [
        [
            letter,
            ALL_METRICS[of.facts.headline].title,
            of.place(of.at["best_layer"]),
            score(of.chosen, of.facts.headline),
            of.chosen["n"].html,
            score(of.at["test"], of.facts.headline),
            of.at["test"]["n"].html,
        ]
        for letter, of in (("A", one), ("B", two))
    ]
    heads = ["Run", "Metric", "Layer", "Dev", "n of dev", "Test", "n of test"]
    return numbering.table("The chosen layers, with 95 % intervals.", heads, rows, source=source(two.at))


def _differences(one: DatasetRun, two: DatasetRun, numbering: Numbering) -> Html:
    metric = one.facts.headline
    rows: list[list[Content]] = []
    named = one.place_names is not None or two.place_names is not None
    for in_a, in_b in _same_places(one, two, by_name=named):
        of_a, of_b = one.at["layers"][in_a], two.at["layers"][in_b]
        place = one.at["layer_names"][in_a] if named else of_a["layer"]
        rows.append([place.html, score(of_a, metric), score(of_b, metric), _less(of_a[metric], of_b[metric])])
    if not rows:
        return tag("p", "The runs have no place in common, so no scores are compared place by place.")
    depth = ""
    if named and one.facts.layer_names != two.facts.layer_names:
        depth = " Only places that both runs have stand here."
    elif len(one.facts.layer_names) != len(two.facts.layer_names):
        depth = (
            " The runs have different numbers of layers: the same number is another depth, and only those that both have "
            "stand here."
        )
    title = f"{ALL_METRICS[metric].title} on the same dev rows, layer by layer.{depth}"
    return numbering.table(title, ["Layer", "A", "B", "A less B"], rows, source=source(two.at["layers"]))


def _same_places(one: DatasetRun, two: DatasetRun, *, by_name: bool) -> Iterator[tuple[int, int]]:
    """The numbers in both runs of what is compared: layers by their number, other places by their name."""
    names, others = one.facts.layer_names, two.facts.layer_names
    if by_name:
        yield from ((place, others.index(name)) for place, name in enumerate(names) if name in others)
    else:
        yield from ((place, place) for place in range(min(len(names), len(others))))


def _less(one: At, other: At) -> Html:
    """The difference of two values, with the places of both."""
    difference = None if one.value is None or other.value is None else one.value - other.value
    return tag("span", shown(difference), data_at=one.pointer, data_less=other.pointer, class_="n")
