import time

from lit_nlp.api.dataset import Dataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, models_of, tiny_splits

from lit_probe.checks.transfer import transfer
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS

interpreter = INTERPRETERS["transfer"]
PATIENCE_S = 30


def ask(model):
    answer = interpreter.run([], model, model.dataset)
    return serialize.from_json(serialize.to_json(answer, simple=True, allow_nan=False))


def answer_of(model):
    deadline = time.monotonic() + PATIENCE_S
    while (answer := ask(model))["status"] == "computing":
        assert time.monotonic() < deadline, answer
        time.sleep(0.01)
    return answer


def test_the_table_is_the_librarys_whichever_model_is_asked(models):
    expected = transfer([model.study.result() for model in models]).to_json()
    for model in models:
        assert answer_of(model) == {"status": "ready", **expected}
    assert expected["train"] == ["tiny", "other"]


def test_data_sets_with_other_classes_are_left_out(encoder):
    studies = [
        computed(encoder, tiny_splits()),
        computed(encoder, tiny_splits("yes-no", label_names=("no", "yes"))),
        computed(encoder, tiny_splits("other", start=-70)),
    ]
    model, foreign, _ = models_of(studies)
    assert answer_of(model)["test"] == ["tiny", "other"]
    answer = answer_of(foreign)
    assert answer["status"] == "ready" and not answer["available"] and "no other to transfer to" in answer["reason"]


def test_it_waits_for_the_other_data_sets_and_goes_on_without_those_that_failed(encoder):
    pending = PendingStudy(encoder, tiny_splits("broken", start=-30))
    pending.report("Encoding broken train", 20, 80, "texts")
    model, *_ = models_of([computed(encoder, tiny_splits()), pending, computed(encoder, tiny_splits("other", start=-70))])
    assert ask(model) == {"status": "computing", "message": "Encoding broken train: 20 of 80 texts", "fraction": 0.25}

    def fail(progress):
        raise LitProbeError("a class is missing")

    pending.compute(fail)
    answer = answer_of(model)
    assert answer["train"] == ["tiny", "other"]
    assert answer["notes"][-1].startswith("The probes of tiny-bert on broken could not be computed: a class is missing")


def test_it_offers_itself_for_our_models_only(model, dataset):
    assert interpreter.is_compatible(caching.CachingModelWrapper(model, "m"), Dataset())
    assert not interpreter.is_compatible(PCAModel(n_components=2), dataset)
