"""The baseline that docs/add-a-baseline.md builds is a real one."""

from __future__ import annotations

from unittest.mock import patch

from page_code import blocks_of, within

from lit_probe.checks import baselines
from lit_probe.checks.baselines import BASELINES, from_text, measure_baselines
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.study import LayerStudy, probe_layers


def test_the_pages_baseline_is_measured_and_finds_the_mark_that_decides(tiny_folder):
    function, line, test = blocks_of("add-a-baseline.md")
    studies: list[LayerStudy] = []

    def study_of(splits) -> LayerStudy:
        studies.append(probe_layers(load_encoder(str(tiny_folder())), splits, probe="majority"))
        return studies[0]

    with patch.dict(BASELINES):
        names = within(baselines, line, test, **within(from_text, function))
        names["test_a_mark_that_decides_is_found"](study_of)
        [measured] = measure_baselines(studies[0], Cache(None), names=("marks",)).baselines
    assert (measured.title, measured.score, measured.not_converged) == ("Question and exclamation marks", 1, ())
