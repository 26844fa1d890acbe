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


@pytest.mark.parametrize("kind", SIMULATED)
@pytest.mark.parametrize("colors", [[*SPLITS.values(), figures._PURPLE], ENCODERS], ids=["splits", "encoders"])
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
