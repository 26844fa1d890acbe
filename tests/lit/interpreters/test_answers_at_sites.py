"""In LIT, an encoder that is read at places of different widths answers all that one read at its layers does."""

from __future__ import annotations

import pytest
from lit_nlp.api.dataset import IndexedDataset
from lit_nlp.lib import caching, validation
from panel_questions import ASKED, CHECKS, answer_of
from tiny_probing import LABELS, computed, edited, models_of, tiny_splits, worded_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.site_search import sites_of
from lit_probe.lit.generators import generators_for

PLACES = ["embeddings", "head 1.0", "mlp_neurons 1", "attention 2", "head 2.3", "block 2"]


@pytest.fixture(scope="module")
def models(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    encoder.checkpoint.config["id2label"] = dict(enumerate(LABELS))
    read = encoder.at(sites_of(encoder, PLACES))
    return models_of([computed(read, worded_splits()), computed(read, tiny_splits())])


@pytest.fixture(scope="module")
def pair(models):
    rows = IndexedDataset(base=models[0].dataset).examples
    return [rows[0], edited(rows[0], text=rows[0]["text"].replace("was", "is"))]


def test_each_place_is_a_field_of_its_own_width_and_passes_lits_validation(models):
    model = models[0]
    dataset = IndexedDataset(base=model.dataset)
    validation.validate_model(model, dataset)
    assert list(model.vector_fields) == [
        "at_embeddings",
        "at_head_1.0",
        "at_mlp_neurons_1",
        "at_attention_2",
        "at_head_2.3",
        "at_block_2",
    ]
    [prediction] = model.predict([dataset.examples[0]])
    assert [len(prediction[name]) for name in model.vector_fields] == [32, 8, 48, 32, 8, 32]
    assert "Layer 0 stands for embeddings, layer 5 for block 2." in model.description()


@pytest.mark.parametrize("name", ASKED)
def test_every_question_has_an_answer_at_places(models, pair, name):
    interpreter, n_rows, asked = ASKED[name]
    answer = answer_of(models[0], interpreter, pair[:n_rows], **asked)
    assert answer["status"] == "ready", answer


@pytest.mark.parametrize("check", CHECKS)
def test_every_check_has_an_answer_at_places(models, check):
    answer = answer_of(models[0], "probe_checks", check=check)
    assert answer["status"] == "ready", answer


@pytest.mark.parametrize("unit", [7, 8])
def test_a_unit_is_known_by_the_width_of_its_own_place(models, unit):
    answer = answer_of(models[0], "neuron_evidence", part="distribution", layer=1, unit=unit)
    assert (answer["status"] == "ready") == (unit < 8), answer


def test_a_layer_that_is_none_of_the_places_is_told_with_their_names(models):
    answer = answer_of(models[0], "neuron_ranking", layer=9)
    assert "is read at 0 (embeddings) to 5 (block 2)" in answer["message"], answer


def test_factors_of_the_feed_forward_neurons_count_blocks_not_places(models, pair):
    answer = answer_of(models[0], "neuron_evidence", pair[:1], part="factors", first=3, components=2)
    assert answer["status"] == "ready", answer
    refused = answer_of(models[0], "neuron_evidence", pair[:1], part="factors", first=4, last=4, components=2)
    assert "are those of layers 1 to 3" in refused["message"], refused


def test_the_curve_the_transfer_and_the_report_name_the_places(models):
    rows = IndexedDataset(base=models[0].dataset).examples
    curve = answer_of(models[0], "layer_metrics", rows)
    assert curve["layer_names"] == PLACES and [site["width"] for site in curve["sites"]] == [32, 8, 48, 32, 8, 32]
    assert curve["sites"][1] == {**curve["sites"][1], "name": "head 1.0", "family": "heads", "depth": 1}
    assert answer_of(models[1], "transfer")["status"] == "ready"
    report = answer_of(models[0], "report")
    assert "head 1.0" in report["html"] and "Layer 0 is the embedding output" not in report["html"]


def test_kept_probes_go_to_the_page_and_come_back(models):
    file = answer_of(models[0], "probe_file")
    answer = answer_of(models[0], "kept_probe", file=file["file"], whole=True)
    assert answer["status"] == "ready", answer


@pytest.mark.parametrize("layer", ["1", "3"])
def test_generators_change_what_the_probe_of_a_place_says(models, layer):
    model = models[1]
    dataset = IndexedDataset(base=model.dataset)
    generators = generators_for(models)
    made = generators["HotFlip"].generate_all(
        dataset.examples[:3], model, dataset, {"Layer": layer, "Max number of token flips": "2"}
    )
    for row, edits in zip(dataset.examples, made, strict=False):
        for edit in edits:
            before, after = (int(model.predictions(model.pooled([one["text"]]))[0, int(layer)].argmax()) for one in (row, edit))
            assert before != after


def test_words_are_taken_away_until_the_probe_of_a_place_says_something_else(models):
    model = models[1]
    dataset = IndexedDataset(base=model.dataset)
    wrapped = caching.CachingModelWrapper(model, model.name)
    key = next((name for name in model.output_spec() if name.startswith("probe_at_head_1.0")), "probe")
    config = {
        "Max number of token ablations": "3",
        "Comma-separated list of tokens to never flip": [],
        "Prediction key": key,
        "Fields to ablate": ["text"],
    }
    made = generators_for(models)["Ablation Flip"].generate_all(dataset.examples[:3], wrapped, dataset, config)
    assert len(made) == 3 and key == "probe_at_head_1.0"
