"""Activations from anywhere: planted ones come out, an encoder's own give its numbers, wrong ones are refused in a sentence."""

from __future__ import annotations

import numpy as np
import pandas
import pytest
import torch
from page_code import blocks_of

from lit_probe import probe_activations
from lit_probe.checks.battery import CHECKS, USUAL_CHECKS, run_battery
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import DatasetError, EncoderError, LitProbeError
from lit_probe.neurons.rankings import rank_neurons
from lit_probe.probing.study import probe_layers

N, WIDTH = 400, 8


def planted(seed: int = 0) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Two classes: nothing in the first layer, one direction, unit 3, in the second."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(N) % 2)
    early, late = rng.normal(size=(2, N, WIDTH))
    late[:, 3] += 4 * labels
    return {"early": early, "late": late}, labels


def test_a_planted_concept_is_found_in_its_layer_and_its_unit():
    layers, labels = planted()
    study = probe_activations(layers, labels)
    early, late = (row.scores["accuracy"] for row in study.metrics("dev").rows())
    assert early.high < 0.7 < late.low and late.value > 0.9 and study.best_layer == 1
    assert study.layer_names == ["early", "late"] and study.pooling == "no"
    assert rank_neurons(study, "mean_gap", 1).neurons(1)[0].unit == 3


def test_arrays_say_the_same_in_every_form_and_the_cache_knows_them_by_content(tmp_path):
    layers, labels = planted()
    stacked = np.stack(list(layers.values()), axis=1)
    by_name = probe_activations(layers, labels)
    for values in (stacked, stacked.astype(np.float32), stacked.tolist()):
        study = probe_activations(values, labels, cache=Cache(tmp_path))
        assert study.layer_names == ["layer 0", "layer 1"]
        assert np.array_equal(study.probabilities("dev"), by_name.probabilities("dev"))
    assert probe_activations(stacked[:, 1], labels).metrics("dev").rows()[0].scores == by_name.metrics("dev").rows()[1].scores
    changed = stacked.copy()
    changed[5, 1, 3] += 1
    assert probe_activations(changed, labels, cache=Cache(tmp_path)).fingerprint != study.fingerprint


def test_an_encoders_own_vectors_give_its_own_numbers(tiny_encoder):
    texts = [f"the film was {'good' if row % 2 else 'bad'} in scene {row}" for row in range(200)]
    labels = ["good" if row % 2 else "bad" for row in range(200)]
    values = extract_activations(tiny_encoder, texts).values
    given = probe_activations(values, labels, texts=texts)
    own = probe_layers(load_encoder(tiny_encoder.checkpoint.model_id), given.splits)
    for split in ("dev", "test"):
        # Batches of other texts round otherwise.
        assert np.allclose(given.activations[split].values, own.activations[split].values, atol=1e-5)
        assert np.allclose(given.probabilities(split), own.probabilities(split), atol=1e-3)


def test_groups_splits_and_repeated_texts_are_respected():
    layers, labels = planted()
    groups = np.arange(N) // 4
    study = probe_activations(layers, labels, groups=groups)
    parts = [set(rows.groups) for _, rows in study.splits.items()]
    assert not parts[0] & parts[1] and not parts[1] & parts[2] and not parts[0] & parts[2]
    wanted = np.array(["train", "train", "dev", "test"])[np.arange(N) % 4]
    study = probe_activations(layers, labels, splits=wanted)
    assert {name: len(rows) for name, rows in study.splits.items()} == {"train": 200, "dev": 100, "test": 100}
    texts = [f" text {row // 2} " for row in range(N)]
    pairs = np.repeat(labels[::2], 2)
    study = probe_activations(layers, pairs, texts=texts)
    assert sum(len(rows) for _, rows in study.splits.items()) == N
    assert "200 examples say what an earlier one says and have other vectors: they are numbered." in study.remarks()
    said = {name: {text.removesuffix(" (2)") for text in rows.texts} for name, rows in study.splits.items()}
    assert not said["train"] & said["dev"] and not said["dev"] & said["test"] and not said["train"] & said["test"]
    for text, vectors in zip(study.splits.dev.texts, study.activations["dev"].values, strict=True):
        row = texts.index(f" {text.removesuffix(' (2)')} ") + text.endswith(" (2)")
        assert np.array_equal(vectors[1], layers["late"][row].astype(np.float32))


@pytest.mark.parametrize(
    "make", [np.asarray, list, lambda values: pandas.Series(values, index=np.random.default_rng(1).permutation(N))]
)
def test_what_comes_from_a_shuffled_table_stays_with_its_row(make):
    layers, labels = planted()
    where = np.array(["train", "train", "dev", "test"])[np.arange(N) % 4]
    study = probe_activations(layers, make(labels), groups=make(np.arange(N)), splits=make(where))
    plain = probe_activations(layers, labels, groups=np.arange(N), splits=where)
    assert np.array_equal(study.probabilities("dev"), plain.probabilities("dev"))
    assert study.metrics("dev").rows()[1].scores["accuracy"].value > 0.9


def test_tensors_are_read_and_what_is_no_array_is_told():
    layers, labels = planted()
    late = torch.tensor(layers["late"]).to(torch.bfloat16).requires_grad_()
    assert probe_activations(late, labels).metrics("dev").rows()[0].scores["accuracy"].value > 0.9
    with pytest.raises(EncoderError, match="make no array"):
        probe_activations([[1.0, 2.0], [1.0]], [0, 1])
    with pytest.raises(EncoderError, match="are masked"):
        probe_activations(np.ma.masked_greater(layers["late"], 3), labels)


def test_checks_are_computed_and_what_needs_the_network_says_so():
    layers, labels = planted()
    results = run_battery(probe_activations(layers, labels), Cache(None), None, list(USUAL_CHECKS), {})
    assert set(results) <= set(CHECKS)
    baselines = {one.name: one for one in results["baselines"].baselines}
    assert "known by its vectors alone" in baselines["random_weights"].layers[0].reason
    assert baselines["majority"].score == pytest.approx(0.5, abs=0.02)
    assert any("have no texts" in remark for remark in probe_activations(layers, labels).remarks())


LABELS = np.arange(40) % 2


@pytest.mark.parametrize(
    ("values", "changes", "error", "sentence"),
    [
        ({}, {}, EncoderError, "have no layers"),
        (np.zeros((40,)), {}, EncoderError, r"have the shape \[40\]"),
        (np.zeros((40, 2, 3, 4)), {}, EncoderError, r"have the shape \[40, 2, 3, 4\]"),
        (np.zeros((39, 2, 3)), {}, EncoderError, r"has the shape \[39, 3\], where \[40, width\] is needed"),
        ({"a": np.zeros((40, 0))}, {}, EncoderError, "width"),
        ({"a": np.full((40, 3), np.nan)}, {}, EncoderError, "NaN, infinite or too large numbers in 40 of 40 rows"),
        ({"a": np.full((40, 3), 1e300)}, {}, EncoderError, "too large numbers"),
        ({"a": np.full((40, 3), "x")}, {}, EncoderError, "probes read numbers"),
        ({"a": np.zeros((40, 3), dtype=complex)}, {}, EncoderError, "probes read numbers"),
        (np.zeros((40, 2, 3)), {"texts": ["a"] * 39}, DatasetError, "39 texts, 40 labels"),
        (np.zeros((40, 2, 3)), {"groups": [1] * 39}, DatasetError, "40 texts, 40 labels, 39 groups"),
        (np.zeros((40, 2, 3)), {"splits": ["fold"] * 40}, DatasetError, "."),
        (np.zeros((40, 2, 3)), {"probe": "tree"}, LitProbeError, "Unknown probe"),
    ],
)
def test_what_cannot_be_probed_is_refused_in_a_sentence(values, changes, error, sentence):
    if "splits" in changes:
        study = probe_activations(np.random.default_rng(0).normal(size=(40, 2, 3)), LABELS, **changes)
        assert any("names no split" in note for note in study.remarks())
        return
    with pytest.raises(error, match=sentence):
        probe_activations(values, LABELS, **changes)


def test_the_page_of_the_docs_runs(capsys):
    [code] = blocks_of("activations.md")
    exec(code, {})
    printed = capsys.readouterr().out
    assert "chosen on dev" in printed and "unit=0" in printed.split("\n")[-2]


def test_a_text_without_vectors_is_refused():
    layers, labels = planted()
    study = probe_activations(layers, labels)
    with pytest.raises(EncoderError, match="this text has none: 'something new'"):
        study.encoder.vectors(["something new"])
    with pytest.raises(EncoderError, match="needs its tokens"):
        study.encoder.encode(["example 1"])


def test_layers_may_differ_in_width():
    rng = np.random.default_rng(0)
    labels = [row % 2 for row in range(80)]
    wide = rng.normal(size=(80, 7))
    study = probe_activations({"narrow": rng.normal(size=(80, 3)) + np.array(labels)[:, None], "wide": wide}, labels)
    assert study.activations["train"].widths == (3, 7) == tuple(probe.d_model for probe in study.layerwise.probes)
    alone = probe_activations({"wide": wide}, labels)
    np.testing.assert_array_equal(study.probabilities("dev")[:, 1], alone.probabilities("dev")[:, 0])
