"""Two encoders with probes on one data set: the page hears their paired difference on the same dev rows."""

from __future__ import annotations

import pytest
from lit_nlp.api.dataset import IndexedDataset
from neuron_answers import answer_of, ask
from tiny_probing import computed, models_of, tiny_splits

from lit_probe.checks.encoder_comparison import compare_encoders
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError, UnknownNameError
from lit_probe.lit.host.fields import model_name


@pytest.fixture(scope="module")
def pair(tiny_folder, encoder):
    splits = tiny_splits()
    studies = [computed(encoder, splits), computed(load_encoder(str(tiny_folder("electra"))), splits)]
    (model,) = models_of(studies[:1])
    model.peers = {model_name(one.encoder.name, one.splits.name): one for one in studies}
    return model, studies


def test_the_difference_is_that_of_the_library_at_the_chosen_layers_or_at_the_one_that_is_named(pair):
    model, (one, other) = pair
    dataset = IndexedDataset(base=model.dataset)
    best = [study.result().best_layer for study in (one, other)]
    for asked, layers in ((None, best), (1, [1, 1]), (99, best)):
        answer = answer_of("encoder_comparison", model, dataset, other="tiny-electra-on-tiny", layer=asked)
        expected = compare_encoders(one.result(), layers[0], other.result(), layers[1]).to_json()
        assert {key: answer[key] for key in expected} == expected


def test_a_model_without_probes_on_this_data_set_is_refused(pair):
    model, _ = pair
    dataset = IndexedDataset(base=model.dataset)
    with pytest.raises(UnknownNameError, match=r"Unknown model 'gpt'\. Choose one of: tiny-bert-on-tiny, tiny-electra-on-tiny\."):
        ask("encoder_comparison", model, dataset, other="gpt")
    with pytest.raises(LitProbeError, match="must be a whole number"):
        ask("encoder_comparison", model, dataset, other="tiny-electra-on-tiny", layer="none")
