"""The check that docs/add-a-check.md builds is a real one: computed, cached, in the columns and in the table."""

from __future__ import annotations

from unittest.mock import patch

import pytest
from page_code import as_module, blocks_of, within
from tiny_probing import worded_splits

from lit_probe.checks import battery
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.study import probe_layers

(FILE, TEST), [ENTRY] = blocks_of("add-a-check.md"), blocks_of("add-a-check.md", "")


@pytest.fixture
def names(monkeypatch):
    """What battery.py knows with the page's entry, which is there as long as the test runs."""
    module = as_module(monkeypatch, FILE, "lit_probe.checks.confidence")
    with patch.dict(battery.CHECKS):
        battery.CHECKS.update(eval(f"{{{ENTRY}}}", {**vars(battery), **vars(module)}))
        yield within(battery, TEST, **vars(module))


def test_the_pages_check_is_computed_stored_and_shown(names, tiny_folder, tmp_path):
    study = probe_layers(load_encoder(str(tiny_folder())), worded_splits())
    first = battery.run_check("confidence", study, Cache(tmp_path))
    assert first == names["confidence"](study) == battery.run_check("confidence", study, Cache(tmp_path))
    assert all(0.5 < row.confidence <= 1 for row in first.layers)
    columns = battery.layer_columns({"confidence": first}, 4)
    assert [row["confidence"] for row in columns] == [row.confidence for row in first.layers]
    head, *rows, note = battery.check_table({"confidence": first}, 4).splitlines()
    assert head.split()[-1] == "confidence" and rows[3].endswith(f"{first.layers[3].confidence:.3f}")
    assert note == "Confidence: The mean over 60 dev rows."


def test_the_pages_test_passes(names, tiny_encoder):
    names["test_a_probe_that_knows_only_the_class_frequencies_is_no_surer_than_these"](tiny_encoder)
