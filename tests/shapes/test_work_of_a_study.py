"""How often a study does what is expensive: forward passes and fits. No noise moves these numbers; a change of design does."""

from __future__ import annotations

import pytest
import torch
import transformers
from counted import count_fits, count_forwards
from tiny_probing import worded_splits

from lit_probe.checks.baselines.from_layers import N_ORDERS, N_WEIGHTS
from lit_probe.checks.battery import CHECKS, run_check
from lit_probe.checks.repeats import N_REPEATS
from lit_probe.encoder.activations import BLOCK_SIZE, extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.site_activations import extract_sites
from lit_probe.encoder.site_search import sites_of
from lit_probe.encoder.sites import FAMILIES
from lit_probe.probing.study import LayerStudy, probe_layers

SPLITS = worded_splits()
N_TRAIN = len(SPLITS.train)
# Rows of each fit of all layers; what a check needs beside them, the study has.
PORTIONS = [16, 19, 38, 75]
FITS = {
    "selectivity": 6 * [N_TRAIN],
    "baselines": (N_WEIGHTS + N_ORDERS) * [N_TRAIN],
    "layer_comparison": [],
    "description_length": PORTIONS,
    "learning_curve": PORTIONS,
    "calibration": [],
    "agreement": [],
    "repeats": N_REPEATS * [N_TRAIN],
}

# Short texts that an encoder is tried on when it is opened: is padding neutral (two passes), and where are layers made (two)?
TRIALS = (1, 2, 2, 2)


def n_batches(encoder, texts):
    """Batches of all blocks, as the encoder cuts them."""
    blocks = [texts[start : start + BLOCK_SIZE] for start in range(0, len(texts), BLOCK_SIZE)]
    return sum(len(list(encoder.batches(encoder.encode(block)))) for block in blocks)


@pytest.fixture
def forwards():
    """A list that grows by the batch size at every forward pass of any model."""
    passes: list[int] = []

    def count(module, args, output):
        if isinstance(module, transformers.PreTrainedModel):
            passes.append(len(output[0]))

    handle = torch.nn.modules.module.register_module_forward_hook(count)
    yield passes
    handle.remove()


@pytest.fixture(scope="module")
def study(tiny_folder):
    return probe_layers(load_encoder(str(tiny_folder())), SPLITS)


def test_all_layers_of_a_batch_take_one_forward_pass(tiny_encoder):
    texts = [f"the film was {'very ' * (n % 9)}good {n}" for n in range(BLOCK_SIZE + 300)]
    passes = count_forwards(tiny_encoder)
    extract_activations(tiny_encoder, texts)
    assert len(passes) == n_batches(tiny_encoder, texts) > 2
    assert sum(passes) == len(texts), "no text is read twice"


def test_all_families_of_places_take_the_same_forward_passes(tiny_encoder):
    sites = sites_of(tiny_encoder, list(FAMILIES))  # finds out where they are, with short texts of its own
    passes = count_forwards(tiny_encoder)
    extract_sites(tiny_encoder, SPLITS.train.texts, sites, "mean")
    assert len(passes) == n_batches(tiny_encoder, SPLITS.train.texts)


def test_a_study_reads_each_text_once_and_fits_each_layer_once(tiny_folder, tmp_path, monkeypatch):
    fits = count_fits(monkeypatch)
    encoder = load_encoder(str(tiny_folder()))
    passes = count_forwards(encoder)
    probe_layers(encoder, SPLITS, cache=Cache(tmp_path))
    assert sum(passes) == sum(len(rows) for _, rows in SPLITS.items())
    assert len(passes) == sum(n_batches(encoder, rows.texts) for _, rows in SPLITS.items())
    assert fits == [N_TRAIN]


def test_the_second_time_nothing_is_read_and_nothing_fitted(tiny_folder, tmp_path, monkeypatch, forwards):
    probe_layers(load_encoder(str(tiny_folder())), SPLITS, cache=Cache(tmp_path))
    forwards.clear()
    fits = count_fits(monkeypatch)
    probe_layers(load_encoder(str(tiny_folder())), SPLITS, cache=Cache(tmp_path))
    assert (forwards, fits) == ([], [])


def test_every_check_has_its_number_of_fits():
    assert list(FITS) == list(CHECKS)


@pytest.mark.parametrize("name", CHECKS)
def test_a_check_fits_so_often_and_reads_nothing_again(study, name, monkeypatch, forwards):
    fits = count_fits(monkeypatch)
    fresh = LayerStudy(study.encoder, study.splits, study.activations, study.layerwise, study.seed)
    run_check(name, fresh)
    assert fits == FITS[name]
    if name == "baselines":  # with other weights
        batches = sum(n_batches(study.encoder, rows.texts) for rows in (SPLITS.train, SPLITS.dev))
        assert len(forwards) == N_WEIGHTS * (batches + len(TRIALS))
        assert sum(forwards) == N_WEIGHTS * (N_TRAIN + len(SPLITS.dev) + sum(TRIALS))
    else:
        assert forwards == []
