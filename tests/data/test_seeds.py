"""Seeds: every public function that takes one takes the same whole numbers, and refuses all else in one sentence."""

from __future__ import annotations

import inspect

import numpy as np
import pytest

import lit_probe
from lit_probe import DatasetOptions, probe_activations
from lit_probe.data.seeds import LARGEST_SEED, checked_seed
from lit_probe.errors import LitProbeError
from lit_probe.lit import interpreters
from lit_probe.neurons.effects.ablation import Ablation
from lit_probe.neurons.meaning.neuron_factors import neuron_factors
from lit_probe.neurons.rankings import RankingOptions, rank_neurons
from lit_probe.neurons.rankings.neuron_evaluation import compare_rankings, evaluate_ranking
from lit_probe.neurons.rankings.neuron_stability import neuron_stability
from lit_probe.probing.layerwise import LayerwiseProbe
from lit_probe.salience.options import SalienceOptions
from lit_probe.scores.metrics import score_layers
from lit_probe.views.projections import fit_projections, project

WRONG = [-1, 2**32, 10**30, 0.5, 1.0, float("nan"), True, None, "1", "eins", [1], np.float64(1)]
LABELS = ["yes", "no"] * 20


@pytest.fixture(scope="module")
def study():
    return probe_activations(np.random.default_rng(0).normal(size=(40, 2, 5)), LABELS, probe="mean_difference")


def splits():
    return lit_probe.split_texts([f"text number {i}" for i in range(40)], LABELS)


# What takes a seed: called with the study, the tiny encoder and the seed.
CALLS = {
    "DatasetOptions": lambda study, encoder, seed: DatasetOptions(seed=seed),
    "annotate": lambda study, encoder, seed: lit_probe.annotate(["a text"] * 4, "words:a", seed=seed),
    "split_texts": lambda study, encoder, seed: lit_probe.split_texts(["a", "b"] * 20, LABELS, seed=seed),
    "split_words": lambda study, encoder, seed: lit_probe.split_words([["a", "b"]] * 20, [["x", "y"]] * 20, seed=seed),
    "probe_activations": lambda study, encoder, seed: probe_activations(np.ones((40, 2, 5)), LABELS, seed=seed),
    "probe_layers": lambda study, encoder, seed: lit_probe.probe_layers(encoder, splits(), seed=seed),
    "probe_attention": lambda study, encoder, seed: lit_probe.probe_attention(encoder, splits(), seed=seed),
    "probe_values": lambda study, encoder, seed: lit_probe.probe_values(encoder, splits(), seed=seed),
    "project": lambda study, encoder, seed: project(study, seed=seed),
    "fit_projections": lambda study, encoder, seed: fit_projections(study, "tsne", seed=seed),
    "randomised": lambda study, encoder, seed: encoder.randomised(seed),
    "LayerwiseProbe": lambda study, encoder, seed: LayerwiseProbe.fit(
        study.activations["train"], study.splits.train.labels, study.splits.label_names, seed=seed
    ),
    "interpreters": lambda study, encoder, seed: interpreters(seed=seed),
    "ProbeModel": lambda study, encoder, seed: lit_probe.lit.ProbeModel(encoder, splits(), seed=seed),
    "Ablation": lambda study, encoder, seed: Ablation(1, (0,), seed=seed),
    "neuron_factors": lambda study, encoder, seed: neuron_factors(encoder, "a text", (1, 1), 1, seed),
    "RankingOptions": lambda study, encoder, seed: RankingOptions(seed=seed),
    "random neurons": lambda study, encoder, seed: rank_neurons(study, "mean_gap", 1).random(2, seed),
    "ranking_stability": lambda study, encoder, seed: neuron_stability(study, "mean_gap", 1, seed=seed),
    "evaluate_ranking": lambda study, encoder, seed: evaluate_ranking(study, rank_neurons(study, "mean_gap", 1), seed=seed),
    "compare_rankings": lambda study, encoder, seed: compare_rankings(study, 1, seed=seed),
    "SalienceOptions": lambda study, encoder, seed: SalienceOptions(seed=seed),
    "score_layers": lambda study, encoder, seed: score_layers("accuracy", [[[0.5, 0.5]]], [0], None, seed),
}


@pytest.mark.parametrize("seed", WRONG, ids=repr)
@pytest.mark.parametrize("called", CALLS)
def test_what_is_no_seed_is_refused_in_one_sentence(study, tiny_encoder, called, seed):
    with pytest.raises(LitProbeError) as refused:
        CALLS[called](study, tiny_encoder, seed)
    assert str(refused.value) == f"seed must be a whole number from 0 to 4294967295, not {seed!r}."


def test_every_public_function_that_takes_a_seed_is_among_them():
    taking = set()
    for name in lit_probe.__all__:
        thing = getattr(lit_probe, name)
        is_error = inspect.isclass(thing) and issubclass(thing, Exception)
        if callable(thing) and not is_error and "seed" in inspect.signature(thing).parameters:
            taking.add(name)
    # A fitted study's seed is the one that it was fitted with.
    assert taking - {"LayerStudy"} <= set(CALLS)


@pytest.mark.parametrize("seed", [0, 1, LARGEST_SEED, np.int64(7), np.uint8(3)], ids=repr)
def test_whole_numbers_of_python_and_numpy_are_seeds(study, seed):
    found = checked_seed(seed)
    assert found == seed and type(found) is int and type(RankingOptions(seed=seed).seed) is int
    assert project(study, "nmf", seed=seed).pictures.seed == seed
