import threading
import time

import numpy as np
import pytest
from lit_nlp.api import types
from lit_nlp.api.dataset import IndexedDataset
from lit_nlp.lib import caching, serialize, validation
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.dataset import ProbeDataset
from lit_probe.lit.host.model import ProbeModel, is_probe_model, probe_model
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.host.pooled_texts import PooledTexts, text_memo
from lit_probe.probing.study import probe_layers

ODD_TEXTS = ["", " ", "\x00", "\u202eabc \u05d0\u05d1", "\U0001f600 film", "a\ud800b", "good " * 20_000, "<b>bold</b>", "\n\t"]


@pytest.fixture
def forwards(monkeypatch, encoder):
    """The texts' number of every forward pass of the shared encoder."""
    sizes = []
    run = encoder.run
    monkeypatch.setattr(encoder, "run", lambda batch, take: sizes.append(len(batch.ids)) or run(batch, take))
    return sizes


def test_every_prediction_passes_lits_own_validation(models):
    for model in models:
        validation.validate_model(model, IndexedDataset(base=model.dataset))


def test_a_checkpoint_with_its_own_head_predicts_it_too(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=3)))
    (model,) = models_of([computed(encoder, tiny_splits())])
    assert model.output_spec()["model"].vocab == ["class 0", "class 1", "class 2"]
    validation.validate_model(model, IndexedDataset(base=model.dataset))
    prediction = model.predict([{"text": "a fine film"}])[0]
    assert prediction["model"].sum() == pytest.approx(1)


def test_predictions_hold_exactly_the_fields_of_the_spec_and_finite_numbers(model, dataset):
    predictions = model.predict([*dataset.examples[:3], {"text": "unheard of"}])
    for prediction in predictions:
        assert prediction.keys() == model.output_spec().keys()
    back = serialize.from_json(serialize.to_json(predictions, simple=True, allow_nan=False))
    assert back[0]["probe"] == predictions[0]["probe"].tolist()


def test_a_shown_row_gets_the_digits_of_the_study(model, dataset):
    study = model.study.result()
    predictions = model.predict(dataset.examples)
    dev = [p for p, example in zip(predictions, dataset.examples, strict=True) if example["probe_split"] == "dev"]
    expected = study.probabilities("dev")
    for layer in range(model.encoder.n_layers):
        assert np.array_equal([p[f"probe_layer_{layer:02d}"] for p in dev], expected[:, layer])
        assert np.array_equal([p[f"layer_{layer:02d}"] for p in dev], study.activations["dev"].layer(layer))
    assert np.array_equal([p["probe"] for p in dev], expected[:, study.best_layer])
    assert np.array_equal([p["probe_color_by"] for p in dev], expected[:, study.best_layer])


def test_the_vector_of_the_chosen_layer_is_a_view_like_that_of_every_layer(model, dataset):
    best = model.study.result().best_layer
    for prediction in model.predict([*dataset.examples[:3], {"text": "unheard of"}]):
        assert np.shares_memory(prediction["chosen_layer"], prediction[f"layer_{best:02d}"])
        assert np.array_equal(prediction["chosen_layer"], prediction[f"layer_{best:02d}"])


def test_known_texts_of_any_data_set_of_the_encoder_cost_no_forward_pass(models, forwards):
    for model in models:
        for other in models:
            model.predict(other.dataset.examples)
    assert forwards == []


def test_pooled_vectors_are_views_of_the_studys_array(model, dataset):
    prediction = model.predict([dataset.examples[0]])[0]
    block = model.study.result().activations["dev"].blocks[0]
    assert np.shares_memory(prediction["layer_01"], block.values[1])


def test_an_edit_costs_one_forward_pass_for_all_models_and_all_their_questions(models, forwards, dataset):
    edit = edited(dataset.examples[0], text="the film was not awful but fast, an edit")
    for model in models:
        model.predict([edit])
        model.pooled([edit["text"]])
    assert forwards == [1]


def test_two_requests_for_the_same_new_text_share_its_forward_pass(model, forwards, monkeypatch):
    counted = model.encoder.run

    def slow(batch, take):
        time.sleep(0.2)
        return counted(batch, take)

    monkeypatch.setattr(model.encoder, "run", slow)
    answers = []
    ask = lambda: answers.append(model.predict([{"text": "a text that two panels ask for at once"}])[0])  # noqa: E731
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert forwards == [1]
    assert all(np.array_equal(answer["probe"], answers[0]["probe"]) for answer in answers)


def test_new_texts_of_one_request_are_encoded_together_and_each_once(model, forwards):
    texts = [f"the film was number {i}" for i in range(5)]
    model.predict([{"text": text} for text in texts * 2])
    assert sum(forwards) == 5


def test_the_memo_forgets_the_oldest_texts_and_still_answers_larger_requests(encoder):
    study = computed(encoder, tiny_splits())
    texts = PooledTexts(encoder, [study], text_memo(3))
    model = ProbeModel(study, ProbeDataset(study.splits), texts, ())
    many = [{"text": f"the plot was number {i}"} for i in range(10)]
    together = model.predict(many)
    assert len(texts._memo) == 3
    alone = [model.predict([example])[0] for example in many]
    for one, other in zip(together, alone, strict=True):
        np.testing.assert_allclose(one["probe"], other["probe"], atol=1e-5)


def test_after_an_error_of_the_encoder_the_text_can_be_asked_for_again(model, monkeypatch):
    def broken(batch, take):
        raise LitProbeError("the encoder is out of order")

    with monkeypatch.context() as patch:
        patch.setattr(model.encoder, "run", broken)
        with pytest.raises(LitProbeError, match="out of order"):
            model.predict([{"text": "asked for twice"}])
    assert model.predict([{"text": "asked for twice"}])[0]["probe"].shape == (2,)


def test_overflowing_activations_never_reach_the_browser_as_nan(model, monkeypatch):
    run = model.encoder.run

    def overflowing(batch, take):
        last = model.encoder.n_layers - 1
        return run(batch, lambda places, states: take(places, states * float("nan") if last in places else states))

    monkeypatch.setattr(model.encoder, "run", overflowing)
    prediction = model.predict([{"text": "a text that overflows"}])[0]
    assert serialize.to_json(prediction, simple=True, allow_nan=False)


@pytest.mark.parametrize("text", ODD_TEXTS)
def test_odd_texts_are_predicted_like_any_other(model, text):
    prediction = model.predict([{"text": text}])[0]
    assert prediction["probe"].sum() == pytest.approx(1)
    assert all(isinstance(token, str) for token in prediction["tokens"])


def test_an_example_without_label_is_predicted(model):
    assert len(model.predict([{"text": "a fine film", "label": "unheard of"}, {"text": "a fine film"}])) == 2


def test_nothing_is_predicted_for_no_examples(model):
    assert model.predict([]) == []


def test_a_text_that_is_no_string_is_refused_with_a_message(model):
    with pytest.raises(LitProbeError, match="string"):
        model.predict([{"text": "fine"}, {"text": 3}])


def test_the_tokens_are_those_that_the_encoder_reads(model):
    assert model.predict([{"text": "the film was fine"}])[0]["tokens"] == ["[CLS]", "the", "film", "was", "fine", "[SEP]"]


def test_models_go_with_every_data_set_of_the_same_classes_and_with_no_other(models):
    three = ProbeDataset(tiny_splits(label_names=("no", "yes")))
    for model in models:
        assert all(model.is_compatible_with_dataset(other.dataset) for other in models)
        assert not model.is_compatible_with_dataset(three)


def test_predicting_never_waits_for_the_study(encoder):
    splits = tiny_splits()
    study = PendingStudy(encoder, splits)
    (model,) = models_of([study])
    example = {"text": splits.dev.texts[0]}
    assert model.status(model.dataset)["status"] == "computing"
    with pytest.raises(LitProbeError, match="still being computed"):
        model.predict([example])
    study.compute(lambda progress: probe_layers(encoder, splits, progress=progress))
    assert model.status(model.dataset) is None
    assert len(model.predict([example])) == 1


def test_a_text_of_a_data_set_in_the_making_is_encoded_rather_than_waited_for(encoder, forwards):
    ready, pending = computed(encoder, tiny_splits()), PendingStudy(encoder, tiny_splits("other", start=120))
    model, _ = models_of([ready, pending])
    forwards.clear()
    known = {text for _, rows in ready.splits.items() for text in rows.texts}
    text = next(text for text in pending.splits.test.texts if text not in known)
    assert len(model.predict([{"text": text}])) == 1
    assert forwards == [1]


def test_a_failed_study_is_reported_to_everybody_who_asks(encoder):
    study = PendingStudy(encoder, tiny_splits())
    (model,) = models_of([study])

    def fail(progress):
        raise LitProbeError("a class has one example")

    study.compute(fail)
    assert model.status(model.dataset)["status"] == "failed"
    with pytest.raises(LitProbeError, match="a class has one example"):
        model.predict([{"text": "fine"}])


def test_a_data_set_whose_own_study_failed_is_encoded_for_the_other_model(encoder, forwards):
    good, bad = computed(encoder, tiny_splits()), PendingStudy(encoder, tiny_splits("bad", start=120))

    def fail(progress):
        raise LitProbeError("no")

    bad.compute(fail)
    model, _ = models_of([good, bad])
    forwards.clear()
    other = ProbeDataset(bad.splits)
    assert model.status(other) is None
    text = next(text for text in bad.splits.test.texts if all(text not in rows.texts for _, rows in good.splits.items()))
    assert model.predict([{"text": text}])[0]["probe"].shape == (2,)
    assert forwards == [1]


def test_lits_cache_and_our_panels_see_the_same_model(model):
    wrapped = caching.CachingModelWrapper(model, model.name)
    assert is_probe_model(wrapped) and probe_model(wrapped) is model
    assert wrapped.supports_concurrent_predictions
    projector = type("Other", (), {})()
    assert not is_probe_model(projector)
    with pytest.raises(LitProbeError, match="Other"):
        probe_model(projector)


def test_the_name_says_which_encoder_and_which_data_set(model):
    assert model.name == "tiny-bert-on-tiny"
    assert isinstance(model.output_spec()["layer_00"], types.Embeddings)


def test_the_description_never_says_that_the_model_uses_a_concept(models):
    for model in models:
        assert "probe" in model.description() and "use" not in model.description()
