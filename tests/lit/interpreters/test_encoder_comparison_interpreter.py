"""Two encoders with probes on one data set: the page hears their paired difference on the same dev rows."""

from __future__ import annotations

import pytest
from lit_nlp.api.dataset import IndexedDataset
from neuron_answers import answer_of, ask
from tiny_probing import computed, models_of, tiny_splits

from lit_probe.checks.encoder_comparison import compare_encoders
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError


@pytest.fixture(scope="module")
def pair(tiny_folder, encoder):
    splits = tiny_splits()
    studies = [computed(encoder, splits), computed(load_encoder(str(tiny_folder("electra"))), splits)]
    (model,) = models_of(studies[:1])
    model.peers = tuple(studies)
    return model, studies


def test_the_difference_is_that_of_the_library(pair):
    model, (one, other) = pair
    dataset = IndexedDataset(base=model.dataset)
    answer = answer_of("encoder_comparison", model, dataset, other=other.encoder.name, layers=[2, 1])
    expected = compare_encoders(one.result(), 2, other.result(), 1).to_json()
    assert {key: answer[key] for key in expected} == expected


def test_an_encoder_or_a_layer_that_is_not_there_is_named(pair):
    model, (_, other) = pair
    dataset = IndexedDataset(base=model.dataset)
    with pytest.raises(UnknownNameError, match=r"Unknown encoder 'gpt'\. Choose one of: tiny-bert, tiny-electra\."):
        ask("encoder_comparison", model, dataset, other="gpt", layers=[0, 0])
    with pytest.raises(LitProbeError, match="Two layers are named by two whole numbers"):
        ask("encoder_comparison", model, dataset, other=other.encoder.name, layers="0")
    failed = answer_of("encoder_comparison", model, dataset, other=other.encoder.name, layers=[0, 99])
    assert failed["status"] == "failed"
    assert "Unknown layer 99" in failed["message"]
