"""What a model's own head makes of each layer: at the last one, what the model says; before, what transformers' own parts say."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_encoders
import torch
import transformers
from language_models import build_masked
from tiny_decoders import DECODERS, STACKS
from tiny_decoders import build as build_decoder

from lit_probe.encoder.encoder import encoder_of, load_encoder
from lit_probe.encoder.head_readings import language_head, read_classification_head, read_language_head
from lit_probe.errors import CancelledError, EncoderError

TEXT = "the film was very good but the ending is [MASK]"
TEXTS = ["a very good film", "dull", "the plot is slow and the acting is bad"]


def built(folder, architecture, **changes):
    """The folder of a language model of any architecture."""
    if architecture in tiny_encoders.ARCHITECTURES:
        return build_masked(folder, architecture, **changes)
    return build_decoder(folder, architecture, **changes)


def own_model(folder, masked):
    auto = transformers.AutoModelForMaskedLM if masked else transformers.AutoModelForCausalLM
    return auto.from_pretrained(folder).eval()


def own_logits(model, ids, **options):
    with torch.inference_mode():
        return model(input_ids=torch.tensor([ids]), **options)


def readings(encoder, text=TEXT, n_top=3, **options):
    [encoded] = encoder.encode([text])
    places = range(len(encoded.ids))
    return encoded, read_language_head(encoder, encoded, places, np.array(encoded.ids)[:, None], n_top=n_top, **options)


@pytest.mark.parametrize("tied", [True, False])
@pytest.mark.parametrize("architecture", [*tiny_encoders.ARCHITECTURES, *DECODERS])
def test_the_last_layer_is_what_the_model_says(tmp_path, architecture, tied):
    folder = built(tmp_path / "one", architecture, tie_word_embeddings=tied)
    encoder = load_encoder(str(folder))
    encoded, found = readings(encoder, n_top=1000)
    output = own_logits(own_model(folder, not encoder.is_decoder), encoded.ids)
    own = output.logits[0].softmax(-1)
    assert found.n_vocabulary == own.shape[1]
    by_id = np.empty(own.shape)
    np.put_along_axis(by_id, found.top[:, -1], found.top_probability[:, -1], axis=1)
    np.testing.assert_allclose(by_id, own.numpy(), rtol=1e-4, atol=1e-7)
    assert found.top[:, -1, 0].tolist() == own.argmax(-1).tolist()
    entropy = torch.distributions.Categorical(probs=own).entropy() / np.log(2)
    np.testing.assert_allclose(found.entropy[:, -1], entropy.numpy(), rtol=1e-4)
    rank = [(row > row[one]).sum().item() + 1 for row, one in zip(output.logits[0], encoded.ids, strict=True)]
    assert found.ranks[:, -1, 0].tolist() == rank
    # Not by luck: the layers before say something else.
    *before, last = found.top_probability.swapaxes(0, 1)
    assert not any(np.array_equal(layer, last) for layer in before)
    assert language_head(encoder).tied == tied


BY_HAND = {
    "bert": lambda model, states: model.cls(states),
    "roberta": lambda model, states: model.lm_head(states),
    "distilbert": lambda model, states: model.vocab_projector(
        model.vocab_layer_norm(torch.nn.functional.gelu(model.vocab_transform(states)))
    ),
    "electra": lambda model, states: model.generator_lm_head(model.generator_predictions(states)),
    "modernbert": lambda model, states: model.decoder(model.head(model.model.final_norm(states))),
    "gpt2": lambda model, states: model.lm_head(model.transformer.ln_f(states)),
    "llama": lambda model, states: model.lm_head(model.model.norm(states)),
    "opt": lambda model, states: model.lm_head(model.model.decoder.final_layer_norm(states)),
    "gpt_neox": lambda model, states: model.get_output_embeddings()(model.gpt_neox.final_layer_norm(states)),
    # Its head bends what it says, so that no logit is far from 0.
    "gemma2": lambda model, states: 30.0 * torch.tanh(model.lm_head(model.model.norm(states)) / 30.0),
}


@pytest.mark.parametrize("architecture", BY_HAND)
def test_earlier_layers_pass_the_norm_and_the_head_of_transformers(tmp_path, architecture):
    folder = built(tmp_path / "one", architecture)
    encoder = load_encoder(str(folder))
    encoded, found = readings(encoder, n_top=1000)
    model = own_model(folder, not encoder.is_decoder)
    layers = own_logits(model, encoded.ids, output_hidden_states=True).hidden_states
    for layer in range(encoder.n_layers - 1):
        with torch.inference_mode():
            wanted = BY_HAND[architecture](model, layers[layer])[0].softmax(-1).numpy()
        by_id = np.empty(wanted.shape)
        np.put_along_axis(by_id, found.top[:, layer], found.top_probability[:, layer], axis=1)
        np.testing.assert_allclose(by_id, wanted, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("architecture", ["bert", "gpt2", "llama"])
def test_a_model_in_memory_has_the_lens_of_its_files(tmp_path, architecture):
    folder = built(tmp_path / "one", architecture)
    encoder = load_encoder(str(folder))
    model = own_model(folder, not encoder.is_decoder)
    held = encoder_of(model, transformers.AutoTokenizer.from_pretrained(folder))
    (_, one), (_, other) = readings(encoder), readings(held)
    np.testing.assert_allclose(one.top_probability, other.top_probability, rtol=1e-4)
    assert "forward" not in vars(model) and all("forward" not in vars(module) for module in held.language_model.modules())


def test_asking_the_head_changes_neither_layers_nor_the_fingerprint(tmp_path):
    encoder = load_encoder(str(built(tmp_path / "one", "gpt2")))
    fingerprint, encoded = encoder.fingerprint, encoder.encode(TEXTS[:1])
    before = [layer.clone() for layer in encoder.forward(encoded).layers]
    readings(encoder)
    assert encoder.fingerprint == fingerprint
    assert all(torch.equal(one, other) for one, other in zip(before, encoder.forward(encoded).layers, strict=True))


def test_a_tied_head_takes_no_memory_of_its_own_and_an_untied_one_a_matrix(tmp_path):
    tied = load_encoder(str(built(tmp_path / "tied", "gpt2", tie_word_embeddings=True)))
    untied = load_encoder(str(built(tmp_path / "untied", "gpt2", tie_word_embeddings=False)))
    n_words, width = untied.model.get_input_embeddings().weight.shape
    assert language_head(tied).n_bytes == 0 and language_head(untied).n_bytes == 4 * n_words * width


def test_long_texts_are_read_in_parts_without_a_difference(tmp_path, monkeypatch):
    encoder = load_encoder(str(built(tmp_path / "one", "llama")))
    _, whole = readings(encoder)
    monkeypatch.setattr("lit_probe.encoder.head_readings._TOKENS_AT_A_TIME", 3)
    _, parts = readings(encoder)
    np.testing.assert_allclose(whole.top_probability, parts.top_probability, rtol=1e-4)
    assert whole.ranks.tolist() == parts.ranks.tolist()


def test_what_is_not_asked_for_has_no_rank(tmp_path):
    encoder = load_encoder(str(built(tmp_path / "one", "bert")))
    [encoded] = encoder.encode([TEXT])
    found = read_language_head(encoder, encoded, [1, 3], np.array([[5, -1], [-1, 6]]))
    assert found.top.shape[:2] == (2, encoder.n_layers)
    assert (found.ranks[0, :, 1] == 0).all() and (found.ranks[1, :, 0] == 0).all() and (found.ranks[0, :, 0] > 0).all()
    assert (found.probabilities[0, :, 1] == 0).all()


def test_progress_is_told_by_layer_and_ends_the_reading(tmp_path):
    encoder = load_encoder(str(built(tmp_path / "one", "gpt2")))
    heard = []
    readings(encoder, progress=lambda done, total: heard.append((done, total)))
    assert heard == [(i, encoder.n_layers) for i in range(encoder.n_layers + 1)]

    def stop(done, _):
        if done == 1:
            raise CancelledError

    with pytest.raises(CancelledError):
        readings(encoder, progress=stop)


@pytest.mark.parametrize(
    "architecture, why",
    [
        ("bert", "has no language-model head: its config.json names BertModel"),
        ("gpt2", "has no language-model head: its config.json names GPT2Model"),
        *((stack, "is an encoder–decoder, of which the encoder stack is read") for stack in STACKS),
    ],
)
def test_without_a_head_it_says_so(tmp_path, architecture, why):
    headless = {"headless": True} if architecture == "gpt2" else {}
    tiny = tiny_encoders.build if architecture == "bert" else build_decoder
    folder = tiny(tmp_path / "one", architecture, **headless)
    encoder = load_encoder(str(folder))
    assert why in encoder.why_no_language_model and encoder.language_task is None
    with pytest.raises(EncoderError, match=why):
        readings(encoder)


def test_random_weights_have_no_head(tmp_path):
    encoder = load_encoder(str(built(tmp_path / "one", "gpt2"))).randomised(1)
    with pytest.raises(EncoderError, match="has random weights, and no head was trained for them"):
        readings(encoder)


def test_a_head_that_is_named_and_not_there_is_told(tmp_path):
    folder = build_masked(tmp_path / "torn")
    model = transformers.AutoModel.from_pretrained(folder)
    config = (folder / "config.json").read_text()
    model.save_pretrained(folder)
    (folder / "config.json").write_text(config)
    with pytest.raises(EncoderError, match=r"lack .* tensors"):
        readings(load_encoder(str(folder)))


def test_numbers_that_are_not_finite_are_told_in_a_sentence(tmp_path):
    folder = built(tmp_path / "one", "gpt2", tie_word_embeddings=False)
    model = own_model(folder, masked=False)
    with torch.no_grad():
        model.lm_head.weight[7] = float("nan")
    model.save_pretrained(folder)
    with pytest.raises(EncoderError, match="gives no finite numbers for this text at layer 0"):
        readings(load_encoder(str(folder)))


@pytest.mark.parametrize("dtype", ["bfloat16", "float16"])
def test_half_precision_is_read_too(tmp_path, dtype):
    folder = built(tmp_path / "one", "llama")
    _, whole = readings(load_encoder(str(folder)))
    _, half = readings(load_encoder(str(folder), dtype=dtype))
    assert np.abs(whole.top_probability - half.top_probability).max() < 0.2


# ---- classification heads


def classifier(folder, architecture, n_classes=3):
    tiny = tiny_encoders.build if architecture in tiny_encoders.ARCHITECTURES else build_decoder
    return tiny(folder / "classifier", architecture, n_classes=n_classes)


@pytest.mark.parametrize("architecture", [*tiny_encoders.ARCHITECTURES, *DECODERS])
def test_the_last_layer_of_a_classifier_is_its_own_answer(tmp_path, architecture):
    folder = classifier(tmp_path, architecture)
    encoder = load_encoder(str(folder))
    encoded = encoder.encode(TEXTS)
    found = read_classification_head(encoder, encoded)
    assert found.shape == (3, encoder.n_layers, 3)
    np.testing.assert_allclose(found.sum(axis=-1), 1, rtol=1e-5)
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    for text, row in zip(encoded, found, strict=True):
        with torch.inference_mode():
            own = model(input_ids=torch.tensor([text.ids])).logits[0].softmax(-1).numpy()
        np.testing.assert_allclose(row[-1], own, rtol=1e-4, atol=1e-6)
    assert all(not np.array_equal(found[:, layer], found[:, -1]) for layer in range(encoder.n_layers - 1))


CLASSIFIED_BY_HAND = {
    "bert": lambda model, states: model.classifier(model.bert.pooler(states)),
    "roberta": lambda model, states: model.classifier(states),
    "electra": lambda model, states: model.classifier(states),
    "distilbert": lambda model, states: model.classifier(torch.relu(model.pre_classifier(states[:, 0]))),
    "deberta-v2": lambda model, states: model.classifier(model.pooler(states)),
    "modernbert": lambda model, states: model.classifier(model.head(model.model.final_norm(states)[:, 0])),
    "gpt2": lambda model, states: model.score(model.transformer.ln_f(states)[:, -1]),
    "llama": lambda model, states: model.score(model.model.norm(states)[:, -1]),
}


@pytest.mark.parametrize("architecture", CLASSIFIED_BY_HAND)
def test_earlier_layers_pass_the_pooler_and_the_classifier_of_transformers(tmp_path, architecture):
    folder = classifier(tmp_path, architecture)
    encoder = load_encoder(str(folder))
    [encoded] = encoder.encode(TEXTS[:1])
    [found] = read_classification_head(encoder, [encoded])
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
    with torch.inference_mode():
        layers = model(input_ids=torch.tensor([encoded.ids]), output_hidden_states=True).hidden_states
        for layer in range(encoder.n_layers - 1):
            wanted = CLASSIFIED_BY_HAND[architecture](model, layers[layer])[0].softmax(-1).numpy()
            np.testing.assert_allclose(found[layer], wanted, rtol=1e-4, atol=1e-6)


def test_a_classifier_of_broken_weights_and_one_without_a_head_say_so(tmp_path):
    folder = classifier(tmp_path, "bert")
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    with torch.no_grad():
        model.classifier.bias[0] = float("nan")
    model.save_pretrained(folder)
    encoder = load_encoder(str(folder))
    with pytest.raises(EncoderError, match="gives no finite numbers for a text"):
        read_classification_head(encoder, encoder.encode(TEXTS))
    plain = load_encoder(str(tiny_encoders.build(tmp_path / "plain")))
    with pytest.raises(EncoderError, match="has no classification head of its own"):
        read_classification_head(plain, plain.encode(TEXTS))
