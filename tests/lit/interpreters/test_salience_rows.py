import json

import numpy as np
import pytest
from lit_nlp.api import types
from lit_nlp.api.dataset import Dataset
from lit_nlp.components.pca import PCAModel
from lit_nlp.lib import caching, serialize
from tiny_probing import computed, edited, models_of, tiny_splits

from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import LitProbeError
from lit_probe.lit.host import explaining
from lit_probe.lit.host.explaining import TITLES as TITLES_OF_OPTIONS
from lit_probe.lit.host.explaining import explainer_of, question_of
from lit_probe.lit.host.pending_study import PendingStudy
from lit_probe.lit.interpreters import INTERPRETERS
from lit_probe.lit.interpreters.salience import salience_rows
from lit_probe.once import Memo
from lit_probe.salience import SALIENCE_METHODS
from lit_probe.scores.decision import Decision

TITLES = {method.name: method.title for method in SALIENCE_METHODS.values()}
TEXT = "the story was awful"
LONG = "the story was awful and the film was dull " * 8


@pytest.fixture(scope="module")
def rows(model):
    return salience_rows([model])


def draw(row, model, dataset, *examples, **config):
    answers = row.run(list(examples), model, dataset, config=config or None)
    # As a browser reads it: LIT's own reader would make objects of LIT's types again.
    return json.loads(serialize.to_json(answers, simple=True, allow_nan=False))


def map_of(answer):
    return next(iter(answer.values()))


@pytest.mark.parametrize("name", TITLES)
def test_every_method_draws_its_own_map_and_says_what_it_explains_and_how(rows, model, dataset, name):
    row = rows[TITLES[name]]
    explained = explainer_of(model).explain(question_of({}), name, {"text": TEXT}, dataset)
    (answer,) = draw(row, model, dataset, {"text": TEXT})
    caption, remarks = answer
    best = model.study.result().best_layer
    said = f"probe at layer {best}: logit of {explained.class_name} is {explained.scores.value:.3g}"
    if not SALIENCE_METHODS[name].explains:
        said = f"what reaches the probe at layer {best}: {SALIENCE_METHODS[name].no_explanation.removesuffix('.')}"
    assert caption == said
    tokens, weights = answer[caption]["tokens"], np.array(answer[caption]["salience"])
    assert tokens == list(explained.scores.tokens) == ["[CLS]", *TEXT.split(), "[SEP]"]
    assert np.abs(weights).max() == pytest.approx(1) and weights[0] == weights[-1] == 0
    scale = np.abs(explained.scores.scores).max()
    np.testing.assert_allclose(weights * scale, explained.scores.scores)
    assert remarks.startswith(f"color scale: 1 is {scale:.3g}")
    assert all(TITLES_OF_OPTIONS.get(option, option) in remarks for option in SALIENCE_METHODS[name].uses)
    assert answer[remarks]["tokens"] == answer[remarks]["salience"] == []


@pytest.mark.parametrize("name", TITLES)
def test_a_row_says_how_far_other_baselines_change_it_where_it_has_one(rows, model, dataset, name, monkeypatch):
    (answer,) = draw(rows[TITLES[name]], model, dataset, {"text": TEXT})
    remarks = list(answer)[1]
    said = {"baseline": "With other baselines (", "replace": "With words taken out in other ways ("}
    option = SALIENCE_METHODS[name].baseline
    assert [words in remarks for words in said.values()] == [option == one for one in said]
    # Where that would take long: which one it is, and where they are compared.
    monkeypatch.setattr(explaining, "_QUICK_PASSES", 0)
    (answer,) = draw(rows[TITLES[name]], model, dataset, {"text": TEXT})
    assert ("another choice gives other maps. “Salience side by side” says" in list(answer)[1]) == bool(option)


def test_where_another_class_is_more_probable_the_rule_is_told(rows, model, dataset, monkeypatch):
    """One class is said to be so rare in train that it is always predicted, and so common that it never is."""
    explainer = explainer_of(model)
    forward = explainer.forward(question_of({}))
    said = []
    for common in range(2):
        monkeypatch.setattr(explainer, "_predictions", Memo(9))
        shares = (1 - 1e-9, 1e-9) if common == 0 else (1e-9, 1 - 1e-9)
        monkeypatch.setattr(forward, "decision", Decision("prior", shares))
        explained = explainer.explain(question_of({}), "gradient_l2", {"text": TEXT}, dataset)
        assert explained.predicted_class == model.label_names[1 - common]
        (answer,) = draw(rows["Gradient (L2 norm)"], model, dataset, {"text": TEXT})
        of_map = INTERPRETERS["salience_map"].run([{"text": TEXT}], model, dataset, config={"method": "gradient_l2"})
        assert of_map["predicted_by"] == explained.predicted_by
        assert (explained.predicted_by in list(answer)[1]) and ("share of train" in list(answer)[1]) == bool(
            explained.predicted_by
        )
        said.append(explained.predicted_by)
    # The most probable class is the same both times, so once it is the predicted one.
    [rule] = [one for one in said if one]
    most_probable = model.label_names[said.index(rule)]
    assert rule.endswith(f"÷ share of train is the largest. The most probable class is “{most_probable}”.")


def test_the_result_is_of_lits_types(rows, model, dataset):
    for row in rows.values():
        (answer,) = row.run([{"text": TEXT}], model, dataset)
        spec = row.meta_spec()["salience"]
        for group in answer.values():
            spec.validate_output(group, {}, {}, {}, {}, Dataset())
            assert len(group.tokens) == len(group.salience)


def test_methods_say_how_far_they_can_be_trusted(rows, model, dataset):
    for name, said in (("integrated_gradients", "completeness gap"), ("lime", "r2"), ("lime", "effective samples")):
        (answer,) = draw(rows[TITLES[name]], model, dataset, {"text": TEXT})
        assert said in list(answer)[1]


def test_whole_words_are_drawn_when_asked_for(rows, model, dataset):
    (tokens,) = draw(rows["Input × gradient"], model, dataset, {"text": "qq was awful"})
    (words,) = draw(rows["Input × gradient"], model, dataset, {"text": "qq was awful"}, show="words")
    (largest,) = draw(rows["Input × gradient"], model, dataset, {"text": "qq was awful"}, show="words", aggregation="max")
    assert map_of(tokens)["tokens"] == ["[CLS]", "q", "##q", "was", "awful", "[SEP]"]
    assert map_of(words)["tokens"] == map_of(largest)["tokens"] == ["qq", "was", "awful"]
    assert map_of(words) != map_of(largest)
    assert "sum of each word's tokens" in list(words)[1] and "largest of each word's tokens" in list(largest)[1]


def test_the_controls_offer_every_layer_and_class_and_the_options_that_the_method_reads(rows, model, tiny_folder):
    spec = rows["LIME"].config_spec()
    assert not any(control.required for control in spec.values()), "LIT sends its own key alone until Apply is pressed"
    assert isinstance(spec["class to explain"], types.SalienceTargetInfo)
    assert spec["explain"].vocab == ["probe"] and spec["layer"].vocab == ["dev-chosen", "0", "1", "2", "3"]
    assert spec["class"].vocab == ["class chosen above", "predicted", "gold", "class:negative", "class:positive"]
    assert (spec["perturbed texts"].min_val, spec["perturbed texts"].max_val, spec["perturbed texts"].default) == (2, 2000, 256)
    assert spec["words taken out"].vocab[0] == "mask" and "steps" not in spec
    assert spec["score of a word"].vocab == ["sum", "max"]
    assert rows["Gradient (L2 norm)"].config_spec()["score of a word"].vocab == ["l2", "max"]
    (classifier,) = models_of([PendingStudy(load_encoder(str(tiny_folder(n_classes=3))), tiny_splits())])
    spec = salience_rows([model, classifier])["LIME"].config_spec()
    assert spec["explain"].vocab == ["probe", "model"]
    assert spec["class"].vocab[-3:] == ["class:class 0", "class:class 1", "class:class 2"]


def test_the_controls_have_the_words_of_our_panel_and_options_go_by_their_own_names_too(rows, model, dataset):
    assert {"class", "number", "score of a word", "kernel width"} < set(rows["LIME"].config_spec())
    (plain,) = draw(rows["LIME"], model, dataset, {"text": TEXT, "label": "positive"})
    other = {"perturbed texts": ("samples", 3), "words taken out": ("replace", "unk"), "number": ("scalar", "probability")}
    for title, (name, value) in other.items():
        (by_title,), (by_name,) = (draw(rows["LIME"], model, dataset, {"text": TEXT}, **{key: value}) for key in (title, name))
        assert by_title == by_name != plain


def test_a_map_that_takes_long_is_refused_with_what_to_do_until_it_is_there(rows, model, dataset):
    (answer,) = draw(rows["LIME"], model, dataset, {"text": LONG}, layer="3")
    title, message = answer
    assert title == "No map" and "tokens; LIT's rows, which cannot be cancelled, may take 8,192." in message
    assert message.endswith("in the panel “Salience side by side”, for a shorter text, or with fewer perturbed texts.")
    for config in ({"samples": 8}, {"target": "class:positive", "samples": 8}):
        assert "No map" not in draw(rows["LIME"], model, dataset, {"text": LONG}, **config)[0]
    assert "No map" not in draw(rows["Gradient (L2 norm)"], model, dataset, {"text": LONG})[0]
    explainer_of(model).explain(question_of({"layer": "3"}), "lime", {"text": LONG}, dataset)
    assert "No map" not in draw(rows["LIME"], model, dataset, {"text": LONG}, layer="3")[0]


def test_kernel_shap_over_all_texts_is_called_exact(rows, model, dataset):
    exact, estimated = (
        list(draw(rows["KernelSHAP"], model, dataset, {"text": TEXT}, samples=samples)[0])[1] for samples in (16, 8)
    )
    assert "exact Shapley values" in exact and "r2" not in exact and "effective samples" not in exact
    assert "exact" not in estimated and "r2" in estimated


def test_every_choice_of_the_controls_is_understood(rows, model, dataset):
    for row in rows.values():
        for name, control in row.config_spec().items():
            for value in getattr(control, "vocab", None) or [control.default]:
                (answer,) = draw(row, model, dataset, {"text": TEXT, "label": "negative"}, **{name: value})
                assert "No map" not in answer, (name, value, answer)


def test_the_defaults_of_the_controls_are_those_without_them(rows, model, dataset):
    for row in rows.values():
        spec = row.config_spec()
        defaults = {name: control.vocab[0] if hasattr(control, "vocab") else control.default for name, control in spec.items()}
        assert draw(row, model, dataset, {"text": TEXT}, **defaults) == draw(row, model, dataset, {"text": TEXT})


def test_cheap_methods_run_by_themselves_and_sizes_have_lits_unsigned_colors(rows):
    for method in SALIENCE_METHODS.values():
        spec = rows[method.title].meta_spec()["salience"]
        assert (spec.autorun, spec.signed) == (method.cheap, method.signed)
    cheap = {name for name, method in SALIENCE_METHODS.items() if method.cheap}
    assert {"gradient_l2", "gradient_mean", "input_x_gradient"} <= cheap < set(SALIENCE_METHODS)
    assert len({row.description() for row in rows.values()}) == len(rows) >= 8


def test_what_explains_nothing_offers_no_class_and_no_number(rows):
    for method in SALIENCE_METHODS.values():
        asked = {"class to explain", "class", "number"}
        assert asked & set(rows[method.title].config_spec()) == (asked if method.explains else set())


# ---- the class that is chosen above the rows


@pytest.mark.parametrize("index", [0, 1])
def test_the_class_chosen_above_the_rows_is_explained(rows, model, dataset, index):
    above = {"class to explain": {"field": "probe", "index": index}}
    (answer,) = draw(rows["LIME"], model, dataset, {"text": TEXT}, **above)
    assert f"logit of {model.label_names[index]} is" in next(iter(answer))
    (answer,) = draw(rows["LIME"], model, dataset, {"text": TEXT, "label": "positive"}, **above, target="gold")
    assert "logit of positive is" in next(iter(answer))
    (answer,) = draw(rows["LIME"], model, dataset, {"text": TEXT}, **above, target="class:negative")
    assert "logit of negative is" in next(iter(answer))


def test_before_lit_has_chosen_a_class_it_is_the_predicted_one(rows, model, dataset):
    expected = draw(rows["LIME"], model, dataset, {"text": TEXT}, target="predicted")
    for above in ({"field": "probe"}, {"field": "probe", "index": None}, {}, None):
        assert draw(rows["LIME"], model, dataset, {"text": TEXT}, **{"class to explain": above}) == expected


def test_a_class_that_the_model_does_not_know_leaves_it_its_own_prediction(tiny_folder):
    (model,) = models_of([computed(load_encoder(str(tiny_folder(n_classes=3))), tiny_splits())])
    row = salience_rows([model])["LIME"]
    above = {"class to explain": {"field": "probe", "index": 1}, "explain": "model"}
    (answer,) = draw(row, model, model.dataset, {"text": TEXT}, **above)
    assert next(iter(answer)).startswith("model: logit of class ")
    above = {"class to explain": {"field": "model", "index": 2}, "explain": "model"}
    (answer,) = draw(row, model, model.dataset, {"text": TEXT}, **above)
    assert "logit of class 2 is" in next(iter(answer))


# ---- bad input


@pytest.mark.parametrize(
    ("text", "config", "said"),
    [
        ("", {}, "The text has no word to explain."),
        (TEXT, {"layer": "17"}, "Unknown layer 17. tiny-bert has layers 0 (embeddings) to 3."),
        (TEXT, {"explain": "model"}, "tiny-bert has no classification head of its own"),
        (TEXT, {"target": "gold"}, "The gold label of this text is not known"),
    ],
)
@pytest.mark.parametrize("above", [{}, {"class to explain": {"field": "probe", "index": 1}}])
def test_why_there_is_no_map_stands_in_the_row(rows, model, dataset, text, config, said, above):
    (answer,) = draw(rows["Gradient (L2 norm)"], model, dataset, {"text": text}, **config, **above)
    title, message = answer
    assert title == "No map" and message.startswith(said)
    assert all(group["tokens"] == [] for group in answer.values())


def test_a_long_text_names_the_words_that_were_not_read(tiny_folder):
    (model,) = models_of([computed(load_encoder(str(tiny_folder()), max_length=8), tiny_splits())])
    row = salience_rows([model])["Gradient (L2 norm)"]
    (answer,) = draw(row, model, model.dataset, {"text": "the film was very good and it was not slow"})
    assert list(answer)[1].endswith("4 words beyond the limit were not read: it was not slow")
    (answer,) = draw(row, model, model.dataset, {"text": "the film was very good and " + "it " * 100})
    assert list(answer)[1].endswith("100 words beyond the limit were not read: " + "it " * 20 + "…")


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"show": "letters"}, "Unknown show 'letters'. Choose one of: tokens, words"),
        ({"aggregation": "l2"}, "Unknown aggregation 'l2'. Choose one of: max, sum"),
        ({"target": "positive"}, "'target' must be"),
        ({"class to explain": "positive"}, "'class to explain' must be an object"),
        ({"class to explain": {"field": "layer_00", "index": 0}}, "Unknown field 'layer_00'. Choose one of: probe, "),
        ({"class to explain": {"field": "probe", "index": 2}}, "'index' must be a whole number from 0 to 1"),
        ({"smaples": 2}, "but not smaples"),
    ],
)
def test_a_configuration_that_makes_no_sense_is_refused(rows, model, dataset, config, said):
    with pytest.raises(LitProbeError, match=said):
        draw(rows["LIME"], model, dataset, {"text": TEXT}, **config)


def test_probes_in_the_making_are_an_error_that_says_so(encoder, rows):
    (model,) = models_of([PendingStudy(encoder, tiny_splits())])
    with pytest.raises(LitProbeError, match="Waiting to encode tiny"):
        draw(rows["LIME"], model, model.dataset, {"text": TEXT})


def test_edited_texts_have_maps_of_their_own_and_no_examples_no_maps(rows, model, dataset):
    row = dataset.examples[0]
    original, edit = draw(rows["Occlusion"], model, dataset, row, edited(row, text=row["text"] + " bad"))
    assert map_of(edit)["tokens"][-2] == "bad" and len(map_of(edit)["tokens"]) == len(map_of(original)["tokens"]) + 1
    assert draw(rows["Occlusion"], model, dataset) == []


def test_they_offer_themselves_for_our_models_only(rows, model, dataset):
    for row in rows.values():
        assert row.is_compatible(caching.CachingModelWrapper(model, "m"), dataset)
        assert not row.is_compatible(PCAModel(n_components=2), Dataset())
