"""The layer curve as a picture. The only file that imports matplotlib."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

_BLUE = "#1a5fb4"
_GREY = "#5f6368"


def save_layer_curve(result: Mapping[str, Any], title: str, path: Path) -> None:
    """Writes the headline metric over layers, with interval band, majority line and the chosen layer marked.

    Args:
      result: what ``LayerStudy.to_json`` returns.
      title: written above the curve.
      path: the file; its suffix names the format (``.svg``, ``.pdf``, ``.png``).
    """
    # The figure class alone: pyplot would look for a display.
    from matplotlib import rc_context
    from matplotlib.figure import Figure

    metric = result["headline"]
    name = metric.replace("_", " ")
    rows = [row for row in result["layers"] if row[metric] is not None]
    layers = [row["layer"] for row in rows]
    # Text stays text and ids are seeded, so that the same numbers give the same file.
    with rc_context({"svg.fonttype": "none", "svg.hashsalt": "lit_probe", "font.size": 10}):
        figure = Figure(figsize=(6.4, 3.8), layout="constrained")
        axes = figure.add_subplot()
        if all(row[f"{metric}_low"] is not None for row in rows):
            low, high = [row[f"{metric}_low"] for row in rows], [row[f"{metric}_high"] for row in rows]
            axes.fill_between(layers, low, high, color=_BLUE, alpha=0.18, linewidth=0, label="95 % interval")
        n_dev = result["n"]["dev"]
        axes.plot(layers, [row[metric] for row in rows], color=_BLUE, marker="o", label=f"dev, n = {n_dev:,}")
        if rows and rows[0][f"majority_{metric}"] is not None:
            axes.axhline(rows[0][f"majority_{metric}"], color=_GREY, linestyle="--", linewidth=1, label="majority class")
        best, test = result["best_layer"], result["test"]
        test_name = f"test at layer {best}, n = {test['n']:,}"
        if test[metric] is not None:
            axes.plot([best], [test[metric]], color="black", marker="D", linestyle="", label=test_name)
        axes.axvline(best, color=_GREY, linestyle=":", linewidth=1)
        axes.set_xticks(range(len(result["layers"])))
        axes.set_xlabel("layer (0 = embeddings)")
        axes.set_ylabel(name)
        axes.set_title(title, fontsize=10)
        axes.spines[["top", "right"]].set_visible(False)
        axes.legend(frameon=False, fontsize=8)
        figure.savefig(path, metadata={"Date": None} if path.suffix == ".svg" else None)
