"""Laws of every decoder and encoder stack: the model's own hidden states, whatever stands beside a text, and its own head."""

from __future__ import annotations

import numpy as np
import pytest
import torch
import transformers
from passes import go_on
from tiny_decoders import D_MODEL, DECODERS, MAX_POSITIONS, N_BLOCKS, STACKS, WITHOUT_PADDING, build, byte_tokenizer

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import _padding_is_neutral, encoder_of, load_encoder
from lit_probe.encoder.families import ends_in_norm as listed_as_ending_in_norm
from lit_probe.encoder.final_norm import ends_in_norm
from lit_probe.encoder.layer_calls import layer_calls, run_to
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError
from lit_probe.probing.probe_forward import forward_of_model

FAMILIES = (*DECODERS, *STACKS)
TEXTS = [
    "a good film",
    "the movie was not very good but the ending is fine, and i loved it 😀",
    "dull",
    "",
    "never the best plot of all",
]


def stack_of(model: transformers.PreTrainedModel) -> transformers.PreTrainedModel:
    return model.get_encoder() if model.config.is_encoder_decoder else model


def own_states(folder, ids, **options):
    """What transformers gives for one row of ids."""
    model = stack_of(transformers.AutoModel.from_pretrained(folder).eval())
    with torch.no_grad():
        output = model(
            input_ids=torch.tensor([ids]),
            attention_mask=options.pop("mask", torch.ones(1, len(ids)).long()),
            output_hidden_states=True,
            **options,
        )
    return output.hidden_states, output.last_hidden_state


@pytest.mark.parametrize("architecture", FAMILIES)
def test_layers_are_the_hidden_states_of_transformers(decoder_folder, architecture):
    folder = decoder_folder(architecture)
    encoder = load_encoder(str(folder))
    [encoded] = encoder.encode([TEXTS[1]])
    ours = encoder.forward([encoded]).layers
    theirs, last = on_encoder_thread(own_states, folder, encoded.ids)
    assert len(ours) == len(theirs) == encoder.n_layers == N_BLOCKS + 1
    assert encoder.d_model == D_MODEL
    for one, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours[-1], last, atol=1e-6, rtol=0)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_a_text_pools_the_same_alone_and_in_a_batch(decoder_folder, architecture):
    encoder = load_encoder(str(decoder_folder(architecture)))
    for pooling in POOLINGS:
        together = extract_activations(encoder, TEXTS, pooling).values
        assert np.isfinite(together).all()
        for i, text in enumerate(TEXTS):
            alone = extract_activations(encoder, [text], pooling).values[0]
            np.testing.assert_allclose(together[i], alone, atol=1e-4)


@pytest.mark.parametrize("architecture", [name for name in FAMILIES if name != "bart"])  # its encoder takes no positions
def test_left_padding_with_explicit_positions_pools_as_no_padding(decoder_folder, architecture):
    folder = decoder_folder(architecture)
    encoder = load_encoder(str(folder))
    [encoded] = encoder.encode(TEXTS[1:2])
    n_pad, n_real = 5, len(encoded.ids)
    mask = torch.tensor([[0] * n_pad + [1] * n_real])
    # Positions of these are made from the mask, or stand for distances.
    placed = {} if architecture in ("bloom", "t5") else {"position_ids": torch.tensor([[0] * n_pad + list(range(n_real))])}
    states, _ = on_encoder_thread(own_states, folder, [0] * n_pad + encoded.ids, mask=mask, **placed)
    special = torch.tensor([[True] * n_pad + encoded.special])
    for pooling in POOLINGS:
        padded = np.stack([POOLINGS[pooling](one, mask.bool(), special)[0].numpy() for one in states])
        np.testing.assert_allclose(padded, extract_activations(encoder, TEXTS[1:2], pooling).values[0], atol=1e-4)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_the_kind_of_model_says_the_pooling_and_the_part_that_is_kept(decoder_folder, architecture):
    encoder = load_encoder(str(decoder_folder(architecture)))
    assert encoder.is_decoder == (architecture in DECODERS)
    assert (encoder.default_pooling, encoder.keep) == (("last", "tail") if encoder.is_decoder else ("mean", "head"))
    assert load_encoder(str(decoder_folder(architecture)), keep="both-ends").keep == "both-ends"
    texts = ["good " * 300 + "never"]
    [encoded] = encoder.encode(texts, with_tokens=True)
    limit = 256 if architecture in ("bloom", "t5") else MAX_POSITIONS
    assert (encoded.truncated, len(encoded.ids)) == (True, limit)
    assert ("never" in "".join(encoded.tokens)) == encoder.is_decoder
    usual = extract_activations(encoder, TEXTS)
    assert usual.pooling == encoder.default_pooling
    assert np.array_equal(usual.values, extract_activations(encoder, TEXTS, encoder.default_pooling).values)


@pytest.mark.parametrize("architecture", DECODERS)
def test_a_token_sees_only_what_stands_before_it(decoder_folder, architecture):
    encoder = load_encoder(str(decoder_folder(architecture)))
    one, other = encoder.encode(["a good film", "a good plot"])
    n = next(i for i, (a, b) in enumerate(zip(one.ids, other.ids, strict=False)) if a != b)
    states = [encoder.forward([encoded]).layers for encoded in (one, other)]
    for first, second in zip(*states, strict=True):
        torch.testing.assert_close(first[:, :n], second[:, :n], atol=1e-6, rtol=0)
        assert not torch.allclose(first[:, n], second[:, n])


@pytest.mark.parametrize("architecture", FAMILIES)
def test_the_last_layers_name_says_whether_it_has_passed_a_norm(decoder_folder, architecture):
    encoder = load_encoder(str(decoder_folder(architecture)))
    encoded = encoder.encode(["a"])
    watched = on_encoder_thread(ends_in_norm, encoder.model, lambda: encoder.forward(encoded).layers)
    assert encoder.ends_in_norm == watched == (architecture != "bart")
    assert listed_as_ending_in_norm(encoder.checkpoint.config) in (watched, None)
    assert encoder.layer_names == ("embeddings", "block 1", "block 2" + " (after the final norm)" * watched)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_the_pass_stops_at_a_layer_and_goes_on_from_it(decoder_folder, architecture):
    encoder = load_encoder(str(decoder_folder(architecture)))
    encoded = encoder.encode([text for text in TEXTS if text])
    batch, ordinary = encoder.padded(encoded), encoder.forward(encoded)
    calls = layer_calls(encoder)
    assert [call is None for call in calls] == [architecture == "opt", False, False]  # opt adds positions to words by itself
    for layer, call in enumerate(calls):
        reached = on_encoder_thread(run_to, encoder, layer, batch)
        assert torch.equal(reached, ordinary.layers[layer])
        if call is None:
            with pytest.raises(EncoderError, match="cannot be changed there"):
                go_on(encoder, batch, layer, ordinary.layers[layer])
            continue
        output = go_on(encoder, batch, layer, ordinary.layers[layer].clone())
        for later in range(layer + 1, N_BLOCKS + 1):
            assert torch.equal(output.hidden_states[later], ordinary.layers[later])
        if layer < N_BLOCKS:
            changed = ordinary.layers[layer].clone()
            changed[..., 3] += 1.0
            output = go_on(encoder, batch, layer, changed)
            assert not torch.allclose(output.hidden_states[-1], ordinary.layers[-1])
    assert all(torch.equal(a, b) for a, b in zip(encoder.forward(encoded).layers, ordinary.layers, strict=True))


@pytest.mark.parametrize("architecture", DECODERS)
def test_a_head_says_of_a_batch_what_transformers_says_of_each_text(decoder_folder, architecture):
    folder = decoder_folder(architecture, n_classes=3)
    encoder = load_encoder(str(folder))
    assert encoder.head_label_names == ("class 0", "class 1", "class 2")
    # One of them ends in the end of text, which is also what fills a batch where there is no padding token.
    texts = [*(text for text in TEXTS if text), "a film<|endoftext|>"]
    encoded = encoder.encode(texts)

    def alone(ids):
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
        with torch.no_grad():
            return model(input_ids=torch.tensor([ids]), attention_mask=torch.ones(1, len(ids)).long()).logits[0]

    theirs = torch.stack([on_encoder_thread(alone, text.ids) for text in encoded])
    ours = encoder.forward(encoded)
    torch.testing.assert_close(ours.head_logits, theirs, atol=1e-5, rtol=0)
    assert np.ptp(theirs.numpy(), axis=0).min() > 1e-3
    explained = forward_of_model(encoder).logits_of(encoded)
    np.testing.assert_allclose(explained, theirs.numpy(), atol=1e-5)
    probabilities = extract_activations(encoder, texts).head_probabilities
    np.testing.assert_allclose(probabilities, theirs.softmax(dim=-1).numpy(), atol=1e-5)
    # The layers are those of the same body without a head.
    model = transformers.AutoModelForSequenceClassification.from_pretrained(folder)
    in_memory = encoder_of(model, transformers.AutoTokenizer.from_pretrained(folder), name="mine")
    torch.testing.assert_close(in_memory.forward(encoded).head_logits, theirs, atol=1e-5, rtol=0)
    assert "_ReadsByMask" not in str(type(model).__mro__), "the given model is left as it was"


def test_padding_that_a_text_ends_in_is_passed_over_as_transformers_does(decoder_folder):
    folder = decoder_folder("qwen2", n_classes=2)
    encoder = load_encoder(str(folder))
    encoded = encoder.encode(["a film<pad><pad>", "a film", "<pad>"])
    ours = encoder.forward(encoded).head_logits
    torch.testing.assert_close(ours[0], ours[1], atol=1e-5, rtol=0)

    def alone():
        model = transformers.AutoModelForSequenceClassification.from_pretrained(folder).eval()
        with torch.no_grad():
            return model(
                input_ids=torch.tensor([encoded[0].ids]), attention_mask=torch.ones(1, len(encoded[0].ids)).long()
            ).logits

    torch.testing.assert_close(ours[:1], on_encoder_thread(alone), atol=1e-5, rtol=0)
    assert torch.isfinite(ours).all()


@pytest.mark.parametrize("architecture", FAMILIES)
def test_the_scores_of_a_language_model_are_no_classes(decoder_folder, architecture):
    folder = decoder_folder(architecture)
    kind = transformers.AutoModelForCausalLM if architecture in DECODERS else transformers.AutoModelForSeq2SeqLM
    model, tokenizer = kind.from_pretrained(folder), transformers.AutoTokenizer.from_pretrained(folder)
    states = []
    for encoder in (load_encoder(str(folder)), encoder_of(model, tokenizer, name="mine")):
        assert encoder.head_label_names is None
        hidden = encoder.forward(encoder.encode(["a good film"]))
        assert hidden.head_logits is None
        assert extract_activations(encoder, TEXTS).head_probabilities is None
        assert encoder.why_no_masked_lm
        states.append(hidden.layers)
        assert (encoder.is_decoder, encoder.n_layers) == (architecture in DECODERS, N_BLOCKS + 1)
    for one, other in zip(*states, strict=True):
        torch.testing.assert_close(one, other, atol=1e-6, rtol=0)


@pytest.mark.parametrize("architecture", FAMILIES)
def test_random_weights_are_drawn_for_every_family(decoder_folder, architecture):
    trained = load_encoder(str(decoder_folder(architecture)))
    drawn = [extract_activations(trained.randomised(seed), TEXTS[:1]).values for seed in (0, 0, 1)]
    assert np.array_equal(drawn[0], drawn[1])
    assert np.abs(drawn[0] - drawn[2]).max() > 1e-3
    assert trained.randomised(0).layer_names == trained.layer_names


def test_a_text_without_tokens_is_zeros(decoder_folder):
    encoder = load_encoder(str(decoder_folder("gpt2", n_classes=2)))
    assert encoder.encode([""])[0].ids == []
    for pooling in POOLINGS:
        values = extract_activations(encoder, ["", "a film", "\ufeff"], pooling).values
        assert not values[0].any()
        assert values[1].any()
    # Nothing is known of it, so no class is likelier than another.
    assert extract_activations(encoder, ["", "a film"]).head_probabilities[0].tolist() == [0.5, 0.5]
    assert not extract_activations(encoder, [""]).values.any()


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_the_first_token_is_left_out_of_the_mean_after_it(decoder_folder, architecture):
    encoder = load_encoder(str(decoder_folder(architecture)))
    [encoded] = encoder.encode([TEXTS[0]])
    states = encoder.forward([encoded]).layers[1][0]
    found = extract_activations(encoder, TEXTS[:1], "mean_after_first").values[0, 1]
    np.testing.assert_allclose(found, states[1:].mean(dim=0).numpy(), atol=1e-5)
    everything = extract_activations(encoder, TEXTS[:1], "mean").values[0, 1]
    # llama's first token is special, so that the mean over content tokens has left it out already.
    assert np.allclose(found, everything, atol=1e-5) == (architecture == "llama")


@pytest.mark.parametrize("architecture", WITHOUT_PADDING)
def test_without_a_padding_token_the_end_of_text_fills_a_batch(decoder_folder, architecture):
    encoder = load_encoder(str(decoder_folder(architecture)))
    assert encoder.tokenizer.pad_token_id is None
    batch = encoder.padded(encoder.encode(["a film", "a good film and a plot"]))
    assert set(batch.ids[~batch.attention_mask].tolist()) == {encoder.tokenizer.eos_token_id}
    assert batch.special_tokens_mask[~batch.attention_mask].all()


def test_an_encoder_that_was_made_a_decoder_is_read_as_one(tiny_folder, tmp_path):
    config = transformers.BertConfig.from_pretrained(tiny_folder(), is_decoder=True)
    transformers.BertLMHeadModel(config).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(tiny_folder()).save_pretrained(tmp_path)
    encoder = load_encoder(str(tmp_path))
    assert (encoder.is_decoder, encoder.default_pooling, encoder.ends_in_norm) == (True, "last", False)
    states = [encoder.forward([text]).layers[-1][0] for text in encoder.encode(["good film", "good plot"])]
    torch.testing.assert_close(states[0][:2], states[1][:2], atol=1e-6, rtol=0)


def of_config(folder, config):
    """A decoder of another family than the tiny ones, with a tokenizer of theirs."""
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    byte_tokenizer("opt").save_pretrained(folder)
    return load_encoder(str(folder))


def test_a_norm_that_ends_the_block_itself_is_no_final_norm(tmp_path):
    # Its blocks return lists, not tuples.
    config = transformers.OpenAIGPTConfig(n_layer=2, n_embd=D_MODEL, n_head=4, vocab_size=400)
    encoder = of_config(tmp_path, config)
    assert encoder.layer_names[-1] == "block 2"
    assert all(call is not None for call in layer_calls(encoder)[1:])


@pytest.mark.parametrize(
    "config",
    [
        transformers.MambaConfig(hidden_size=D_MODEL, num_hidden_layers=2, state_size=4, vocab_size=400),
        transformers.FalconMambaConfig(hidden_size=D_MODEL, num_hidden_layers=2, state_size=4, vocab_size=400),
        transformers.Mamba2Config(
            hidden_size=D_MODEL, num_hidden_layers=2, state_size=4, num_heads=8, head_dim=8, n_groups=1, vocab_size=400
        ),
        transformers.RwkvConfig(hidden_size=D_MODEL, num_hidden_layers=2, attention_hidden_size=D_MODEL, vocab_size=400),
    ],
    ids=lambda config: config.model_type,
)
def test_a_model_whose_hidden_states_lack_the_embeddings_is_refused(tmp_path, config):
    encoder = of_config(tmp_path, config)
    with pytest.raises(EncoderError, match="is not its embeddings: it depends on other tokens"):
        extract_activations(encoder, ["a film"])


def test_positions_that_are_computed_set_no_limit(tmp_path):
    config = transformers.XGLMConfig(num_layers=2, d_model=D_MODEL, attention_heads=4, ffn_dim=48, vocab_size=400)
    encoder = of_config(tmp_path, config)
    assert encoder.forward(encoder.encode(["a film"])).layers[-1].shape[-1] == D_MODEL


def test_a_checkpoint_of_the_encoder_half_alone_is_read(decoder_folder, tmp_path):
    folder = decoder_folder("t5")
    transformers.T5EncoderModel.from_pretrained(folder).save_pretrained(tmp_path)
    transformers.AutoTokenizer.from_pretrained(folder).save_pretrained(tmp_path)
    whole, half = (extract_activations(load_encoder(str(one)), TEXTS).values for one in (folder, tmp_path))
    assert np.array_equal(whole, half)


@pytest.mark.parametrize("architecture", STACKS)
def test_a_head_that_reads_the_decoder_half_is_not_asked(decoder_folder, architecture):
    encoder = load_encoder(str(decoder_folder(architecture, n_classes=2)))
    assert encoder.head_label_names is None
    assert extract_activations(encoder, TEXTS).head_probabilities is None
    assert any("reads the decoder half, so it is not asked" in remark for remark in encoder.checkpoint.remarks)


@pytest.mark.parametrize("architecture", STACKS)
def test_the_decoder_half_is_refused_by_name(decoder_folder, tmp_path, architecture):
    folder = decoder_folder(architecture)
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    decoder = transformers.AutoModel.from_pretrained(folder).get_decoder()
    said = (
        rf"'mine' is the decoder half of an encoder–decoder \({architecture}\).*Give the whole model: its encoder stack is read"
    )
    with pytest.raises(EncoderError, match=said):
        encoder_of(decoder, tokenizer, name="mine")
    encoder = encoder_of(transformers.AutoModel.from_pretrained(folder).get_encoder(), tokenizer, name="mine")
    assert np.array_equal(
        extract_activations(encoder, TEXTS).values, extract_activations(load_encoder(str(folder)), TEXTS).values
    )


def test_rounding_of_hidden_states_that_are_a_thousand_times_longer_is_no_effect_of_padding(tmp_path):
    encoder = load_encoder(str(build(tmp_path / "llama", "llama", headless=True)))
    model = encoder.model
    assert encoder._loaded.padding_is_neutral
    with torch.no_grad():
        model.layers[0].mlp.down_proj.weight *= 1e7
    pairs = encoder.encode(["a", "a a a a a a a a"])
    alone, beside = (encoder.forward(batch).layers[1][0, 0] for batch in (pairs[:1], pairs))
    assert (alone - beside).abs().max() > 1e-4
    assert on_encoder_thread(_padding_is_neutral, model, pairs, encoder.tokenizer)
