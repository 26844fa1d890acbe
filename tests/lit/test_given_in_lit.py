"""Activations from a file in LIT: the page of our server without a network behind it."""

from __future__ import annotations

import numpy as np
import pytest
from foreign_lit import Page
from tiny_probing import LABELS, tiny_splits

from lit_probe.lit.app import AppOptions, build
from lit_probe.probing.given_activations import given_activations
from lit_probe.probing.study import probe_layers


@pytest.fixture(scope="module")
def page():
    rng, splits = np.random.default_rng(0), tiny_splits()
    rows = [(text, label, name) for name, part in splits.items() for text, label in zip(part.texts, part.labels, strict=True)]
    texts, labels, where = zip(*rows, strict=True)
    values = rng.normal(size=(len(texts), 3, 6))
    values[:, 2, 0] += 4 * np.array(labels)
    words = [LABELS[label] for label in labels]
    encoder, given = given_activations(values, words, texts=texts, splits=where, name="brain", dataset="films")
    return Page(build([encoder], [given], AppOptions(), lambda *of: probe_layers(of[0], of[1], pooling="no", progress=of[2])))


def test_the_page_shows_the_curve_and_lits_panels_the_vectors(page):
    ids = page.ids("films")
    answer = page.ask("layer_metrics", "brain-on-films", "films", ids)
    assert answer["best_layer"] == 2 and answer["layer_names"] == ["layer 0", "layer 1", "layer 2"]
    address = "/get_preds?model=brain-on-films&dataset_name=films&requested_types=MulticlassPreds,Embeddings"
    [prediction] = page.post(address, {"inputs": ids[:1]})
    assert len(prediction["chosen_layer"]) == 6 and "tokens" not in prediction


def test_an_edit_has_no_vectors_and_the_panel_says_so(page):
    row = page.post("/get_dataset?dataset_name=films")[0]
    meta = {"added": True, "parentId": row["id"], "source": "manual"}
    edit = {"id": "", "data": {**row["data"], "text": "new words", "_id": "", "_meta": meta}, "meta": meta}
    answer = page.ask("layer_predictions", "brain-on-films", "films", [edit])
    assert answer["status"] == "failed" and "this text has none: 'new words'" in answer["message"]
    assert "salience_map" in page.post("/get_info")["models"]["brain-on-films"]["interpreters"]
    told = page.ask("salience_map", "brain-on-films", "films", page.ids("films")[:1], method="gradient_l2")
    assert "known by its vectors alone" in told["message"]
