import numpy as np
import pytest
from lit_nlp.api.dataset import Dataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS

interpreter = INTERPRETERS["layer_predictions"]


def run(model, dataset, inputs):
    answer = interpreter.run(inputs, model, dataset)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def test_a_shown_row_gets_the_studys_probabilities_of_every_layer(model, dataset):
    answer = run(model, dataset, dataset.examples[:3])
    study = model.study.result()
    assert answer["status"] == "ready"
    assert answer["label_names"] == ["negative", "positive"] and answer["best_layer"] == study.best_layer
    assert [one["probabilities"] for one in answer["examples"]] == study.probabilities("dev")[:3].tolist()
    assert [one["label"] for one in answer["examples"]] == [example["label"] for example in dataset.examples[:3]]
    assert all(not one["edited"] and not one["truncated"] and one["model"] is None for one in answer["examples"])


def test_an_edit_gets_probabilities_of_its_own_and_is_marked(model, dataset):
    row = dataset.examples[0]
    flipped = row["text"].replace("not", "very") + " awful bad dull sad"
    original, edit = run(model, dataset, [row, edited(row, text=flipped)])["examples"]
    assert edit["edited"] and not original["edited"]
    assert edit["probabilities"] != original["probabilities"]
    np.testing.assert_allclose(np.sum(edit["probabilities"], axis=1), 1)


def test_a_row_that_was_changed_without_lits_mark_is_an_edit_too(model, dataset):
    row = {key: value for key, value in dataset.examples[0].items() if not key.startswith("_")}
    as_it_is, changed = run(model, dataset, [row, {**row, "text": row["text"] + " indeed"}])["examples"]
    assert changed["edited"] and not as_it_is["edited"]


def test_an_edit_without_a_known_label_has_none(model, dataset):
    answer = run(model, dataset, [edited(dataset.examples[0], label="")])
    assert answer["examples"][0]["label"] is None


def test_no_examples_get_no_answers(model, dataset):
    assert run(model, dataset, [])["examples"] == []


def test_a_checkpoints_own_prediction_stands_beside_the_probes(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=3)), max_length=8)
    (model,) = models_of([computed(encoder, tiny_splits())])
    long_text = "the film was very good and it was not slow"
    (answer,) = run(model, model.dataset, [{"text": long_text}])["examples"]
    assert answer["truncated"]
    assert answer["model"]["label_names"] == ["class 0", "class 1", "class 2"]
    assert sum(answer["model"]["probabilities"]) == pytest.approx(1)


def test_a_text_that_is_no_string_is_refused(model, dataset):
    with pytest.raises(LitProbeError, match="string"):
        interpreter.run([{"text": None}], model, dataset)


def test_it_says_when_it_has_to_wait_and_when_there_is_nothing_to_wait_for(encoder):
    study = PendingStudy(encoder, tiny_splits())
    (model,) = models_of([study])
    assert run(model, model.dataset, [{"text": "fine"}])["status"] == "computing"

    def fail(progress):
        raise LitProbeError("no probes today")

    study.compute(fail)
    answer = run(model, model.dataset, [{"text": "fine"}])
    assert answer["status"] == "failed" and "no probes today" in answer["message"]


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert not interpreter.is_compatible(PCAModel(n_components=2), Dataset())
    assert interpreter.config_spec() == {} and interpreter.meta_spec() == {}
