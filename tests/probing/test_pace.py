"""How long a study has taken is measured where it is computed, and nothing is known of what the cache had."""

from __future__ import annotations

import numpy as np
import pytest
from planted_studies import sentences

from lit_probe.data import split_texts
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.probing.pace import Clock, Pace, Work
from lit_probe.probing.study import probe_layers


def test_an_expected_time_is_the_sum_of_its_parts_and_unknown_where_one_of_them_is():
    pace = Pace(fit_s=2.0, row_s=0.5)
    assert pace.expected(Work(fits=3) + Work(fits=0.5, read=10)) == 3.5 * 2 + 10 * 0.5
    assert pace.expected(Work()) == Pace().expected(Work()) == 0
    assert Pace(fit_s=2.0).expected(Work(fits=1, read=1)) is None
    assert Pace(row_s=0.5).expected(Work(fits=1)) is None
    assert Pace(row_s=0.5).expected(Work(read=4)) == 2


def test_a_clock_knows_nothing_before_its_end_and_tells_of_what_failed_too():
    clock = Clock()
    assert clock.seconds is None
    with pytest.raises(ValueError), clock:
        raise ValueError
    assert clock.seconds is not None and clock.seconds >= 0


def test_what_the_cache_had_has_no_pace(tiny_folder, tmp_path):
    encoder, cache, (texts, labels) = load_encoder(str(tiny_folder())), Cache(tmp_path), sentences()
    splits = split_texts(texts, labels, name="films", seed=0)
    fresh = probe_layers(encoder, splits, cache=cache).pace
    assert fresh.fit_s and fresh.row_s
    assert probe_layers(encoder, splits, cache=cache).pace == Pace()
    # Another kind of probe reads the same vectors.
    other = probe_layers(encoder, splits, probe="mean_difference", cache=cache).pace
    assert other.fit_s and other.row_s is None
    # And without a folder, those that are still in use.
    nowhere = Cache(None)
    held = probe_layers(encoder, splits, cache=nowhere)
    assert held.pace.row_s and probe_layers(encoder, splits, cache=nowhere).pace.row_s is None
    assert np.array_equal(held.predictions("dev"), probe_layers(encoder, splits).predictions("dev"))
