"""Token embeddings and gradients as fields: their values, what LIT's own components make of them, and what they may take."""

from __future__ import annotations

import json
import random
from typing import Any

import numpy as np
import pytest
import torch
from foreign_lit import Page
from lit_nlp import app as lit_app
from lit_nlp.api import types
from lit_nlp.api.dataset import IndexedDataset
from lit_nlp.components import gradient_maps, hotflip
from stock_components import Reviews
from tiny_probing import LABELS, tiny_splits
from transformers import AutoModel

import lit_probe.lit
from lit_probe import probe_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.memory import MemoryBudget
from lit_probe.errors import LitProbeError
from lit_probe.lit.host.token_fields import check_memory
from lit_probe.probing.probe_forward import Target, forward_of_probe, pooled_gradients
from lit_probe.salience import SalienceOptions, explain

TOKEN_FIELDS = {"token_embeddings", "token_gradients", "chosen_layer_gradients", "predicted_class", "label"}
ODD = ["", "   ", "😀 été", "a" * 300, "the " * 90, "[CLS] film [SEP]"]


def model_of(folder: Any, data: Any = None, **options: Any) -> lit_probe.lit.ProbeModel:
    options = {"token_fields": True, **options}
    return lit_probe.lit.ProbeModel(folder, Reviews() if data is None else data, cache=Cache(None), background=False, **options)


@pytest.fixture(scope="module")
def model(tiny_folder):
    return model_of(tiny_folder())


@pytest.fixture(scope="module")
def page(model) -> Page:
    """The model in a stock LIT with all that LIT offers by itself."""
    data = Reviews()
    return Page(lit_app.LitApp({"mine": model}, {"data": data}, client_root="", layouts={}))


def row(text: str, label: str = "1", **more: Any) -> dict[str, Any]:
    return {"sentence": text, "label": label, **more}


def forward_of(model: Any) -> Any:
    study, layer = model.study.result(), model.study.result().best_layer
    return forward_of_probe(model.encoder, study.pooling, layer, study.layerwise.probes[layer])


# ---- values --------------------------------------------------------------------------------------------------------------


def test_without_the_flag_nothing_is_there(tiny_folder, model):
    plain = model_of(tiny_folder(), token_fields=False)
    assert set(model.output_spec()) - set(plain.output_spec()) == TOKEN_FIELDS
    assert set(model.input_spec()) - set(plain.input_spec()) == {"tokens", "token_embeddings"}
    example = row("the film was great")
    one, other = plain.predict([example])[0], model.predict([example])[0]
    assert set(one) == set(plain.output_spec()) and set(other) == set(model.output_spec())
    assert all(np.array_equal(one[name], other[name]) for name in one)
    with pytest.raises(NotImplementedError):
        plain.get_embedding_table()


@pytest.mark.parametrize("architecture", ["bert", "electra", "modernbert", "distilbert"])
def test_embeddings_and_gradients_are_those_of_autograd_by_hand(tiny_folder, architecture):
    model = model_of(tiny_folder(architecture))
    study, network = model.study.result(), AutoModel.from_pretrained(tiny_folder(architecture)).eval()
    layer = study.best_layer
    probe = study.layerwise.probes[layer]
    examples = [row("the film was great", "1"), row("a very dull story and bad acting", "0"), row("fine", "0")]
    for example, prediction in zip(examples, model.predict(examples), strict=True):
        [encoded] = model.encoder.encode([example["sentence"]])
        embedded = network.get_input_embeddings()(torch.tensor([encoded.ids])).detach().requires_grad_()
        hidden = network(inputs_embeds=embedded, output_hidden_states=True).hidden_states[layer][0]
        pooled = hidden[~torch.tensor(encoded.special)].mean(dim=0).double()
        [(weight, bias)] = probe.layers
        values = (pooled - torch.tensor(probe.mean)) / torch.tensor(probe.scale)
        logits = torch.tensor(weight) @ values + torch.tensor(bias)
        [gradient] = torch.autograd.grad(logits[int(example["label"])], embedded)
        np.testing.assert_allclose(prediction["token_embeddings"], embedded[0].detach(), atol=1e-6)
        np.testing.assert_allclose(prediction["token_gradients"], gradient[0], atol=1e-4 * float(gradient.abs().max()))
        assert prediction["label"] == example["label"]
        assert prediction["predicted_class"] == str(int(logits.argmax()))
        assert len(prediction["tokens"]) == len(prediction["token_embeddings"]) == len(prediction["token_gradients"])


def test_neighbours_in_a_batch_change_nothing_and_odd_texts_are_answered(model):
    examples = [row(text) for text in [*ODD, *(one["sentence"] for one in Reviews(40).examples)]]
    together = model.predict(examples)
    json.dumps([{name: np.asarray(value).tolist() for name, value in one.items()} for one in together], allow_nan=False)
    for example, prediction in zip(examples, together, strict=True):
        [alone] = model.predict([example])
        for name in ("token_embeddings", "token_gradients", "chosen_layer_gradients"):
            assert prediction[name].dtype == np.float32 and prediction[name].base is None
            np.testing.assert_allclose(prediction[name], alone[name], rtol=1e-4, atol=1e-4)
        assert prediction["token_embeddings"].shape == (len(prediction["tokens"]), model.encoder.d_model)
        assert len(prediction["tokens"]) <= model.encoder.max_length


@pytest.mark.parametrize(("label", "explained"), [("0", "0"), ("1", "1"), ("", None), ("7", None), (None, None)])
def test_the_labels_class_is_explained_and_the_predicted_one_where_it_names_none(model, label, explained):
    text = "the film was great"
    [prediction] = model.predict([row(text, label)])
    assert prediction["label"] == (explained or prediction["predicted_class"])
    [same] = model.predict([row(text, prediction["label"])])
    assert np.array_equal(prediction["token_gradients"], same["token_gradients"])
    [other] = model.predict([row(text, str(1 - int(prediction["label"])))])
    np.testing.assert_allclose(other["token_gradients"], -prediction["token_gradients"], atol=1e-6)


def test_the_gradient_of_the_pooled_vector_is_autograds(tiny_folder):
    for kind in ("logistic", "mlp"):
        model = model_of(tiny_folder(), probe=kind)
        study = model.study.result()
        probe = study.layerwise.probes[study.best_layer]
        predictions = model.predict(Reviews(12).examples)
        for prediction in predictions:
            pooled = torch.tensor(prediction["chosen_layer"], dtype=torch.float64, requires_grad=True)
            values = (pooled - torch.tensor(probe.mean)) / torch.tensor(probe.scale)
            for index, (weight, bias) in enumerate(probe.layers):
                values = torch.tensor(weight) @ (values.relu() if index else values) + torch.tensor(bias)
            [gradient] = torch.autograd.grad(values[int(prediction["predicted_class"])], pooled)
            np.testing.assert_allclose(prediction["chosen_layer_gradients"], gradient, rtol=1e-4, atol=1e-7)
        assert pooled_gradients(probe, np.zeros((0, model.encoder.d_model), np.float32), np.zeros(0, np.int64)).shape[0] == 0
        different = {prediction["chosen_layer_gradients"].tobytes() for prediction in predictions}
        assert (len(different) > 2) == (kind == "mlp"), "a linear probe has one gradient per class"


def test_models_of_ours_have_the_fields_under_our_names(tiny_folder):
    model = model_of(tiny_folder(), tiny_splits())
    [prediction] = model.predict([model.dataset.examples[0]])
    assert set(prediction) == set(model.output_spec()) and prediction["label"] in LABELS
    assert model.input_spec()["tokens"].parent == "text"


# ---- what is given in place of the text's own ----------------------------------------------------------------------------


def test_own_embeddings_given_change_nothing_and_others_change_every_field(model):
    examples = [row("the film was great"), row("a dull story"), row("the film was bad and slow")]
    own = model.predict(examples)
    again = model.predict([{**one, "token_embeddings": two["token_embeddings"]} for one, two in zip(examples, own, strict=True)])
    for one, two in zip(own, again, strict=True):
        for name in one:
            if isinstance(one[name], np.ndarray):
                np.testing.assert_allclose(one[name], two[name], atol=1e-5)
            else:
                assert one[name] == two[name]
    [zeros] = model.predict([{**examples[0], "token_embeddings": np.zeros_like(own[0]["token_embeddings"]).tolist()}])
    assert not zeros["token_embeddings"].any()
    for name in ("probe", "chosen_layer", "layer_00", "token_gradients"):
        assert np.abs(zeros[name] - own[0][name]).max() > 1e-3, name
    [absent] = model.predict([{**examples[0], "token_embeddings": None, "tokens": None}])
    assert np.array_equal(absent["probe"], own[0]["probe"])


@pytest.mark.parametrize("architecture", ["gpt2", "llama", "opt", "t5", "bart"])
def test_decoders_and_stacks_read_their_own_embeddings_again(decoder_folder, architecture):
    """Of those that add nothing to them, layer 0 is the given array itself."""
    model = model_of(decoder_folder(architecture))
    examples = [row(text) for text in ("the film was great", *ODD)]
    own = model.predict(examples)
    again = model.predict([{**one, "token_embeddings": two["token_embeddings"]} for one, two in zip(examples, own, strict=True)])
    for one, two in zip(own, again, strict=True):
        assert len(one["token_embeddings"]) == len(one["tokens"])
        for name in ("probe", "layer_00", "chosen_layer", "token_gradients"):
            np.testing.assert_allclose(one[name], two[name], atol=1e-4)
            assert np.isfinite(one[name]).all()


@pytest.mark.parametrize(
    ("given", "sentence"),
    [
        (np.zeros((3, 32)), r"of shape \[3, 32\] were given for a text of 6 tokens\. tiny-bert reads \[6, 32\]"),
        (np.zeros((6, 7)), r"of shape \[6, 7\]"),
        (np.zeros(6), r"of shape \[6\]"),
        ([[1.0], [2.0, 3.0]], "holds no array of numbers"),
        ("words", "holds no array of numbers"),
        ([], r"of shape \[0\]"),
    ],
)
def test_embeddings_that_do_not_fit_are_refused_in_a_sentence(model, given, sentence):
    with pytest.raises(LitProbeError, match=sentence):
        model.predict([row("the film was great", token_embeddings=given)])


def test_tokens_count_while_they_are_the_words_of_the_text(model):
    [own] = model.predict([row("the film was great")])
    swapped = ["[CLS]", "the", "film", "was", "awful", "[SEP]"]
    [given] = model.predict([row(" ".join(swapped), tokens=swapped)])
    [written] = model.predict([row("the film was awful")])
    assert given["tokens"] == swapped and own["tokens"][-2] == "great"
    np.testing.assert_allclose(given["probe"], written["probe"], atol=1e-6)
    np.testing.assert_allclose(given["token_gradients"], written["token_gradients"], atol=1e-6)
    [stale] = model.predict([row("the film was great", tokens=swapped)])
    assert np.array_equal(stale["probe"], own["probe"]), "somebody has edited the text since"
    with pytest.raises(LitProbeError, match="tokens were given, but tiny-bert reads"):
        model.predict([row(" ".join(["film"] * 999), tokens=["film"] * 999)])
    [unknown] = model.predict([row("[CLS] quux [SEP]", tokens=["[CLS]", "quux", "[SEP]"])])
    assert unknown["tokens"] == ["[CLS]", "quux", "[SEP]"]


def test_the_table_has_every_token_that_may_be_put_in(model):
    tokens, rows = model.get_embedding_table()
    weights = model.encoder.model.get_input_embeddings().weight.detach().numpy()
    vocabulary = model.encoder.tokenizer.get_vocab()
    assert set(tokens) == set(vocabulary) - set(model.encoder.tokenizer.all_special_tokens)
    np.testing.assert_array_equal(rows, weights[[vocabulary[token] for token in tokens]])


# ---- LIT's own components ------------------------------------------------------------------------------------------------


def test_lits_gradient_maps_are_ours(model):
    examples = [row("the film was great and fast", "1"), row("a dull story", "0")]
    outputs, data = model.predict(examples), IndexedDataset(base=Reviews())
    forward = forward_of(model)
    norms = gradient_maps.GradientNorm().run(examples, model, data, outputs)
    products = gradient_maps.GradientDotInput().run(examples, model, data, outputs)
    for example, output, norm, product in zip(examples, outputs, norms, products, strict=True):
        target = Target(int(example["label"]))
        for method, found in (("gradient_l2", norm), ("input_x_gradient", product)):
            ours = explain(forward, example["sentence"], method, target)
            content = np.array([token not in ("[CLS]", "[SEP]") for token in output["tokens"]])
            theirs = found["token_gradients"].salience[content]
            np.testing.assert_allclose(
                theirs / np.abs(theirs).sum(), (ours.scores / np.abs(ours.scores).sum())[content], atol=1e-4
            )


def test_lits_integrated_gradients_are_the_integral_and_complete(model):
    [example] = [row("the film was great and fast", "1")]
    data = IndexedDataset(base=Reviews())
    config = {"Normalize": False, "Interpolation steps": 400}
    [found] = gradient_maps.IntegratedGradients().run([example], model, data, config=config)
    scores = found["token_gradients"].salience
    forward = forward_of(model)
    [encoded] = model.encoder.encode([example["sentence"]])
    embedded = forward.embeddings(encoded)[None]
    of_class = forward.scalar(encoded, Target(1))
    steps = torch.linspace(0, 1, 401)[:400, None, None]
    path = (steps * embedded).requires_grad_()
    gradients = torch.autograd.grad(of_class(path).sum(), path)[0].numpy()
    by_hand = (((gradients[:-1] + gradients[1:]) / 2).mean(axis=0) * embedded[0].numpy()).sum(axis=1)
    np.testing.assert_allclose(scores, by_hand, atol=1e-4 * np.abs(by_hand).max())
    with torch.no_grad():
        change = float(of_class(embedded)[0] - of_class(torch.zeros_like(embedded))[0])
    # LIT's points end one step before the text.
    assert scores.sum() == pytest.approx(change, rel=0.02)
    ours = explain(forward, example["sentence"], "integrated_gradients", Target(1), SalienceOptions(baseline="zero", steps=200))
    np.testing.assert_allclose(scores[1:-1], ours.scores[1:-1], atol=0.03 * np.abs(ours.scores).max())


def test_a_stock_server_offers_them_and_answers(page, model):
    info = page.post("/get_info")["models"]["mine"]
    assert "data" in info["datasets"], "a data set without the optional fields stays compatible"
    assert {"Grad L2 Norm", "Grad ⋅ Input", "Integrated Gradients", "tcav"} <= set(info["interpreters"])
    assert "Hotflip" in info["generators"]
    ids = page.ids("data")
    for name in ("Grad L2 Norm", "Grad ⋅ Input", "Integrated Gradients"):
        address = f"/get_interpretations?model=mine&dataset_name=data&interpreter={name}"
        whole = {"Class to explain": "", "Normalize": True, "Interpolation steps": "30"}
        [found] = page.post(address, {"inputs": ids[:1], "config": whole if name.startswith("Integrated") else {}})
        assert np.isfinite(found["token_gradients"]["salience"]).all() and any(found["token_gradients"]["salience"])


@pytest.mark.parametrize("relative", [False, True])
def test_tcav_answers_in_a_stock_server(page, model, relative):
    rows = page.post("/get_dataset?dataset_name=data")
    great, others = ([one["id"] for one in rows if ("great" in one["data"]["sentence"]) == wanted] for wanted in (True, False))
    config = {"concept_set_ids": great, "class_to_explain": "1", "grad_layer": "chosen_layer_gradients", "random_state": 0}
    if relative:
        config["negative_set_ids"] = others[: len(great)]
    # LIT draws its sets of examples from the generator of the whole process, whatever the configuration's seed.
    random.seed(0)
    [*answers] = page.post(
        "/get_interpretations?model=mine&dataset_name=data&interpreter=tcav&do_predict=0",
        {"inputs": [one["id"] for one in rows], "config": config},
    )
    assert answers[0]["result"]["accuracy"] > 0.6
    # All gradients of a linear probe's class are one vector: the concept's direction goes with it or against it, for every text.
    assert answers[0]["result"]["score"] in (0.0, 1.0)


def test_hotflips_edit_is_predicted_as_it_says(page):
    [one, *_] = page.post("/get_dataset?dataset_name=data")
    config = {
        hotflip.PREDICTION_KEY: "probe",
        hotflip.FIELDS_TO_HOTFLIP_KEY: ["tokens"],
        hotflip.NUM_EXAMPLES_KEY: "3",
        hotflip.MAX_FLIPS_KEY: "3",
        hotflip.TOKENS_TO_IGNORE_KEY: [],
        hotflip.REGRESSION_THRESH_KEY: "0",
    }
    address = "/get_generated?model=mine&dataset_name=data&generator=Hotflip"
    [made] = page.post(address, {"inputs": [one["id"]], "config": config})
    assert made
    preds = "/get_preds?model=mine&dataset_name=data&requested_types=MulticlassPreds,Tokens"
    [before] = page.post(preds, {"inputs": [one["id"]]})
    for edit in made:
        edit["data"] |= {"_id": "", "_meta": edit["meta"]}
        [after] = page.post(preds, {"inputs": [{**edit, "id": ""}]})
        assert np.argmax(after["probe"]) != np.argmax(before["probe"])
        assert " ".join(after["tokens"]) == edit["data"]["sentence"]


@pytest.mark.parametrize("pooling", ["mean", "last"])
def test_within_a_template_gradients_and_flips_are_of_the_text(tiny_folder, pooling):
    encoder = load_encoder(str(tiny_folder()), template="the plot: {text}\nIt was")
    model = model_of(encoder, pooling=pooling)
    [found] = model.predict([row("the film was great")])
    [encoded] = encoder.encode(["the film was great"], with_tokens=True)
    assert found["tokens"] == encoded.tokens
    assert found["token_gradients"].shape == (len(encoded.ids), encoder.d_model)
    assert not found["token_gradients"][encoded.template].any()
    flipped = ["awful" if token == "great" else token for token in encoded.tokens]
    [after] = model.predict([{**row(" ".join(flipped)), "tokens": flipped}])
    [expected] = model.predict([row("the film was awful")])
    assert after["tokens"] == flipped
    np.testing.assert_allclose(after["probe"], expected["probe"], atol=1e-6)
    with pytest.raises(LitProbeError, match="2 tokens were given, but the template around the text has 7"):
        model.predict([{**row("film great"), "tokens": ["film", "great"]}])


# ---- what is refused -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["tokens", "token_embeddings"])
def test_a_data_set_with_fields_of_these_names_is_told_to_rename_them(tiny_folder, name):
    with pytest.raises(LitProbeError, match=f"has a field '{name}' of its own, which token_fields needs"):
        model_of(tiny_folder(), Reviews(**{name: (types.Tokens(), ["a"])}))


def test_vectors_have_no_token_fields():
    rng, labels = np.random.default_rng(0), np.arange(200) % 2
    study = probe_activations(rng.normal(size=(200, 2, 4)) + labels[:, None, None], labels)
    with pytest.raises(LitProbeError, match="known by its vectors alone, so it has no token fields"):
        model_of(study.encoder, study.splits)


def test_what_would_take_too_much_memory_is_refused_before_weights_are_loaded(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    n_tokens = sum(len(one.ids) for one in encoder.encode([one["sentence"] for one in Reviews().examples]))
    needed = n_tokens * 32 * 8 / 1e9
    # Without a cache, activations are held too; each text once, in one of the splits.
    held = (encoder.n_weight_bytes + len(set(one["sentence"] for one in Reviews().examples)) * 4 * 32 * 4) / 1e9
    with pytest.raises(LitProbeError, match=r"Token fields of 156 examples of \d+ tokens on average would take .* GB") as raised:
        model_of(encoder, memory_budget=needed * 0.502 + held)
    assert encoder._loaded.model is None
    assert "about 78 examples fit, or all of them with max_length=" in str(raised.value)
    shorter = int(str(raised.value).split("max_length=")[1].split(",")[0])
    texts = [one["sentence"] for one in Reviews().examples]
    check_memory([(load_encoder(str(tiny_folder()), max_length=shorter), texts)], MemoryBudget.of(needed * 0.502))
    with pytest.raises(LitProbeError):
        check_memory([(load_encoder(str(tiny_folder()), max_length=shorter + 1), texts)], MemoryBudget.of(needed * 0.502))
    check_memory([(encoder, texts)], MemoryBudget.of(needed * 1.0001))
    with pytest.raises(LitProbeError):
        check_memory([(encoder, texts), (encoder, texts)], MemoryBudget.of(needed * 1.0001))


def test_a_large_need_is_told_in_plain_numbers(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    encoder.d_model = 10**9
    [text] = encoder.encode(["the film"])
    needed = len(text.ids) * 100 * 8
    with pytest.raises(LitProbeError, match=rf"would take {needed:,} GB, and the memory budget is 4 GB"):
        check_memory([(encoder, ["the film"] * 100)], MemoryBudget.of(4.0))


def test_short_texts_are_not_counted_and_tiny_budgets_say_what_is_left(tiny_folder):
    class Uncounted(Encoder):
        def encode(self, texts: Any, **options: Any) -> Any:
            raise AssertionError("a bound suffices")

    uncounted = Uncounted(load_encoder(str(tiny_folder())).checkpoint)
    check_memory([(uncounted, ["a"] * 1_000)], MemoryBudget.of(1_000 * uncounted.max_length * 32 * 8 / 1e9))
    check_memory([], MemoryBudget.of(1))
    check_memory([(uncounted, [])], MemoryBudget.of(1e-12))
    with pytest.raises(LitProbeError, match=r"about 0 examples fit, or raise the memory budget\.$"):
        check_memory([(load_encoder(str(tiny_folder())), ["the film"] * 10)], MemoryBudget.of(1e-9))
    for budget in (0, -1, float("nan")):
        with pytest.raises(LitProbeError, match="Give a positive number"):
            MemoryBudget.of(budget)


def test_without_a_budget_token_fields_may_take_four_gigabytes(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    encoder.d_model = 10**7
    usual = MemoryBudget(1e12, given=False)
    check_memory([(encoder, ["the film"] * 12)], usual)
    with pytest.raises(LitProbeError, match=r"would take 4\.16 GB, and the usual limit is 4 GB: about 12 examples fit"):
        check_memory([(encoder, ["the film"] * 13)], usual)
    with pytest.raises(LitProbeError, match=r"and this machine has 1\.00 GB of memory free"):
        check_memory([(encoder, ["the film"] * 13)], MemoryBudget(1e9, given=False))
