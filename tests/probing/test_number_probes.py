"""Kept probes of a number: the study's own digits again, a table of predictions with their scores, and what is refused."""

from __future__ import annotations

import json

import numpy as np
import pytest
from sklearn.metrics import mean_absolute_error, r2_score

from lit_probe.data import split_texts
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import DatasetError, ProbeError
from lit_probe.probing.predicted_rows import predict_rows
from lit_probe.probing.probe_file import load_probe, save_probes
from lit_probe.probing.study import probe_layers

WORDS = "good bad dull great film movie plot scene".split()


@pytest.fixture(scope="module")
def study(tiny_folder):
    random = np.random.default_rng(0)
    texts = [" ".join(random.choice(WORDS, random.integers(3, 30))) + f" {row}" for row in range(160)]
    numbers = [float(len(text.split())) + random.normal() for text in texts]
    return probe_layers(load_encoder(str(tiny_folder(seed=7))), split_texts(texts, numbers, target="number", name="lengths"))


@pytest.fixture
def kept(study, tmp_path):
    return load_probe(save_probes(study, tmp_path / "probes.safetensors"))


def test_texts_get_the_studys_own_digits(study, kept):
    for layer in range(study.encoder.n_layers):
        found = kept.predict(study.splits.dev.texts, study.encoder, layer)
        assert np.array_equal(found.numbers, study.predictions("dev")[:, layer, 0])
    assert found.labels == [] and found.probabilities.shape == (len(study.splits.dev), 0)
    assert not found.in_training.any() and kept.predict(study.splits.train.texts, study.encoder).in_training.all()
    assert kept.layer == study.best_layer and kept.facts.headline == "r2" and "alpha" in kept.facts.made_by
    json.dumps(found.to_json(), allow_nan=False)


def test_vectors_are_read_too_and_there_are_no_probabilities(study, kept):
    values = study.activations["dev"].layer(1)
    assert np.array_equal(kept.predict_vectors(values, 1).numbers, study.predictions("dev")[:, 1, 0])
    with pytest.raises(ProbeError, match="give a number and no probabilities"):
        kept.probabilities(values, 1)


def test_a_table_gets_a_number_for_each_row_and_its_scores(study, kept):
    test = study.splits.test
    table = {"text": [*test.texts, "", "good plot"], "stars": [*map(str, test.labels.tolist()), "3", ""]}
    found = predict_rows(kept, study.encoder, table, table["text"], label_column="stars")
    assert list(found.columns) == ["text", "stars", "predicted", "truncated", "in_training"]
    predicted = found.columns["predicted"]
    assert predicted[len(test)] is None and isinstance(predicted[-1], float)
    ours = np.array(predicted[: len(test)])
    assert f"r2 {r2_score(test.labels, ours):.3f}, 95 % interval" in " ".join(found.notes)
    assert f"mae {mean_absolute_error(test.labels, ours):.3f}, 95 % interval" in " ".join(found.notes)
    assert "1 rows have no label, and are not scored." in found.notes
    assert not any("most probable" in note for note in found.notes)


@pytest.mark.parametrize(("word", "said"), [("many", "should hold a number"), ("inf", "should hold finite numbers")])
def test_a_word_among_the_numbers_is_refused_with_its_row(study, kept, word, said):
    table = {"text": ["good film", "bad film"], "stars": ["1", word]}
    with pytest.raises(DatasetError, match=f"Column 'stars' {said}.*row 2 has '{word}'"):
        predict_rows(kept, study.encoder, table, table["text"], label_column="stars")


def test_rows_of_training_are_left_out_of_the_score(study, kept):
    train = study.splits.train
    table = {"text": list(train.texts), "stars": list(map(str, train.labels.tolist()))}
    assert "No row can be scored." in predict_rows(kept, study.encoder, table, table["text"], label_column="stars").notes
