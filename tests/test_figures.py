"""Pictures and page look alike, and what they draw can be told apart by colour-blind readers."""

from __future__ import annotations

import itertools
import re
from pathlib import Path

import numpy as np
import pytest

from lit_probe import figures
from lit_probe.checks.baselines import BASELINES

PALETTE = (Path(__file__).parent.parent / "lit_probe" / "client" / "charts" / "palette.js").read_text("utf-8")

# Linear RGB as it looks without one kind of cone (Machado, Oliveira & Fernandes 2009, https://doi.org/10.1109/TVCG.2009.113,
# severity 1).
WITHOUT = {
    "protanopia": [[0.152286, 1.052583, -0.204868], [0.114503, 0.786281, 0.099216], [-0.003882, -0.048116, 1.051998]],
    "deuteranopia": [[0.367322, 0.860646, -0.227968], [0.280085, 0.672501, 0.047413], [-0.011820, 0.042940, 0.968881]],
    "tritanopia": [[1.255528, -0.076749, -0.178779], [-0.078411, 0.930809, 0.147602], [0.004733, 0.691367, 0.303900]],
}
SIMULATED = {"all cones": np.eye(3), **{name: np.array(matrix) for name, matrix in WITHOUT.items()}}
# A difference of 2.3 is just noticeable (Mahy et al. 1994); lines and marks are small, so they need several times as much.
APART = 10.0


def of_page(pattern: str) -> str:
    found = re.search(pattern, PALETTE)
    assert found, pattern
    return found[1]


def lab(color: str, matrix: np.ndarray) -> np.ndarray:
    """CIE L*a*b* of ``#RRGGBB`` as it looks through ``matrix``."""
    channels = np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    seen = np.clip(matrix @ linear, 0, 1)
    xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]]) @ seen / [0.9505, 1, 1.089]
    f = np.where(xyz > (6 / 29) ** 3, np.cbrt(xyz), xyz / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


SPLITS = {split: of_page(rf"{split}: \{{color: pair\('(#[0-9A-F]{{6}})'") for split in ("dev", "test", "train")}
ENCODERS = re.findall(r"pair\('(#[0-9A-F]{6})", of_page(r"ENCODER_COLORS = \[([^]]+)\]"))


def test_pictures_have_the_colours_and_the_font_of_the_page():
    assert (SPLITS["dev"], SPLITS["test"]) == (figures._BLUE, figures._ORANGE)
    assert of_page(r"quietText: pair\('(#[0-9A-F]{6})'") == figures._GREY
    assert of_page(r" splits: pair\('(#[0-9A-F]{6})'") == figures._PURPLE
    assert of_page(r" text: pair\('(#[0-9A-F]{6})'") == figures._TEXT
    chart = (Path(__file__).parent.parent / "lit_probe" / "client" / "charts" / "line_chart.js").read_text("utf-8")
    fonts = [font.strip(" '") for font in re.search(r'FONT = "([^"]+)"', chart)[1].split(",")]
    assert figures._FONTS[: len(fonts) - 1] == fonts[:-1]


FAMILIES = [color for color, _ in figures._FAMILY_STYLES]


def test_kinds_of_places_have_the_colours_and_markers_of_the_page():
    listed = PALETTE.split("const FAMILY_STYLES = [")[1].split("];")[0]
    pairs = re.findall(r"color: (?:pair\('(#\w+)'|ENCODER_COLORS\[(\d)\])", listed)
    colors = [color or ENCODERS[int(place)] for color, place in pairs]
    assert colors == FAMILIES
    marks = {"circle": "o", "square": "s", "diamond": "D", "triangle": "^"}
    assert [marks[mark] for mark in re.findall(r"marker: '(\w+)'", listed)] == [mark for _, mark in figures._FAMILY_STYLES]
    known = re.search(r"KNOWN_FAMILIES = \[([^]]+)\]", PALETTE)
    assert known and tuple(re.findall(r"'(\w+)'", known[1])) == figures._FAMILIES


@pytest.mark.parametrize("kind", SIMULATED)
@pytest.mark.parametrize(
    "colors", [[*SPLITS.values(), figures._PURPLE], ENCODERS, [*FAMILIES, SPLITS["test"]]], ids=["splits", "encoders", "places"]
)
def test_lines_of_one_chart_can_be_told_apart(kind, colors):
    for one, other in itertools.combinations(colors, 2):
        distance = np.linalg.norm(lab(one, SIMULATED[kind]) - lab(other, SIMULATED[kind]))
        assert distance > APART, (kind, one, other, distance)


def test_the_measure_finds_colours_that_look_alike():
    red, green = "#B35A1F", "#7A7A1F"
    near = np.linalg.norm(lab(red, SIMULATED["deuteranopia"]) - lab(green, SIMULATED["deuteranopia"]))
    assert near < np.linalg.norm(lab(red, np.eye(3)) - lab(green, np.eye(3))) / 2


def test_baselines_of_like_colours_differ_in_dashes_or_marks():
    for one, other in itertools.combinations(BASELINES.values(), 2):
        assert (one.dash, one.marker) != (other.dash, other.marker)


def test_baselines_are_seen_on_a_dark_page_too():
    paper = of_page(r"paper: pair\('#FFFFFF', '(#[0-9A-F]{6})'")
    assert "color-mix(in srgb, ${light}, white 50%)" in PALETTE

    def luminance(channels: np.ndarray) -> float:
        linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
        return float(linear @ [0.2126, 0.7152, 0.0722])

    def channels(color: str) -> np.ndarray:
        return np.array([int(color[i : i + 2], 16) for i in (1, 3, 5)]) / 255

    for one in BASELINES.values():
        brightened = (channels(one.color) + 1) / 2
        assert (luminance(brightened) + 0.05) / (luminance(channels(paper)) + 0.05) >= 3, one.title


def test_the_test_score_has_its_interval(tmp_path):
    rows = [{"layer": i, "accuracy": 0.7, "accuracy_low": 0.6, "accuracy_high": 0.8, "majority_accuracy": 0.5} for i in range(3)]
    test = {"accuracy": 0.72, "accuracy_low": 0.61, "accuracy_high": 0.81, "n": 40}
    result = {"headline": "accuracy", "layers": rows, "n": {"dev": 50}, "best_layer": 1, "test": test}
    axes = figures.layer_curve(result, "a title").axes[0]
    [bars] = [one for one in axes.containers if one.get_label() == "test at layer 1, n = 40"]
    [segment] = bars.lines[2][0].get_segments()
    assert segment[:, 1].tolist() == pytest.approx([0.61, 0.81])
    assert "chosen on dev" in [text.get_text() for text in axes.texts]


def places(*families: str, n_blocks: int = 3, n_heads: int = 2, best: int = 0, majority: float | None = 0.5) -> dict:
    """What ``layers.json`` holds of an encoder that is read at places of these families; scores rise from place to place."""
    sites = []
    for family in families:
        if family == "layers":
            sites.append({"name": "embeddings", "family": family, "depth": 0, "width": 8})
        for depth in range(1, n_blocks + 1):
            name = family if family.startswith("module") else f"{family} {depth}"
            names = [f"head {depth}.{head}" for head in range(n_heads)] if family == "heads" else [name.replace("*", str(depth))]
            sites += [{"name": one, "family": family.split(" ")[0], "depth": depth, "width": 8} for one in names]
    scores = [0.4 + 0.01 * place for place in range(len(sites))]
    rows = [
        {"layer": i, "accuracy": one, "accuracy_low": one - 0.1, "accuracy_high": one + 0.1, "majority_accuracy": majority}
        for i, one in enumerate(scores)
    ]
    test = {"accuracy": 0.72, "accuracy_low": 0.61, "accuracy_high": 0.81, "n": 40}
    return {"headline": "accuracy", "layers": rows, "n": {"dev": 50}, "best_layer": best, "test": test, "sites": sites}


def test_each_kind_of_places_is_a_line_over_depth():
    axes = figures.layer_curve(places("layers", "attention", "mlp", best=5), "a title").axes[0]
    lines = {line.get_label(): list(line.get_xdata()) for line in axes.lines if not line.get_label().startswith("_")}
    assert lines["layers"] == [0, 1, 2, 3] and lines["attention"] == lines["mlp"] == [1, 2, 3]
    [bars] = [one for one in axes.containers if one.get_label() == "test at attention 2, n = 40"]
    assert bars.lines[0].get_xdata()[0] == pytest.approx(2.1)
    assert axes.get_xlabel() == "layer (0 = embeddings)"
    assert figures.layer_curve(places("mlp"), "").axes[0].get_xlabel() == "block"


def test_modules_of_one_path_are_one_line_and_two_at_one_depth_are_none():
    modules = places("module encoder.*.output", "module encoder.*.input", "attention")
    assert list(figures.kinds_of_places(modules) or {}) == ["encoder.*.output", "encoder.*.input", "attention"]
    twice = places("module encoder.output", "attention")
    for site in twice["sites"][:3]:
        site["depth"] = 1
    assert figures.kinds_of_places(twice) is None
    # As ever: a column for each place.
    assert figures.layer_curve(twice, "").axes[0].lines[0].get_xdata().tolist() == list(range(6))


@pytest.mark.parametrize("families", [(), ("layers",), ("vectors",)], ids=["none", "layers", "vectors"])
def test_what_has_one_kind_of_places_is_drawn_as_ever(families):
    result = places(*(families or ("layers",)))
    if not families:
        del result["sites"]
    assert figures.kinds_of_places(result) is None
    assert figures._size_of(result) == figures._LAYER_CURVE_SIZE


def test_heads_are_a_grid_with_the_first_block_on_top():
    result = places("attention", "heads", best=4)
    figure = figures.layer_curve(result, "")
    grid = figure.axes[1]
    assert grid.yaxis_inverted() and [label.get_text() for label in grid.get_yticklabels()] == ["1", "2", "3"]
    [mesh] = [one for one in grid.collections if one.get_array() is not None]
    assert mesh.get_array().ravel().tolist() == pytest.approx([row["accuracy"] for row in result["layers"][3:]])
    assert "square: head 1.1, chosen on dev, test 0.720" in grid.get_xlabel()
    assert "cross: below the majority class" in grid.get_xlabel()
    assert "cross" not in figures.layer_curve(places("heads", majority=None), "").axes[0].get_xlabel()


@pytest.mark.parametrize("families", [("heads",), ("layers", "heads", "mlp"), ("attention",)])
def test_figures_of_places_are_shapes_and_the_same_for_the_same_numbers(families, tmp_path):
    drawn = [figures.layer_curve_svg(places(*families, n_blocks=30, n_heads=32), {}) for _ in range(2)]
    assert drawn[0] == drawn[1] and "<image" not in drawn[0]
    figures.save_layer_curve(places(*families), "a title", tmp_path / "curve.svg", {})
    assert "a title" in (tmp_path / "curve.svg").read_text("utf-8")


def test_scores_that_are_missing_leave_gaps():
    result = places("layers", "heads")
    for row in result["layers"]:
        row.update(accuracy=None, accuracy_low=None, accuracy_high=None)
    result["test"]["accuracy"] = None
    assert "<svg" in figures.layer_curve_svg(result, {})


def test_two_runs_draw_no_line_from_one_kind_to_the_next():
    plain = places("layers")
    del plain["sites"]
    svg = figures.two_layer_curves_svg([("A", places("layers", "attention")), ("B", plain)], "accuracy")
    assert "number of the place" in svg
    assert "layer (0 = embeddings)" in figures.two_layer_curves_svg([("A", plain), ("B", plain)], "accuracy")


def test_a_lone_place_of_its_kind_has_its_interval():
    axes = figures.layer_curve(places("module encoder.11", "attention", n_blocks=1), "").axes[0]
    segments = [one.get_segments()[0][:, 1].tolist() for one in axes.collections if hasattr(one, "get_segments")]
    assert pytest.approx([0.3, 0.5]) in segments
