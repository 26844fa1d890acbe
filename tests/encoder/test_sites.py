"""Sites: what hooks written by hand read, in one pass, for every architecture; padded, in batches and alone."""

from __future__ import annotations

import numpy as np
import pytest
import tiny_decoders
import tiny_encoders
import torch

from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.site_activations import extract_sites
from lit_probe.encoder.site_search import module_tree, sites_of
from lit_probe.encoder.sites import FAMILIES
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError, UnknownNameError

TEXTS = ["a very good film", "dull", "the plot is slow and the acting is bad", "", "loved it !"]
ALL = (*tiny_encoders.ARCHITECTURES, *tiny_decoders.DECODERS, *tiny_decoders.STACKS)
# By hand: the modules whose output a block adds to the stream, its attention's output projection, its second matrix.
BY_HAND = {
    "bert": (
        "encoder.layer.{}.attention.output.dense",
        "encoder.layer.{}.output.dense",
        "encoder.layer.{}.attention.output.dense",
    ),
    "distilbert": (
        "transformer.layer.{}.attention.out_lin",
        "transformer.layer.{}.ffn",
        "transformer.layer.{}.attention.out_lin",
    ),
    "modernbert": ("layers.{}.attn", "layers.{}.mlp", "layers.{}.attn.Wo"),
    "gpt2": ("h.{}.attn", "h.{}.mlp", "h.{}.attn.c_proj"),
    "gpt_neox": ("layers.{}.attention", "layers.{}.mlp", "layers.{}.attention.dense"),
    "opt": ("decoder.layers.{}.self_attn", "decoder.layers.{}.fc2", "decoder.layers.{}.self_attn.out_proj"),
    "bloom": ("h.{}.self_attention.dense", "h.{}.mlp.dense_4h_to_h", "h.{}.self_attention.dense"),
    "llama": ("layers.{}.self_attn", "layers.{}.mlp", "layers.{}.self_attn.o_proj"),
    "gemma2": ("layers.{}.post_attention_layernorm", "layers.{}.post_feedforward_layernorm", "layers.{}.self_attn.o_proj"),
    "phi": ("layers.{}.self_attn", "layers.{}.mlp", "layers.{}.self_attn.dense"),
    "t5": ("block.{}.layer.0.SelfAttention", "block.{}.layer.1.DenseReluDense", "block.{}.layer.0.SelfAttention.o"),
    "bart": ("layers.{}.self_attn", "layers.{}.fc2", "layers.{}.self_attn.out_proj"),
}
BY_HAND |= dict.fromkeys(("roberta", "electra", "deberta-v2"), BY_HAND["bert"])
BY_HAND |= dict.fromkeys(("mistral", "qwen2", "qwen3"), BY_HAND["llama"])
SECOND = {
    "modernbert": "{}.Wo",
    "distilbert": "{}.lin2",
    "gpt2": "{}.c_proj",
    "gpt_neox": "{}.dense_4h_to_h",
    "llama": "{}.down_proj",
    "mistral": "{}.down_proj",
    "qwen2": "{}.down_proj",
    "qwen3": "{}.down_proj",
    "gemma2": "layers.{{}}.mlp.down_proj",
    "phi": "{}.fc2",
    "t5": "{}.wo",
}


@pytest.fixture(scope="module", params=ALL)
def encoder(request, tmp_path_factory):
    tiny = tiny_decoders if request.param in (*tiny_decoders.DECODERS, *tiny_decoders.STACKS) else tiny_encoders
    made = load_encoder(str(tiny.build(tmp_path_factory.mktemp("tiny") / request.param, request.param)))
    made.architecture = request.param
    return made


def by_hand(encoder, text, path, part="output"):
    """``[n_tokens, units]`` of a module in a pass over one text, by a hook."""
    got = []

    def keep(_, args, kwargs, output):
        one = (*args, *kwargs.values())[0] if part == "input" else output[0] if isinstance(output, tuple | list) else output
        got.append(one.detach().clone())

    def run():
        module = encoder.model.get_submodule(path)
        handle = module.register_forward_hook(keep, with_kwargs=True)
        try:
            encoder.forward(encoder.encode([text]))
        finally:
            handle.remove()

    on_encoder_thread(run)
    return got[0].reshape(1, -1, got[0].shape[-1])


def pooled_by_hand(encoder, text, path, part="output", pooling="mean"):
    states = by_hand(encoder, text, path, part)
    padded = encoder.padded(encoder.encode([text]))
    return POOLINGS[pooling](states, padded.attention_mask, padded.special_tokens_mask)[0].float().numpy()


def test_all_families_equal_hooks_written_by_hand_alone_and_in_a_batch(encoder):
    attention, mlp, projection = BY_HAND[encoder.architecture]
    second = SECOND.get(encoder.architecture, "{}").format(mlp)
    read = extract_sites(encoder, TEXTS, list(FAMILIES), "mean")
    n_heads = encoder.model.config.num_attention_heads
    for row, text in enumerate(TEXTS):
        if not encoder.encode([text])[0].ids:
            assert not any(values[row].any() for values in read.values())
            continue
        for depth in range(1, encoder.n_layers):
            places = {
                f"attention {depth}": (attention, "output"),
                f"mlp {depth}": (mlp, "output"),
                f"mlp_neurons {depth}": (second, "input"),
            }
            for name, (path, part) in places.items():
                expected = pooled_by_hand(encoder, text, path.format(depth - 1), part)
                assert read[name][row] == pytest.approx(expected, abs=1e-4), (name, text)
            joined = np.concatenate([read[f"head {depth}.{head}"][row] for head in range(n_heads)])
            expected = pooled_by_hand(encoder, text, projection.format(depth - 1), "input")
            assert joined == pytest.approx(expected, abs=1e-4)


# In the others the stream itself is normalised after each addition.
PLAIN_STREAM = ("modernbert", *tiny_decoders.DECODERS, "t5")


@pytest.mark.parametrize("encoder", PLAIN_STREAM, indirect=True)
def test_what_a_block_adds_is_the_way_from_one_layer_to_the_next(encoder):
    read = extract_sites(encoder, TEXTS[:3], ["layers", "attention", "mlp"], "mean_all")
    layer = list(encoder.layer_names)
    # The last layer of most has passed a norm.
    for depth in range(1, encoder.n_layers - 1):
        way = read[layer[depth]] - read[layer[depth - 1]]
        assert way == pytest.approx(read[f"attention {depth}"] + read[f"mlp {depth}"], abs=1e-4)


def test_one_pass_gives_all_families_and_leaves_no_hook(encoder):
    sites = sites_of(encoder, list(FAMILIES))
    hooks = lambda: sum(len(one._forward_hooks) + len(one._forward_pre_hooks) for one in encoder.model.modules())  # noqa: E731
    encoder.forward(encoder.encode(["a"]))
    before, passes = hooks(), []
    handle = encoder.model.register_forward_hook(lambda *_: passes.append(1))
    try:
        read = extract_sites(encoder, TEXTS[:3], sites)
    finally:
        handle.remove()
    assert len(passes) == len(list(encoder.batches(encoder.encode(TEXTS[:3])))) and hooks() == before
    assert list(read) == [site.name for site in sites]
    assert all(read[site.name].shape == (3, site.width) and np.isfinite(read[site.name]).all() for site in sites)


@pytest.fixture(scope="module")
def bert(tmp_path_factory):
    return load_encoder(str(tiny_encoders.build(tmp_path_factory.mktemp("tiny") / "bert", "bert")))


def test_layers_have_the_digits_of_the_usual_extraction(bert):
    from lit_probe.encoder.activations import extract_activations

    read, usual = extract_sites(bert, TEXTS, ["layers"], "mean"), extract_activations(bert, TEXTS, "mean")
    for layer, name in enumerate(bert.layer_names):
        assert np.array_equal(read[name], usual.layer(layer))


def test_names_and_places_may_be_asked_for_together(bert):
    places = sites_of(bert, ["mlp"])
    read = extract_sites(bert, TEXTS[:2], ["attention", *places, places[0], "attention"], "mean")
    assert list(read) == [f"{family} {depth}" for family in ("attention", "mlp") for depth in (1, 2, 3)]
    alone = extract_sites(bert, TEXTS[:2], places, "mean")
    assert all(np.array_equal(read[site.name], alone[site.name]) for site in places)


def test_modules_are_named_by_their_path_with_wildcards(bert):
    sites = sites_of(bert, ["module:encoder.layer.*.attention.output.dense", "module:encoder.layer.0.intermediate.dense:input"])
    assert [site.name for site in sites] == [
        *(f"module encoder.layer.{block}.attention.output.dense" for block in range(3)),
        "module encoder.layer.0.intermediate.dense:input",
    ]
    assert [site.depth for site in sites] == [1, 2, 3, 1] and {site.width for site in sites} == {32}
    read = extract_sites(bert, TEXTS[:1], sites)
    expected = pooled_by_hand(bert, TEXTS[0], "encoder.layer.1.attention.output.dense")
    assert read["module encoder.layer.1.attention.output.dense"][0] == pytest.approx(expected, abs=1e-5)


def test_a_module_that_runs_several_times_is_read_at_the_call_that_is_named(tmp_path):
    import transformers
    from tiny_encoders import build

    sizes = dict(num_hidden_layers=3, hidden_size=32, num_attention_heads=4, intermediate_size=48, embedding_size=16)
    folder = build(tmp_path / "albert", "bert")
    torch.manual_seed(0)
    size = len(transformers.AutoTokenizer.from_pretrained(folder))
    transformers.AlbertModel(transformers.AlbertConfig(vocab_size=size, pad_token_id=0, **sizes)).save_pretrained(folder)
    encoder = load_encoder(str(folder))
    [attention, *_] = sites_of(encoder, ["attention"])
    third = sites_of(encoder, [f"module:{attention.path}#2"])
    read = extract_sites(encoder, TEXTS, [*sites_of(encoder, ["attention", "mlp"]), *third])
    assert np.array_equal(read["attention 3"], read[third[0].name])
    assert not np.array_equal(read["attention 1"], read["attention 3"])
    with pytest.raises(UnknownNameError, match="is called 4 times"):
        sites_of(encoder, [f"module:{attention.path}#3"])


SIZES = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}
GROUPED = {**SIZES, "num_key_value_heads": 2}
OLD = {"n_layer": 2, "n_embd": 32, "n_head": 4}
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2, "moe_intermediate_size": 48}
LLAMA = ("layers.{}.self_attn", "layers.{}.mlp", "layers.{}.self_attn.o_proj")
BERT = BY_HAND["bert"]
# Further families: their configuration, the three modules as above, the number of heads.
FURTHER = {
    "falcon": (("Falcon", SIZES), ("h.{}.self_attention", "h.{}.mlp", "h.{}.self_attention.dense"), 4),
    "gptj": (("GPTJ", {**OLD, "rotary_dim": 4}), ("h.{}.attn", "h.{}.mlp", "h.{}.attn.out_proj"), 4),
    "gpt_bigcode": (("GPTBigCode", OLD), ("h.{}.attn", "h.{}.mlp", "h.{}.attn.c_proj"), 4),
    "openai-gpt": (("OpenAIGPT", OLD), ("h.{}.attn", "h.{}.mlp", "h.{}.attn.c_proj"), 4),
    "olmo2": (
        ("Olmo2", GROUPED),
        ("layers.{}.post_attention_layernorm", "layers.{}.post_feedforward_layernorm", LLAMA[2]),
        4,
    ),
    "phi3": (("Phi3", GROUPED), LLAMA, 4),
    "gemma, of wide heads": (("Gemma", {**GROUPED, "head_dim": 16}), LLAMA, 4),
    "cohere": (("Cohere", GROUPED), LLAMA, 4),
    # Each of its heads is the difference of two.
    "diffllama": (("DiffLlama", GROUPED), LLAMA, 2),
    "mpnet": (
        ("MPNet", SIZES),
        ("encoder.layer.{}.attention.attn.o", BERT[1], "encoder.layer.{}.attention.attn.o"),
        4,
    ),
    "roberta-prelayernorm": (("RobertaPreLayerNorm", SIZES), BERT, 4),
    "xlm-roberta-xl": (("XLMRobertaXL", SIZES), BERT, 4),
    "bert as a decoder": (("Bert", {**SIZES, "is_decoder": True}), BERT, 4),
}


def of_family(folder, family, sizes):
    """An encoder of a family that the tiny ones lack, with a tokenizer of theirs."""
    import transformers

    tiny_encoders.build(folder, "bert")
    size = len(transformers.AutoTokenizer.from_pretrained(folder))
    torch.manual_seed(0)
    config = getattr(transformers, f"{family}Config")(vocab_size=size, pad_token_id=0, bos_token_id=2, eos_token_id=3, **sizes)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    return load_encoder(str(folder))


@pytest.mark.parametrize("family", FURTHER)
def test_further_families_equal_hooks_written_by_hand(tmp_path, family):
    made, (attention, mlp, projection), n_heads = FURTHER[family]
    encoder = of_family(tmp_path / "tiny", *made)
    read = extract_sites(encoder, TEXTS[:1], ["attention", "mlp", "heads"], "mean")
    assert len([name for name in read if name.startswith("head ")]) == 2 * n_heads
    for depth in (1, 2):
        joined = np.concatenate([read[f"head {depth}.{head}"][0] for head in range(n_heads)])
        parts = [(read[f"attention {depth}"][0], attention, "output"), (read[f"mlp {depth}"][0], mlp, "output")]
        for values, path, part in [*parts, (joined, projection, "input")]:
            assert values == pytest.approx(pooled_by_hand(encoder, TEXTS[0], path.format(depth - 1), part), abs=1e-4)


@pytest.mark.parametrize(
    ("family", "sizes", "wanted", "sentence"),
    [
        ("Lfm2", {**GROUPED, "layer_types": ["full_attention", "conv"]}, "heads", "Block 2 .* has no attention whose heads"),
        ("RecurrentGemma", {**GROUPED, "intermediate_size": 96}, "heads", "Block 1 .* has no attention whose heads"),
        (
            "FNet",
            {name: size for name, size in SIZES.items() if name != "num_attention_heads"},
            "attention",
            "Block 1 .* should add two things",
        ),
        ("Granite", {**GROUPED, "residual_multiplier": 0.5}, "mlp", "found: nothing that a module returns"),
        ("Qwen3Moe", {**SIZES, "num_key_value_heads": 4, "head_dim": 16, **EXPERTS}, "attention", "no feed-forward block"),
        ("Qwen3Moe", {**SIZES, "num_key_value_heads": 4, "head_dim": 16, **EXPERTS}, "mlp_neurons", "no feed-forward block"),
        ("Qwen2Moe", {**GROUPED, **EXPERTS, "shared_expert_intermediate_size": 48}, "mlp_neurons", "no feed-forward block"),
        ("Xmod", {**SIZES, "languages": ("en",), "default_language": "en"}, "mlp_neurons", "no feed-forward block"),
        ("Bert", {**SIZES, "intermediate_size": 16}, "mlp_neurons", "no feed-forward block"),
        ("SqueezeBert", {**SIZES, "embedding_size": 32}, "module:encoder.layers.0.output.conv1d", "no vector for each token"),
        ("SqueezeBert", {**SIZES, "embedding_size": 32}, "module:encoder.layers.0.attention.query", "no vector for each token"),
    ],
)
def test_what_an_architecture_does_not_have_is_told_and_nothing_else_read(tmp_path, family, sizes, wanted, sentence):
    with pytest.raises(EncoderError, match=sentence):
        sites_of(of_family(tmp_path / "tiny", family, sizes), [wanted])


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("residual", "Unknown family of sites 'residual'. Choose one of: attention, heads, layers, mlp, mlp_neurons."),
        ("module:encoder.layer.0.attention.output.dens", r"Nearest: encoder\.layer\.0\.attention\.output\.dense"),
        ("module:", "names no module"),
        ("module:encoder.layer.0#x", "names no module"),
        ("module:pooler.dense", "gives no vector for each token"),
        ("module:**.dense", "are not equally wide: encoder.layer.0.attention.output.dense has 32 units, encoder.layer.0.inter"),
        ("module:zzz.*", "has a path like 'zzz"),
    ],
)
def test_what_cannot_be_found_is_told_with_what_is_near(bert, wanted, sentence):
    with pytest.raises((UnknownNameError, EncoderError), match=sentence):
        sites_of(bert, [wanted])


def test_the_tree_of_modules_has_shapes_and_says_what_repeats(bert):
    tree = module_tree(bert)
    assert "    0..2: 3 × BertLayer [n_texts, n_tokens, 32]" in tree.splitlines()
    assert "        dense: Linear [n_texts, n_tokens, 48]" in tree.splitlines()
    assert tree.count("BertSelfAttention") == 1
