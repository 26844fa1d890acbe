"""The control task that docs/add-a-control.md builds is a real one."""

from __future__ import annotations

from unittest.mock import patch

import numpy as np
from page_code import blocks_of, within
from tiny_probing import worded_splits

from lit_probe.checks import control_task
from lit_probe.checks.control_task import CONTROLS
from lit_probe.checks.selectivity import selectivity
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.study import probe_layers


def test_the_pages_control_gives_types_and_selectivity(tiny_folder):
    with patch.dict(CONTROLS):
        names = within(control_task, *blocks_of("add-a-control.md"), np=np)
        names["test_the_last_word_is_the_type"]()
        study = probe_layers(load_encoder(str(tiny_folder())), worded_splits())
        result = selectivity(study, "last_word", n_seeds=2)
    assert (result.control, result.title, len(result.layers)) == ("last_word", "the text's last word", 4)
