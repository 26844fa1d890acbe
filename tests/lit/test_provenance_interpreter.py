import pytest
from lit_nlp.api.dataset import Dataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import models_of, tiny_splits

from lit_probe.errors import LitProbeError
from lit_probe.leakage import near_duplicates
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.pending_study import PendingStudy
from lit_probe.provenance import card

interpreter = INTERPRETERS["provenance"]


def ask(model, config=None):
    answer = interpreter.run([], model, model.dataset, config=config)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def test_the_card_is_the_librarys(model):
    study = model.study.result()
    answer = ask(model)
    assert answer["status"] == "ready" and answer["card"] == card(study)
    assert answer["card"]["model"]["sha256"]["weights"] and list(answer["card"]["datasets"]) == ["tiny"]


def test_the_card_keeps_the_number_it_was_opened_from(model):
    number = {"metric": "accuracy", "layer": 3, "split": "dev", "value": 0.8}
    assert ask(model, {"number": number})["card"]["number"] == number
    assert "number" not in ask(model)["card"]


def test_copies_across_the_splits_stand_beside_the_card(model):
    answer = ask(model)["near_duplicates"]
    found = near_duplicates(tiny_splits())
    assert found["near"] > 0, "the sentences of this data set are made from one template"
    assert answer == {key: found[key] for key in ("threshold", "exact", "near", "notes")}


def test_while_the_probes_are_computed_there_is_no_card(encoder):
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    assert ask(model)["status"] == "computing"


@pytest.mark.parametrize("number", [3, "0.8", [1]])
def test_a_number_without_a_description_is_refused(model, number):
    with pytest.raises(LitProbeError, match="A number is described by an object"):
        ask(model, {"number": number})


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), Dataset())
    assert not interpreter.is_compatible(PCAModel(n_components=2), dataset)
    assert interpreter.meta_spec() == {} and interpreter.config_spec() == {}
