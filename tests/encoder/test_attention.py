"""Attention weights are those of transformers' own plain pass; nothing of the usual one changes, and no weight is held twice."""

import gc
import json
import tracemalloc

import numpy as np
import pytest
import torch
import transformers
from every_encoder import EVERY, TEXTS, opened
from tiny_encoders import D_MODEL, SIZES

import lit_probe
from lit_probe.data import text_pairs
from lit_probe.encoder import attention as module
from lit_probe.encoder.attention import MAX_TOKENS, attention
from lit_probe.encoder.encoder import encoder_of, load_encoder
from lit_probe.encoder.site_search import sites_of
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.vector_encoder import GivenVectors
from lit_probe.errors import EncoderError, UnknownNameError

TEXT = TEXTS[2]


def bits_of(encoder) -> list[bytes]:
    """The hidden states of a usual pass over several texts, to the last bit."""
    return [states.numpy().tobytes() for states in encoder.forward(encoder.encode(TEXTS)).layers]


@pytest.mark.parametrize("architecture", EVERY)
def test_the_weights_are_those_of_transformers_eager_output(tmp_path, architecture):
    encoder = opened(tmp_path, architecture)
    found = attention(encoder, TEXT)
    model = transformers.AutoModel.from_pretrained(tmp_path / architecture, attn_implementation="eager").eval()
    model = model.get_encoder() if encoder.checkpoint.is_encoder_stack else model
    inputs = on_encoder_thread(encoder.padded, encoder.encode([TEXT])).model_inputs
    with torch.inference_mode():
        own = torch.cat(model(**inputs, output_attentions=True).attentions).numpy()
    np.testing.assert_allclose(found.weights, own, atol=1e-6)
    assert found.weights.dtype == np.float32
    assert found.weights.shape == (encoder.n_layers - 1, 4, len(found.tokens), len(found.tokens))
    np.testing.assert_allclose(found.weights.sum(axis=-1), 1, atol=1e-5)
    if encoder.is_decoder:
        assert np.triu(found.weights, k=1).max() == 0, "a decoder's token sees none that comes after it"


@pytest.mark.parametrize("architecture", EVERY)
def test_no_later_pass_has_another_digit(tmp_path, architecture):
    encoder = opened(tmp_path, architecture)
    before, how = bits_of(encoder), encoder.model.config._attn_implementation
    attention(encoder, TEXT)
    assert bits_of(encoder) == before
    assert encoder.model.config._attn_implementation == how
    assert not encoder.model.config.output_attentions


def test_the_weights_are_in_memory_once(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    attention(encoder, TEXT)
    plain = module._plain(encoder)
    assert plain is module._plain(encoder), "made once"
    own = {one.data_ptr() for one in (*encoder.model.parameters(), *encoder.model.buffers())}
    assert {one.data_ptr() for one in (*plain.parameters(), *plain.buffers())} <= own


def test_nothing_of_a_pass_is_kept(tiny_encoder):
    attention(tiny_encoder, TEXT)
    gc.collect()
    tracemalloc.start()
    kept = attention(tiny_encoder, TEXT).weights.nbytes
    gc.collect()
    left, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert left < kept


def test_a_model_in_memory_that_is_trained_on_is_refused(tiny_folder):
    model = transformers.AutoModel.from_pretrained(tiny_folder())
    tokenizer = transformers.AutoTokenizer.from_pretrained(tiny_folder())
    encoder = encoder_of(model, tokenizer, name="mine")
    whole = attention(load_encoder(str(tiny_folder())), TEXT)
    assert np.array_equal(attention(encoder, TEXT).weights, whole.weights)
    with torch.no_grad():
        model.encoder.layer[0].attention.self.query.weight.mul_(2)
    with pytest.raises(EncoderError, match="have changed since it was given"):
        attention(encoder, TEXT)


def test_random_weights_have_an_attention_of_their_own(tiny_encoder):
    drawn = attention(tiny_encoder.randomised(seed=1), TEXT)
    assert not np.allclose(drawn.weights, attention(tiny_encoder, TEXT).weights)
    np.testing.assert_allclose(drawn.weights.sum(axis=-1), 1, atol=1e-5)


def test_places_and_heads_of_classification_do_not_matter(tiny_folder):
    encoder = load_encoder(str(tiny_folder()))
    read_at_heads = encoder.at(sites_of(encoder, ["heads"]))
    assert np.array_equal(attention(read_at_heads, TEXT).weights, attention(encoder, TEXT).weights)
    fine_tuned = load_encoder(str(tiny_folder(n_classes=2)))
    assert attention(fine_tuned, TEXT).weights.shape[0] == fine_tuned.n_layers - 1


@pytest.mark.parametrize("architecture", ["bert", "roberta", "distilbert"])
def test_a_pair_has_a_seam(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture, own_pair_form=True)))
    found = attention(encoder, text_pairs.joined("a good film", "it was dull"))
    assert found.tokens[found.seam] == "it"
    assert "film" in found.tokens[: found.seam]
    np.testing.assert_allclose(found.weights.sum(axis=-1), 1, atol=1e-5)
    assert attention(encoder, "a good film").seam is None
    assert attention(encoder, text_pairs.joined("a good film", "")).seam is None


def test_a_head_is_called_as_its_site_is(tiny_encoder):
    found = attention(tiny_encoder, TEXT)
    assert {site.name for site in sites_of(tiny_encoder, ["heads"])} == {
        f"head {block}.{head}" for block in range(1, found.n_blocks + 1) for head in range(found.n_heads)
    }
    assert np.array_equal(found.head(2, 3), found.weights[1, 3])
    for block, head in ((0, 0), (4, 0), (1, 4), (1, -1)):
        with pytest.raises(
            UnknownNameError, match=rf"Unknown head {block}\.{head}\. There are blocks 1 to 3, each with heads 0 to 3"
        ):
            found.head(block, head)


def test_a_truncated_text_says_so_and_unusual_signs_are_read(tiny_encoder):
    assert attention(tiny_encoder, "a good film " * 40).truncated
    for text in ("\u202e عربي 漢字 🎬", "a\x00b", "<script>", "\n film \n"):
        np.testing.assert_allclose(attention(tiny_encoder, text).weights.sum(axis=-1), 1, atol=1e-5)


@pytest.mark.parametrize("architecture", ["gpt2", "llama"])
def test_tokens_are_written_for_people(tmp_path, architecture):
    # A vocabulary of bytes writes a space as Ġ and é as Ã©.
    encoder = opened(tmp_path, architecture)
    [encoded] = encoder.encode(["the film, é"], with_tokens=True)
    assert "Ġ" in "".join(encoded.tokens)
    found = "".join(attention(encoder, "the film, x").tokens)
    assert found.endswith("the film, x") and "Ġ" not in found
    # Of a letter in two tokens neither is a whole one.
    assert attention(encoder, "the film, é").tokens[-2:] == tuple(encoded.tokens[-2:])


def test_it_is_public():
    assert lit_probe.attention is attention


# ---- what cannot be shown ------------------------------------------------------------------------------------------------


def of_family(folder, family, sizes):
    import tiny_encoders

    tiny_encoders.build(folder, "bert")
    size = len(transformers.AutoTokenizer.from_pretrained(folder))
    config = getattr(transformers, f"{family}Config")(vocab_size=size, pad_token_id=0, bos_token_id=2, eos_token_id=3, **sizes)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    return load_encoder(str(folder))


_WITHOUT_HEADS = {name: size for name, size in SIZES.items() if name != "num_attention_heads"}
_GROUPED = {**SIZES, "num_key_value_heads": 2}


@pytest.mark.parametrize(
    ("family", "sizes", "sentence"),
    [
        ("FNet", _WITHOUT_HEADS, "gives no attention weights"),
        ("Lfm2", {**_GROUPED, "layer_types": ["full_attention", "conv", "conv"]}, "attention weights for 1 of its 3 blocks"),
        ("RecurrentGemma", {**_GROUPED, "intermediate_size": 96}, "attention weights"),
    ],
)
def test_a_model_without_attention_says_so_in_a_sentence(tmp_path, family, sizes, sentence):
    encoder = of_family(tmp_path / "tiny", family, sizes)
    before = bits_of(encoder)
    with pytest.raises(EncoderError, match=sentence):
        attention(encoder, TEXT)
    assert bits_of(encoder) == before


def falcon(folder, **changes):
    import tiny_decoders

    tokenizer = tiny_decoders.byte_tokenizer("falcon")
    ids = {"pad_token_id": tokenizer.pad_token_id, "bos_token_id": 0, "eos_token_id": 0}
    sizes = {"hidden_size": D_MODEL, "num_hidden_layers": 2, "num_attention_heads": 4}
    torch.manual_seed(0)
    model = transformers.FalconForCausalLM(transformers.FalconConfig(vocab_size=len(tokenizer), **ids, **sizes, **changes))
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(4)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load_encoder(str(folder))


def test_a_model_whose_way_of_attention_is_set_once_computes_plainly_too(tmp_path):
    encoder = falcon(tmp_path / "tiny")
    before = bits_of(encoder)
    found = attention(encoder, TEXT).weights
    model = transformers.AutoModel.from_pretrained(tmp_path / "tiny", attn_implementation="eager").eval()
    inputs = on_encoder_thread(encoder.padded, encoder.encode([TEXT])).model_inputs
    with torch.inference_mode():
        np.testing.assert_allclose(found, torch.cat(model(**inputs, output_attentions=True).attentions).numpy(), atol=1e-6)
    assert np.triu(found, k=1).max() == 0
    assert bits_of(encoder) == before


def test_a_model_that_computes_something_else_plainly_says_so(tmp_path):
    # With ALiBi, Falcon's plain form adds distances twice, so its weights are not those behind its vectors.
    with pytest.raises(EncoderError, match="ends up with other numbers when it computes attention plainly"):
        attention(falcon(tmp_path / "tiny", alibi=True), TEXT)


def test_scores_in_place_of_weights_are_refused(tmp_path):
    parts = ("q", "k", "v", "post_attention", "intermediate", "output")
    sizes = {**SIZES, "embedding_size": D_MODEL, **{f"{part}_groups": 1 for part in parts}}
    with pytest.raises(EncoderError, match=r"gives numbers from -\d\S* to \d\S* where weights from 0 to 1 belong"):
        attention(of_family(tmp_path / "tiny", "SqueezeBert", sizes), TEXT)


def test_vectors_alone_have_no_attention():
    encoder = GivenVectors("mine", {"a": np.zeros((1, 4))}, ["a film"])
    with pytest.raises(EncoderError, match=r"known by its vectors alone, and this needs its attention weights"):
        attention(encoder, "a film")


@pytest.mark.parametrize("text", ["", " ", "\n\t"])
@pytest.mark.parametrize("architecture", ["bert", "gpt2", "llama"])
def test_a_text_without_a_word_says_so(tmp_path, architecture, text):
    with pytest.raises(EncoderError, match="The text is empty"):
        attention(opened(tmp_path, architecture), text)


def test_too_long_a_text_says_how_long_it_may_be(tmp_path):
    import tiny_decoders

    folder = tiny_decoders.build(tmp_path / "tiny", "llama")
    config = json.loads((folder / "config.json").read_text())
    (folder / "config.json").write_text(json.dumps({**config, "max_position_embeddings": 5_000}))
    encoder = load_encoder(str(folder), max_length=5_000)
    with pytest.raises(
        EncoderError, match=rf"^The text has 4,\d\d\d tokens as tiny reads it.*for {MAX_TOKENS} at most.*max_length="
    ):
        attention(encoder, "film " * 4_000)
    short = load_encoder(str(folder), max_length=64)
    assert attention(short, "film " * 4_000).weights.shape[-1] == 64


def test_weights_that_do_not_fit_are_refused_before_they_are_made(tiny_encoder, monkeypatch):
    from lit_probe.encoder import memory

    assert tiny_encoder.token_budget, "the encoder's weights are in memory"
    monkeypatch.setattr(memory, "_free_bytes", lambda: 1_000.0)
    with pytest.raises(
        EncoderError, match=r"^The attention weights of 11 tokens take .* this machine has .* Give a shorter text"
    ):
        attention(tiny_encoder, TEXT)


def test_weights_that_are_not_finite_are_told_with_their_block(tiny_encoder):
    with torch.no_grad():
        tiny_encoder.model.encoder.layer[1].attention.self.query.weight[0, 0] = float("nan")
    with pytest.raises(EncoderError, match="are NaN from block 2 on"):
        attention(tiny_encoder, TEXT)
