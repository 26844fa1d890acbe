"""Curves as pictures. The only file that imports matplotlib."""

from __future__ import annotations

import io
import logging
import math
import re
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from lit_probe.errors import LitProbeError

if TYPE_CHECKING:
    from matplotlib.figure import Figure as Figure

FIGURE_FORMATS = ("svg", "png", "pdf")
"""What a figure can be written as, by the ending of its file."""

# Pixels for an inch of a figure that is made of them.
_DOTS = 200
# The colours of the page; a test holds them against its palette.
_BLUE = "#1F6180"
_ORANGE = "#D55E00"
_GREY = "#5F6368"
_GREEN = "#009E73"
_VIOLET = "#9B5DE5"
_BROWN = "#5A3A00"
_ROSE = "#A03060"
_PURPLE = "#4C2473"
_TEXT = "#3C4043"
_HEAT = ("#F8FBFC", "#7BCCCC", "#114566")
_FONTS = ["Roboto", "Helvetica Neue", "Arial", "DejaVu Sans"]
_LAYER_CURVE_SIZE = (7.6, 3.8)  # inches
_GRID_ROOM = (3.2, 0.24)  # inches that a grid of heads takes at least, and those of each block
# How kinds of places are drawn: the known ones in this order, then whatever else is read.
_FAMILIES = ("layers", "attention", "mlp", "mlp_neurons")
_FAMILY_STYLES = ((_BLUE, "o"), (_GREEN, "s"), (_VIOLET, "D"), (_BROWN, "^"), (_ROSE, "o"))
_HEADS = "heads"
# In more columns than these, numbers would not fit into the cells of a map.
_MOST_NUMBERED = 16
_PICTURES_IN_LINE = 5
_MOST_LEGEND = 12
# More numbers than these under an axis would run into one another.
_MOST_TICKS = 25


class Style(Protocol):
    """How a baseline is drawn, as an entry of the registry of baselines says it."""

    @property
    def color(self) -> str:
        """As ``#RRGGBB``."""

    @property
    def dash(self) -> str:
        """Lengths of strokes and gaps, as in SVG's ``stroke-dasharray``."""

    @property
    def in_figure(self) -> bool:
        """Whether it is drawn at all."""


def save_layer_curve(result: Mapping[str, Any], title: str, path: Path, baselines: Mapping[str, Style]) -> None:
    """Writes ``layer_curve`` into a file.

    Args:
      result: what ``LayerStudy.to_json`` returns; with the baselines under ``checks``, if they were measured.
      title: written above the curve.
      path: the file; its suffix names the format (``.svg``, ``.pdf``, ``.png``).
      baselines: how each baseline is drawn, by name.
    """
    with _figure(path, _size_of(result)) as figure:
        _draw_layer_curve(figure, result, title, baselines)


def layer_curve_svg(result: Mapping[str, Any], baselines: Mapping[str, Style]) -> str:
    """The figure of `save_layer_curve`, without a title, as the text of an SVG file: the same for the same numbers."""
    return _svg(_size_of(result), lambda figure: _draw_layer_curve(figure, result, "", baselines))


def two_layer_curves_svg(runs: Sequence[tuple[str, Mapping[str, Any]]], metric: str) -> str:
    """The curves of two runs on one pair of axes, as the text of an SVG file.

    Args:
      runs: what each is called, and what ``LayerStudy.to_json`` returns of it.
      metric: the metric that is drawn.
    """

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for (name, result), color, marker, dash in zip(runs, (_BLUE, _ORANGE), "os", ("-", "--"), strict=True):
            kinds = kinds_of_places(result)
            runs_of_rows = (
                [result["layers"]] if kinds is None else [[result["layers"][i] for i in some] for some in kinds.values()]
            )
            # No line goes from one kind of places to the next.
            for place, some in enumerate(runs_of_rows):
                rows = [row for row in some if row[metric] is not None]
                layers = [row["layer"] for row in rows]
                if all(row[f"{metric}_low"] is not None for row in rows):
                    low, high = [row[f"{metric}_low"] for row in rows], [row[f"{metric}_high"] for row in rows]
                    axes.fill_between(layers, low, high, color=color, alpha=0.14, linewidth=0)
                label = name if place == 0 else "_nolegend_"
                axes.plot(layers, [row[metric] for row in rows], color=color, marker=marker, linestyle=dash, label=label)
            axes.axvline(result["best_layer"], color=color, linestyle=":", linewidth=1)
        _name_axes(axes, max(len(result["layers"]) for _, result in runs), metric)
        if any(kinds_of_places(result) for _, result in runs):
            axes.set_xlabel("number of the place")
        figure.legend(frameon=False, fontsize=8, loc="outside right upper")

    return _svg(_LAYER_CURVE_SIZE, draw)


def learning_curves_svg(
    curves: Mapping[str, Sequence[Mapping[str, Any]]], majority: float | None, metric: str, trivial: str = "majority class"
) -> str:
    """Scores by the number of training rows, as the text of an SVG file.

    Args:
      curves: the points (``n``, ``score``, ``low``, ``high``) by what is written beside them; two at most.
      majority: the score of what reads nothing, if there is one.
      metric: what is scored.
      trivial: what reads nothing is called.
    """

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        for (name, points), color, marker in zip(curves.items(), (_BLUE, _GREY), "os", strict=False):
            known = [point for point in points if point["score"] is not None]
            sizes = [point["n"] for point in known]
            if known and all(point["low"] is not None for point in known):
                low, high = ([point[end] for point in known] for end in ("low", "high"))
                axes.fill_between(sizes, low, high, color=color, alpha=0.14, linewidth=0)
            axes.plot(sizes, [point["score"] for point in known], color=color, marker=marker, label=name)
        if majority is not None:
            axes.axhline(majority, color=_GREY, linestyle=(0, (4, 3)), linewidth=1, label=trivial)
        axes.set_xscale("log")
        sizes = sorted({point["n"] for points in curves.values() for point in points})
        axes.set_xticks(sizes, [f"{size:,}" for size in sizes])
        axes.set_xticks([], minor=True)
        axes.set_xlabel("rows of train")
        axes.set_ylabel(metric.replace("_", " "))
        figure.legend(frameon=False, fontsize=8, loc="outside right upper")

    return _svg((7.6, 3.0), draw)


def loss_curve_svg(curve: Mapping[str, Any]) -> str:
    """The log-loss on train and on dev after each pass over train, as the text of an SVG file.

    Args:
      curve: what ``LossCurve.to_json`` returns.
    """

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        epochs = range(1, curve["n_epochs"] + 1)
        axes.plot(epochs, curve["train"], color=_GREY, linestyle="--", label="train")
        axes.plot(epochs, curve["held_out"], color=_BLUE, label="dev, held out")
        axes.set_xlabel("passes over train")
        axes.set_ylabel("log-loss")
        axes.set_ylim(bottom=0)
        figure.legend(frameon=False, fontsize=8, loc="outside right upper")

    return _svg((5.6, 2.6), draw)


def reliability_svg(before: Sequence[Mapping[str, Any]], after: Sequence[Mapping[str, Any]]) -> str:
    """A reliability diagram, as the text of an SVG file.

    Args:
      before: the marks (``confidence``, ``accuracy``, ``low``, ``high``) of the probe as it is.
      after: those with its temperature; empty where it has none.
    """

    def draw(figure: Figure) -> None:
        axes = figure.add_subplot()
        axes.plot([0, 1], [0, 1], color=_GREY, linestyle=(0, (4, 3)), linewidth=1, label="as often right as it says")
        for marks, color, marker, name in ((before, _BLUE, "o", "as it is"), (after, _ORANGE, "s", "with its temperature")):
            for mark in marks:
                if mark["low"] is not None:
                    axes.plot([mark["confidence"]] * 2, [mark["low"], mark["high"]], color=color, alpha=0.35, linewidth=2)
            if marks:
                places = [mark["confidence"] for mark in marks], [mark["accuracy"] for mark in marks]
                axes.plot(*places, color=color, marker=marker, linestyle="", label=name)
        marks = [*before, *after]
        axes.set_xlim(min((mark["confidence"] for mark in marks), default=0) - 0.02, 1.02)
        axes.set_ylim(-0.02, 1.02)
        axes.set_xlabel("how sure the probe is")
        axes.set_ylabel("share that is right")
        figure.legend(frameon=False, fontsize=8, loc="outside right upper")

    return _svg((7.6, 3.0), draw)


def kinds_of_places(result: Mapping[str, Any]) -> dict[str, list[int]] | None:
    """The places of each kind by name, as the page has them; None where there is one kind, or two places of one at one depth.

    Modules are of one kind where their paths differ in the number of their block alone.
    """
    sites = result.get("sites") or []
    if all(site["family"] == "layers" for site in sites) or any(site["family"] == "vectors" for site in sites):
        return None
    kinds: dict[str, list[int]] = {}
    for place, site in enumerate(sites):
        kind = site["family"]
        if kind == "module":
            kind = re.sub(r"(^|\.)\d+(?=[.:#]|$)", r"\1*", site["name"].removeprefix("module "), count=1)
        kinds.setdefault(kind, []).append(place)
    depths = [[sites[place]["depth"] for place in places] for kind, places in kinds.items() if kind != _HEADS]
    return None if any(len(set(some)) < len(some) for some in depths) else kinds


def layer_curve(result: Mapping[str, Any], title: str) -> Figure:
    """The headline metric over layers, with interval band, majority class and the chosen layer marked.

    Places of several kinds have a line each over the depth of the encoder; attention heads are a grid, a row for each block.

    Args:
      result: what ``LayerStudy.to_json`` returns.
      title: written above the curve.
    """
    with _figure(None, _size_of(result)) as figure:
        _draw_layer_curve(figure, result, title, {})
    return figure


def _size_of(result: Mapping[str, Any]) -> tuple[float, float]:
    width, height = _LAYER_CURVE_SIZE
    kinds = kinds_of_places(result) or {}
    if _HEADS not in kinds:
        return width, height
    blocks = len({result["sites"][place]["depth"] for place in kinds[_HEADS]})
    grid = max(_GRID_ROOM[0], 1.4 + _GRID_ROOM[1] * blocks)
    return width, grid + (height if len(kinds) > 1 else 0)


def _draw_layer_curve(figure: Figure, result: Mapping[str, Any], title: str, baselines: Mapping[str, Style]) -> None:
    kinds = kinds_of_places(result)
    if kinds is not None:
        _draw_kinds(figure, result, title, kinds)
        return
    metric = result["headline"]
    name = metric.replace("_", " ")
    rows = [row for row in result["layers"] if row[metric] is not None]
    layers = [row["layer"] for row in rows]
    axes = figure.add_subplot()
    if all(row[f"{metric}_low"] is not None for row in rows):
        low, high = [row[f"{metric}_low"] for row in rows], [row[f"{metric}_high"] for row in rows]
        axes.fill_between(layers, low, high, color=_BLUE, alpha=0.16, linewidth=0, label="95 % interval")
    n_dev = result["n"]["dev"]
    axes.plot(layers, [row[metric] for row in rows], color=_BLUE, marker="o", label=f"dev, n = {n_dev:,}")
    trivial, told = _trivial(rows[0], metric) if rows else (None, "")
    if trivial is not None:
        axes.axhline(trivial, color=_GREY, linestyle=(0, (4, 3)), linewidth=1, label=told)
    for measured in result.get("checks", {}).get("baselines", {}).get("baselines", []):
        style = baselines.get(measured["name"])
        if style is not None and style.in_figure:
            _draw_baseline(axes, measured, style)
    _draw_other_splits(axes, result.get("checks", {}).get("repeats", {}))
    best = result["best_layer"]
    _draw_chosen(axes, result, best, f"layer {best}")
    _name_axes(axes, len(result["layers"]), name)
    axes.set_title(title, fontsize=10, pad=16)
    # Beside the curve, where it covers none of the lines.
    figure.legend(frameon=False, fontsize=8, loc="outside right upper")


def _trivial(row: Mapping[str, Any], metric: str) -> tuple[float | None, str]:
    """What a probe scores that reads nothing, and what it is called: the mean of train for a number, else the majority class."""
    of_number = f"mean_{metric}"
    return (row[of_number], "mean of train") if of_number in row else (row[f"majority_{metric}"], "majority class")


def _draw_kinds(figure: Figure, result: Mapping[str, Any], title: str, kinds: Mapping[str, list[int]]) -> None:
    """A line for each kind of places over depth, and the heads as a grid below them."""
    height = _size_of(result)[1]
    heads = kinds.get(_HEADS)
    lines = {kind: places for kind, places in kinds.items() if kind != _HEADS}
    parts: list[Any] = [figure]
    if heads and lines:
        above = _LAYER_CURVE_SIZE[1]
        made: Any = figure.subfigures(2, 1, height_ratios=[above, height - above])
        parts = list(made)
    if lines:
        _draw_lines_over_depth(parts[0], result, lines)
    if heads:
        _draw_heads(parts[-1], result, heads)
    parts[0].axes[0].set_title(title, fontsize=10, pad=16)


def _draw_lines_over_depth(figure: Any, result: Mapping[str, Any], lines: Mapping[str, list[int]]) -> None:
    metric, sites, best = result["headline"], result["sites"], result["best_layer"]
    axes = figure.add_subplot()
    rows = result["layers"]
    order = [*_FAMILIES, *(kind for kind in lines if kind not in _FAMILIES)]
    for kind, places in lines.items():
        color, marker = _FAMILY_STYLES[order.index(kind) % len(_FAMILY_STYLES)]
        known = sorted((sites[place]["depth"], place) for place in places if rows[place][metric] is not None)
        depths = [depth for depth, _ in known]
        if all(rows[place][f"{metric}_low"] is not None for _, place in known):
            low, high = ([rows[place][f"{metric}_{end}"] for _, place in known] for end in ("low", "high"))
            axes.fill_between(depths, low, high, color=color, alpha=0.1, linewidth=0)
            # The band of a lone place has no width.
            if len(depths) == 1:
                axes.vlines(depths, low, high, color=color, alpha=0.5)
        axes.plot(depths, [rows[place][metric] for _, place in known], color=color, marker=marker, label=kind)
    majority, told = _trivial(rows[0], metric)
    if majority is not None:
        axes.axhline(majority, color=_GREY, linestyle=(0, (4, 3)), linewidth=1, label=told)
    if any(best in places for places in lines.values()):
        _draw_chosen(axes, result, sites[best]["depth"], sites[best]["name"])
    _name_axes(axes, 1 + max(site["depth"] for site in sites), metric)
    axes.set_xlabel("layer (0 = embeddings)" if "layers" in lines else "block")
    handles, names = axes.get_legend_handles_labels()
    told = f"dev, n = {result['n']['dev']:,}"
    figure.legend(handles, names, frameon=False, fontsize=8, title_fontsize=8, loc="outside right upper", title=told)


def _draw_heads(figure: Any, result: Mapping[str, Any], heads: Sequence[int]) -> None:
    """A row for each block, the first one at the top; heads no better than the majority class are crossed out."""
    from matplotlib.colors import LinearSegmentedColormap

    metric, sites, rows = result["headline"], result["sites"], result["layers"]
    number = {place: int(sites[place]["name"].rpartition(".")[2]) for place in heads}
    blocks = sorted({sites[place]["depth"] for place in heads})
    columns = sorted(set(number.values()))
    at = {place: (columns.index(number[place]), blocks.index(sites[place]["depth"])) for place in heads}
    scores = [[math.nan] * len(columns) for _ in blocks]
    for place, (x, y) in at.items():
        scores[y][x] = math.nan if rows[place][metric] is None else rows[place][metric]
    majority, trivial = _trivial(rows[0], metric)
    known = [score for row in scores for score in row if not math.isnan(score)]
    least = min(known, default=0.0) if majority is None else majority
    axes = figure.add_subplot()
    colors = LinearSegmentedColormap.from_list("scores", _HEAT)
    edges = [[i - 0.5 for i in range(n + 1)] for n in (len(columns), len(blocks))]
    # Drawn as shapes, not as a picture: a figure for print.
    picture = axes.pcolormesh(*edges, scores, cmap=colors, vmin=least, vmax=max([*known, least + 1e-9]), edgecolors="white")
    axes.invert_yaxis()
    below = [at[place] for place in heads if None not in (rows[place][metric], majority) and rows[place][metric] < majority]
    if below:
        axes.plot(*zip(*below, strict=True), marker="x", linestyle="", color=_GREY, markersize=4)
    told = [f"cross: below the {trivial}"] if below else []
    best = result["best_layer"]
    if best in at:
        x, y = at[best]
        axes.plot([x], [y], marker="s", markerfacecolor="none", markeredgecolor=_ORANGE, markeredgewidth=2, markersize=11)
        test = result["test"][metric]
        told.append(f"square: {sites[best]['name']}, chosen on dev{'' if test is None else f', test {test:.3f}'}")
    axes.set_xlabel(f"head ({'; '.join(told)})" if told else "head")
    step = -(-len(columns) // _MOST_TICKS)
    axes.set_xticks(range(0, len(columns), step), [str(columns[i]) for i in range(0, len(columns), step)])
    axes.set_yticks(range(len(blocks)), [str(block) for block in blocks])
    axes.set_ylabel("block")
    figure.colorbar(picture, ax=axes, label=f"dev {metric.replace('_', ' ')}").solids.set_rasterized(False)


def _draw_chosen(axes: Any, result: Mapping[str, Any], depth: int, name: str) -> None:
    """The test score of the chosen place, and the mark of where it stands."""
    metric, test = result["headline"], result["test"]
    if test[metric] is not None:
        low, high = test[f"{metric}_low"], test[f"{metric}_high"]
        spread = None if low is None or high is None else [[test[metric] - low], [high - test[metric]]]
        label = f"test at {name}, n = {test['n']:,}"
        # A little beside the place, so that its interval does not cover dev's mark.
        axes.errorbar([depth + 0.1], [test[metric]], yerr=spread, color=_ORANGE, marker="D", linestyle="", capsize=3, label=label)
    axes.axvline(depth, color=_BLUE, linestyle=":", linewidth=1)
    axes.annotate(
        "chosen on dev",
        (depth, 1),
        (0, 2),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        ha="center",
        fontsize=8,
        color=_BLUE,
    )


def _name_axes(axes: Any, n_layers: int, metric: str) -> None:
    axes.set_xticks(range(0, n_layers, -(-n_layers // _MOST_TICKS)))
    axes.set_xlabel("layer (0 = embeddings)")
    axes.set_ylabel(metric.replace("_", " "))


def _draw_other_splits(axes: Any, repeated: Mapping[str, Any]) -> None:
    """The range of the scores on other splits, where these were measured."""
    rows = repeated.get("layers", [])
    if rows:
        layers = [row["layer"] for row in rows]
        low, high = [row["lowest"] for row in rows], [row["highest"] for row in rows]
        style = {"facecolor": (_PURPLE, 0.12), "edgecolor": _PURPLE, "linestyle": ":", "linewidth": 0.8}
        axes.fill_between(layers, low, high, label=f"{repeated['n']} other splits, range", **style)
        axes.plot(layers, [row["mean"] for row in rows], color=_PURPLE, linewidth=0.8)


def save_concept_map(concepts: Mapping[str, Any], title: str, path: Path) -> None:
    """Writes a map of concepts by layers.

    Args:
      concepts: what ``ConceptMap.to_json`` returns.
      title: written above the map.
      path: the file; its suffix names the format.
    """
    with _figure(path, _map_size(concepts)) as figure:
        _draw_concept_map(figure, concepts, title)


def concept_map_svg(concepts: Mapping[str, Any]) -> str:
    """The map of `save_concept_map`, without a title, as the text of an SVG file."""
    return _svg(_map_size(concepts), lambda figure: _draw_concept_map(figure, concepts, ""))


def _map_size(concepts: Mapping[str, Any]) -> tuple[float, float]:
    return _LAYER_CURVE_SIZE[0], 1.5 + 0.32 * len(concepts["rows"])


def _draw_concept_map(figure: Any, concepts: Mapping[str, Any], title: str) -> None:
    """A row for each concept; cells no better than the baseline are crossed out, the chosen ones have a frame."""
    from matplotlib.colors import LinearSegmentedColormap

    rows, n_layers = concepts["rows"], len(concepts["layer_names"])
    above = [[math.nan if cell["above"] is None else cell["above"] for cell in row["cells"]] for row in rows]
    axes = figure.add_subplot()
    colors = LinearSegmentedColormap.from_list("above", _HEAT)
    edges = [[i - 0.5 for i in range(n + 1)] for n in (n_layers, len(rows))]
    picture = axes.pcolormesh(*edges, above, cmap=colors, vmin=0, vmax=1, edgecolors="white")
    axes.invert_yaxis()
    step = -(-n_layers // _MOST_TICKS)
    below = []
    for y, row in enumerate(rows):
        for x, value in enumerate(above[y]):
            if value <= 0:
                below.append((x, y))
            elif n_layers <= _MOST_NUMBERED and not math.isnan(value):
                # White on the dark half of the colours.
                color = "white" if value > 0.7 else _TEXT
                axes.text(x, y, f"{value:.2f}".lstrip("0"), ha="center", va="center", fontsize=7, color=color)
        axes.bar([row["best_layer"]], 1, 1, y - 0.5, facecolor="none", edgecolor=_ORANGE, linewidth=2)
    if below:
        axes.plot(*zip(*below, strict=True), marker="x", linestyle="", color=_GREY, markersize=4)
    axes.set_xlim(-0.5, n_layers - 0.5)
    axes.set_ylim(len(rows) - 0.5, -0.5)
    axes.set_xticks(range(0, n_layers, step))
    axes.set_yticks(range(len(rows)), [row["target"] for row in rows])
    axes.set_xlabel(f"layer (frame: chosen on dev{'; cross: no better than the baseline' if below else ''})")
    axes.set_title(title, fontsize=10)
    figure.colorbar(picture, ax=axes, label="share of the way from\nthe baseline to 1").solids.set_rasterized(False)


def save_projections(pictures: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Writes the pictures of all layers, a block of small ones for each way.

    Args:
      pictures: what ``ProjectedRows.to_json`` returns, of each way, about the same rows and layers.
      title: written above all.
      path: the file; its suffix names the format. In an SVG the points of each picture are an image.
    """
    n_lines = [-(-len(one["layers"]) // _PICTURES_IN_LINE) for one in pictures]
    columns = min(_PICTURES_IN_LINE, max(len(one["layers"]) for one in pictures))
    with _figure(path, (max(4.0, 1.7 * columns), 0.9 + sum(0.35 + 1.85 * n for n in n_lines))) as figure:
        figure.suptitle(title, fontsize=11)
        blocks = figure.subfigures(len(pictures), 1, squeeze=False, height_ratios=n_lines)[:, 0]
        for block, one, lines in zip(blocks, pictures, n_lines, strict=True):
            _draw_pictures(block, one, lines, columns)
        names = pictures[0]["label_names"]
        if 0 < len(names) <= _MOST_LEGEND:
            marks = [
                figure.axes[0].plot([], [], linestyle="", marker="o", markersize=4, color=color)[0]
                for color in _class_colors(len(names))
            ]
            figure.legend(marks, names, loc="outside lower center", ncols=min(6, len(names)), frameon=False, fontsize=8)


def _draw_pictures(block: Any, made: Mapping[str, Any], n_lines: int, columns: int) -> None:
    shared = "" if made["perplexity"] is None else f", perplexity {made['perplexity']:g}"
    block.suptitle(f"{made['title']}, fitted to {made['n_fitted']:,} rows of train{shared}", fontsize=9)
    all_axes = block.subplots(n_lines, columns, squeeze=False).ravel()
    names = made["label_names"]
    colors = _class_colors(len(names)) if names else None
    for axes, layer in zip(all_axes, made["layers"], strict=False):
        said = layer["trustworthiness"]
        beside = (
            f"  trust {said:.2f}" if said is not None else "" if layer["explained"] is None else f"  {layer['explained']:.0%}"
        )
        axes.set_title(f"{layer['name']}{beside}", fontsize=7, pad=2)
        axes.set(xticks=[], yticks=[])
        for spine in axes.spines.values():
            spine.set(visible=True, color="#E8EAED")
        if layer["reason"]:
            axes.text(
                0.5, 0.5, textwrap.fill(layer["reason"], 26), ha="center", va="center", fontsize=5, transform=axes.transAxes
            )
            continue
        x, y = zip(*layer["xy"], strict=True)
        by = made["labels"] if colors is None else [colors[int(label)] for label in made["labels"]]
        axes.scatter(x, y, c=by, s=3, linewidths=0, alpha=0.8, rasterized=True)
        axes.set_aspect("equal", adjustable="datalim")
    for axes in all_axes[len(made["layers"]) :]:
        axes.set_visible(False)


def _class_colors(n: int) -> list[Any]:
    """A colour for each class; of many classes they come round again, as on the page."""
    colors = (_BLUE, _ORANGE, _GREEN, _VIOLET, _BROWN, _ROSE)
    return [colors[i % len(colors)] for i in range(n)]


def save_layer_similarity(found: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Writes how alike layers are, a grid of layers by layers for each measure.

    Args:
      found: what ``LayerSimilarity.to_json`` returns, of each measure, of the same layers.
      title: written above all.
      path: the file; its suffix names the format.
    """
    with _figure(path, (0.9 + 3.3 * len(found), 3.9)) as figure:
        figure.suptitle(f"{title}: which layers say the same", fontsize=11)
        all_axes: Any = figure.subplots(1, len(found), squeeze=False)[0]
        for axes, one in zip(all_axes, found, strict=True):
            split = "" if one["split"] is None else f" {one['split']}"
            picture = _draw_alike(axes, one["values"])
            axes.set_title(f"{one['title']}, {one['n']:,}{split} rows", fontsize=9)
            axes.set(xlabel="layer", ylabel="layer")
            _tick_layers(axes, len(one["values"][0]), len(one["values"]))
        _key_of_alike(figure, picture, all_axes)


def save_similarity_series(found: Sequence[Mapping[str, Any]], title: str, path: Path) -> None:
    """Writes how the layers of a series of checkpoints come to be those of the last, a block for each measure.

    Above stand the same layers by checkpoint, beside those of the last, the first and the previous one; below, for up to five
    checkpoints evenly over the series, all layers beside all layers of the last.

    Args:
      found: what ``SimilaritySeries.to_json`` returns, of each measure, of the same checkpoints.
      title: written above all.
      path: the file; its suffix names the format.
    """
    names = [textwrap.shorten(name, 24, placeholder="…") for name in found[0]["checkpoints"]]
    foot = 0.07 * max(map(len, names))  # inches
    heights = (2.6 + foot, 2.2)
    with _figure(path, (10.0, 0.5 + len(found) * (0.4 + sum(heights)))) as figure:
        figure.suptitle(title, fontsize=11)
        blocks = figure.subfigures(len(found), 1, squeeze=False)[:, 0]
        for block, one in zip(blocks, found, strict=True):
            split = "" if one["split"] is None else f" {one['split']}"
            block.suptitle(f"{one['title']}, {one['n']:,}{split} rows", fontsize=10)
            above, below = block.subfigures(2, 1, height_ratios=heights)
            columns = above.subplots(1, len(one["same_layers"]), sharey=True)
            for axes, same in zip(columns, one["same_layers"], strict=True):
                values = [list(of) for of in zip(*same["values"], strict=True)]
                picture = _draw_alike(axes, values)
                axes.set_title(f"same layer of the {same['beside']}", fontsize=9)
                _tick_layers(axes, 0, len(values))
                step = -(-len(names) // _MOST_TICKS)
                axes.set_xticks(range(0, len(names), step), names[::step], rotation=90, fontsize=7)
            columns[0].set_ylabel("layer")
            _key_of_alike(above, picture, columns)
            n_maps = min(_PICTURES_IN_LINE, len(names))
            shown = [round(i * (len(names) - 1) / max(1, n_maps - 1)) for i in range(n_maps)]
            for axes, place in zip(below.subplots(1, n_maps, squeeze=False)[0], shown, strict=True):
                _draw_alike(axes, one["maps"][place]["values"])
                axes.set_title(names[place], fontsize=7)
                axes.set_aspect("equal")
                _tick_layers(axes, len(one["layer_names"]), len(one["layer_names"]), 7)
            below.supxlabel(f"layer of {names[-1]}", fontsize=8)
            below.supylabel("layer", fontsize=8)


def _draw_alike(axes: Any, values: Sequence[Sequence[float | None]]) -> Any:
    """A cell for each value from 0 (or less) to 1, the first row above; cells without one are grey."""
    from matplotlib.colors import LinearSegmentedColormap

    colors = LinearSegmentedColormap.from_list("alike", _HEAT)
    axes.set_facecolor("#E8EAED")
    edges = [[i - 0.5 for i in range(n + 1)] for n in (len(values[0]), len(values))]
    shown = [[math.nan if value is None else value for value in row] for row in values]
    picture = axes.pcolormesh(*edges, shown, cmap=colors, vmin=0, vmax=1)
    axes.invert_yaxis()
    if max(len(values), len(values[0])) <= _MOST_NUMBERED // 2:
        for y, row in enumerate(shown):
            for x, value in enumerate(row):
                if not math.isnan(value):
                    color = "white" if value > 0.7 else _TEXT
                    axes.text(x, y, f"{value:.2f}", ha="center", va="center", fontsize=6, color=color)
    return picture


def _key_of_alike(figure: Any, picture: Any, axes: Any) -> None:
    bar = figure.colorbar(picture, ax=axes, label="1: alike")
    bar.ax.tick_params(labelsize=8)
    bar.solids.set_rasterized(False)


def _tick_layers(axes: Any, n_across: int, n_down: int, size: int = 8) -> None:
    """Numbers of layers, as many as fit into a small picture."""
    for n, ticks in ((n_across, axes.set_xticks), (n_down, axes.set_yticks)):
        if n:
            ticks(range(0, n, -(-n // 7)))
    axes.tick_params(labelsize=size)


def save_neuron_curves(report: Mapping[str, Any], title: str, path: Path) -> None:
    """Writes the score from a share of the neurons and, where it was measured, what switching the best ones off changes.

    Args:
      report: ``evaluation`` and ``ablation`` of ``NeuronReport.to_json``.
      title: written above the curves.
      path: the file; its suffix names the format.
    """
    evaluation, ablation = report["evaluation"], report["ablation"]
    with _figure(path, (7.6, 3.4)) as figure:
        figure.suptitle(title, fontsize=10)
        left, *right = figure.subplots(1, 1 if ablation is None else 2, squeeze=False)[0]
        points = evaluation["points"]
        shares = [point["percent"] for point in points]
        drawn = [point["random"] for point in points]
        left.fill_between(
            shares, [one["low"] for one in drawn], [one["high"] for one in drawn], color=_GREY, alpha=0.2, linewidth=0
        )
        left.plot(shares, [one["mean"] for one in drawn], color=_GREY, linestyle="--", label="random sets")
        left.plot(shares, [point["top"]["value"] for point in points], color=_BLUE, marker="o", label="best")
        left.plot(shares, [point["bottom"]["value"] for point in points], color=_ORANGE, marker="s", label="last")
        left.axhline(evaluation["full"]["value"], color="black", linewidth=1, linestyle=":", label="all")
        left.set_xscale("log")
        left.set_xticks(shares, [f"{share:g}" for share in shares])
        left.set_xticks([], minor=True)
        left.set_xlabel("neurons kept (%)")
        left.set_ylabel(f"dev {evaluation['metric_title'].lower()}")
        left.legend(frameon=False, fontsize=8)
        for axes in right:
            _draw_ablation(axes, ablation)


def _draw_ablation(axes: Any, ablation: Mapping[str, Any]) -> None:
    rows = [row for row in ablation["layers"] if row["after"] is not None and row["random"] is not None]
    layers = [row["layer"] for row in rows]
    axes.fill_between(layers, [row["random_low"] for row in rows], [row["random_high"] for row in rows], color=_GREY, alpha=0.2)
    axes.plot(layers, [row["random"] for row in rows], color=_GREY, linestyle="--", label="random sets off")
    axes.plot(layers, [row["before"] for row in rows], color="black", linestyle=":", marker=".", label="all neurons on")
    axes.plot(layers, [row["after"] for row in rows], color=_BLUE, marker="o", label=f"best {ablation['percent']:g} % off")
    axes.set_xticks(layers)
    axes.set_xlabel("layer")
    axes.legend(frameon=False, fontsize=8)


def _svg(size: tuple[float, float], draw: Callable[[Figure], None]) -> str:
    written = io.StringIO()
    # The one font that comes with matplotlib, so that every machine makes the same text; the page that holds it names its own.
    with _figure(written, size, _FONTS[-1:]) as figure:
        draw(figure)
    return written.getvalue()


@contextmanager
def _figure(place: Path | IO[str] | None, size: tuple[float, float], fonts: Sequence[str] = _FONTS) -> Iterator[Figure]:
    """A figure, which is saved at the end if there is a place: a path, whose suffix names the format, or the text of an SVG.

    Raises:
      LitProbeError: no figure can be written as the suffix says.
    """
    form = place.suffix.removeprefix(".").lower() if isinstance(place, Path) else FIGURE_FORMATS[0]
    if form not in FIGURE_FORMATS:
        endings = ", ".join(f".{one}" for one in FIGURE_FORMATS)
        raise LitProbeError(f"A figure cannot be written to {str(place)!r}. Its name has to end in one of: {endings}.")
    # The figure class alone: pyplot would look for a display.
    from matplotlib import rc_context
    from matplotlib.figure import Figure as Figure

    # Fonts that this machine lacks are named in the file all the same; the next one of the list is drawn here.
    logging.getLogger("matplotlib.font_manager").setLevel(logging.ERROR)
    # Text stays text and ids are seeded, so that the same numbers give the same file.
    with rc_context(
        {
            "svg.fonttype": "none",
            "svg.hashsalt": "lit_probe",
            "font.size": 10,
            "font.family": list(fonts),
            "text.color": _TEXT,
            "axes.labelcolor": _TEXT,
            "xtick.color": _TEXT,
            "ytick.color": _TEXT,
            "axes.spines.top": False,
            "axes.spines.right": False,
        }
    ):
        figure = Figure(figsize=size, layout="constrained")
        yield figure
        if place is not None:
            # Without the day, the same numbers give the same file.
            dates = {"svg": {"Date": None}, "pdf": {"CreationDate": None}}
            figure.savefig(place, format=form, dpi=_DOTS if form == "png" else "figure", metadata=dates.get(form))


def _draw_baseline(axes: Any, measured: Mapping[str, Any], style: Style) -> None:
    dashes = tuple(float(length) for length in style.dash.split())
    line = {"color": style.color, "linestyle": (0, dashes), "linewidth": 1, "label": measured["title"]}
    if measured["per_layer"]:
        rows = [row for row in measured["layers"] if row["score"] is not None]
        if drawn := [row for row in rows if row["draws"]]:
            low, high = ([end(row["draws"]) for row in drawn] for end in (min, max))
            axes.fill_between([row["layer"] for row in drawn], low, high, color=style.color, alpha=0.12, linewidth=0)
        if rows:
            axes.plot([row["layer"] for row in rows], [row["score"] for row in rows], **line)
    elif measured["score"] is not None:
        axes.axhline(measured["score"], **line)
