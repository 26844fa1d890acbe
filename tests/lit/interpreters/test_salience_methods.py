from dataclasses import asdict

import pytest
from lit_nlp.api.dataset import Dataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import models_of, tiny_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.explaining import question_of
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions

interpreter = INTERPRETERS["salience_methods"]


@pytest.fixture
def choices(model, dataset):
    answer = interpreter.run([], model, dataset)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def test_all_methods_are_named_with_what_they_read(choices):
    assert [method["name"] for method in choices["methods"]] == list(SALIENCE_METHODS)
    assert all(set(method["uses"]) <= set(choices["options"]) and method["description"] for method in choices["methods"])


def test_defaults_and_limits_are_those_of_the_questions(choices):
    assert {name: option["default"] for name, option in choices["options"].items()} == asdict(SalienceOptions())
    for name, option in choices["options"].items():
        for value in option.get("choices") or (option["low"], option["high"]):
            assert getattr(question_of({name: value}).options, name) == value
        if "high" in option:
            with pytest.raises(LitProbeError, match=name):
                question_of({name: option["high"] * 2})


def test_layers_and_classes_are_those_of_the_model(choices, model, tiny_folder):
    assert choices["n_layers"] == 4 and choices["best_layer"] == model.study.result().best_layer
    assert choices["class_names"] == {"probe": ["negative", "positive"], "model": None}
    (in_the_making,) = models_of([PendingStudy(load_encoder(str(tiny_folder(n_classes=3))), tiny_splits())])
    answer = interpreter.run([], in_the_making, in_the_making.dataset)
    assert answer["best_layer"] is None and answer["class_names"]["model"] == ["class 0", "class 1", "class 2"]
    assert choices["head_classes"] is None and answer["head_classes"] is None, "there is no head, or it tells other classes"


def test_classes_of_the_head_are_paired_with_those_of_the_probes(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=2)))
    encoder.head_label_names = ("POSITIVE", "NEGATIVE")
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    answer = interpreter.run([], model, model.dataset)
    assert answer["class_names"] == {"probe": ["negative", "positive"], "model": ["POSITIVE", "NEGATIVE"]}
    assert answer["head_classes"] == [1, 0]


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
    assert not interpreter.is_compatible(PCAModel(n_components=2), Dataset())
    assert interpreter.config_spec() == {} and interpreter.meta_spec() == {}
