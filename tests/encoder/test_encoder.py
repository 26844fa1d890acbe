"""Laws of the encoder: all layers in one forward pass, real truncation, evaluation mode, any text."""

from __future__ import annotations

import threading

import numpy as np
import pytest
import torch
import transformers
from counted import count_forwards
from tiny_encoders import ARCHITECTURES, D_MODEL, N_BLOCKS

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.tokens import KEEPS
from lit_probe.errors import EncoderError, UnknownNameError

ODD_TEXTS = [
    "",
    " ",
    "a" * 100_000,
    "good " * 20_000,
    "😀 film 👍🏽",
    "סרט טוב",
    "فيلم جيد",
    "nul\0byte",
    "lone \ud800 surrogate",
    "\u200b",
]


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_layer_0_is_the_embedding_output_and_the_last_layer_is_last_hidden_state(tiny_folder, architecture):
    folder = tiny_folder(architecture)
    encoder = load_encoder(str(folder))
    encoded = encoder.encode(["the movie was not very good"])
    ours = encoder.forward(encoded)

    def reference():
        model = transformers.AutoModel.from_pretrained(folder).eval()
        embedded = []
        embeddings = model.get_submodule("embeddings")
        embeddings.register_forward_hook(lambda module, args, output: embedded.append(output))
        with torch.no_grad():
            last = model(input_ids=torch.tensor([encoded[0].ids])).last_hidden_state
        first = embedded[0]
        if architecture == "electra":  # its embeddings are widened to d_model before block 1
            first = model.embeddings_project(first)
        return first, last

    first, last = on_encoder_thread(reference)
    assert len(ours.layers) == encoder.n_layers == N_BLOCKS + 1
    assert {states.shape[-1] for states in ours.layers} == {D_MODEL} == {encoder.d_model}
    torch.testing.assert_close(ours.layers[0], first, atol=1e-6, rtol=0)
    torch.testing.assert_close(ours.layers[-1], last, atol=1e-6, rtol=0)


def test_one_forward_pass_per_batch_gives_all_layers(tiny_encoder):
    passes = count_forwards(tiny_encoder)
    texts = [f"{'good ' * (i % 7)}film" for i in range(50)]
    extract_activations(tiny_encoder, texts)
    assert sum(passes) == 50
    assert len(passes) == len(list(tiny_encoder.batches(tiny_encoder.encode(texts))))


def test_results_come_in_input_order(tiny_encoder):
    texts = ["a good film", "it", "the movie was not very good but fine", "bad", "a good film"]
    values = extract_activations(tiny_encoder, texts).values
    np.testing.assert_allclose(values[0], values[4], atol=1e-6)
    np.testing.assert_allclose(values[3], extract_activations(tiny_encoder, ["bad"]).values[0], atol=1e-5)
    assert np.abs(values[0] - values[3]).max() > 1e-3


def test_batches_hold_every_text_once_and_keep_the_token_budget(tiny_encoder):
    encoded = tiny_encoder.encode(["good " * (i % 40) for i in range(300)])
    batches = list(tiny_encoder.batches(encoded))
    assert sorted(i for batch in batches for i in batch) == list(range(300))
    for batch in batches:
        assert len(batch) * max(len(encoded[i].ids) for i in batch) <= tiny_encoder.token_budget


def test_the_model_is_in_evaluation_mode_and_needs_no_gradients(tiny_encoder):
    assert not tiny_encoder.model.training
    assert not any(parameter.requires_grad for parameter in tiny_encoder.model.parameters())
    texts = ["a good film"]
    assert np.array_equal(extract_activations(tiny_encoder, texts).values, extract_activations(tiny_encoder, texts).values)


def test_all_torch_work_runs_on_one_thread(tiny_encoder):
    names = set()
    tiny_encoder.model.register_forward_pre_hook(lambda *_: names.add(threading.current_thread().name))
    threads = [threading.Thread(target=extract_activations, args=(tiny_encoder, ["a good film"])) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(names) == 1


@pytest.mark.parametrize(
    ("keep", "kept"), [("head", "0 1 2 3 4 5"), ("tail", "14 15 16 17 18 19"), ("both-ends", "0 1 2 17 18 19")]
)
def test_a_long_text_keeps_the_asked_part(tiny_folder, keep, kept):
    words = [str(i) for i in range(20)]
    encoder = load_encoder(str(tiny_folder(words=tuple(words))), max_length=8, keep=keep)
    [encoded] = encoder.encode([" ".join(words)], with_tokens=True)
    assert encoded.truncated
    assert encoded.tokens == ["[CLS]", *kept.split(), "[SEP]"]
    text = " ".join(words)
    assert [text[start:end] for start, end in encoded.offsets[1:-1]] == kept.split()


def test_both_ends_of_an_odd_room_gives_the_head_the_extra_token():
    assert KEEPS["both-ends"](10, 3) == [0, 1, 9]


def test_max_length_counts_special_tokens_and_really_truncates(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), max_length=10)
    [short, long] = encoder.encode(["a good film", "good " * 50])
    assert (len(short.ids), short.truncated) == (5, False)
    assert (len(long.ids), long.truncated) == (10, True)
    assert extract_activations(encoder, ["a good film", "good " * 50]).share_truncated == 0.5


def test_any_text_gives_finite_activations(tiny_encoder):
    values = extract_activations(tiny_encoder, ODD_TEXTS).values
    assert np.isfinite(values).all()
    assert not values[0].any(), "a text without content tokens pools to zeros"
    assert values[5].any(), "a right-to-left text is encoded"


def test_a_fine_tuned_checkpoint_also_gives_its_own_prediction(tiny_folder):
    encoder = load_encoder(str(tiny_folder(n_classes=3)))
    assert encoder.head_label_names == ("class 0", "class 1", "class 2")
    passes = count_forwards(encoder)
    activations = extract_activations(encoder, ["a good film", "bad"])
    assert activations.head_probabilities.shape == (2, 3)
    np.testing.assert_allclose(activations.head_probabilities.sum(axis=1), 1, atol=1e-6)
    assert sum(passes) == 2, "the same forward pass serves layers and head"


def test_a_plain_encoder_has_no_prediction_of_its_own(tiny_encoder):
    assert tiny_encoder.head_label_names is None
    assert extract_activations(tiny_encoder, ["a good film"]).head_probabilities is None


def test_missing_weights_are_refused_instead_of_filled_with_random_numbers(tiny_folder, tmp_path):
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "half"
    folder.mkdir()
    for path in tiny_folder().iterdir():
        (folder / path.name).write_bytes(path.read_bytes())
    weights = load_file(folder / "model.safetensors")
    save_file(
        {name: tensor for name, tensor in weights.items() if "layer.1." not in name},
        folder / "model.safetensors",
        {"format": "pt"},
    )
    with pytest.raises(EncoderError, match=r"lack \d+ tensors"):
        extract_activations(load_encoder(str(folder)), ["a good film"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"max_length": 2}, "give 3 or more tokens"),
        ({"max_length": 100_000}, "reads at most 64 tokens"),
    ],
)
def test_impossible_lengths_are_refused_at_the_door(tiny_folder, options, message):
    with pytest.raises(EncoderError, match=message):
        load_encoder(str(tiny_folder()), **options)


def test_an_unknown_way_to_keep_names_the_choices(tiny_folder):
    with pytest.raises(UnknownNameError, match="Choose one of: both-ends, head, tail"):
        load_encoder(str(tiny_folder()), keep="middle")


@pytest.mark.parametrize(
    ("device", "message"),
    [("quantum", "Unknown device 'quantum'"), ("meta", "Unknown device"), ("xpu", "Unknown device"), ("cuda:7", "cuda")],
)
def test_an_unusable_device_is_named(tiny_folder, device, message):
    if device.startswith("cuda") and torch.cuda.is_available():
        pytest.skip("this machine has a CUDA GPU")
    with pytest.raises(EncoderError, match=message):
        extract_activations(load_encoder(str(tiny_folder()), device=device), ["a good film"])


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_randomised_twin_has_other_weights_and_its_own_fingerprint(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture)))
    twin = encoder.randomised(seed=3)
    trained, drawn = (dict(one.model.named_parameters()) for one in (encoder, twin))
    assert trained.keys() == drawn.keys()
    matrices = [name for name, values in trained.items() if values.dim() == 2]
    assert matrices
    assert not any(torch.equal(trained[name], drawn[name]) for name in matrices)
    assert len({one.fingerprint for one in (encoder, twin, encoder.randomised(seed=4))}) == 3
    texts = ["a good film"]
    again = extract_activations(encoder.randomised(seed=3), texts).values
    assert np.array_equal(extract_activations(twin, texts).values, again), "a seed decides the weights"


@pytest.mark.parametrize("architecture", ["fnet", "convbert"])
def test_where_padding_would_change_a_text_only_equal_lengths_share_a_batch(tmp_path, architecture):
    import tiny_encoders

    folder = tiny_encoders.build(tmp_path / architecture, "bert")
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    sizes = {"num_hidden_layers": 2, "hidden_size": 32, "intermediate_size": 48, "max_position_embeddings": 64}
    if architecture == "convbert":
        sizes |= {"num_attention_heads": 4, "embedding_size": 16}
    config = transformers.AutoConfig.for_model(architecture, vocab_size=len(tokenizer), pad_token_id=0, **sizes)
    transformers.AutoModel.from_config(config).save_pretrained(folder)
    encoder = load_encoder(str(folder))
    texts = ["good", "a good film and a very slow story that i loved", "bad", "the end"]
    together = extract_activations(encoder, texts).values
    for i, text in enumerate(texts):
        np.testing.assert_allclose(together[i], extract_activations(encoder, [text]).values[0], atol=1e-5)


def test_threads_that_ask_at_once_load_the_weights_once(tiny_folder, monkeypatch):
    from lit_probe.encoder import encoder as module

    loads = []
    load = module.load_model
    monkeypatch.setattr(module, "load_model", lambda *args: loads.append(1) or load(*args))
    encoder = load_encoder(str(tiny_folder()))
    threads = [threading.Thread(target=lambda: encoder.token_budget) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert loads == [1]


def test_a_text_without_a_single_token_pools_to_zeros(tiny_folder, tmp_path):
    import json
    import shutil

    folder = shutil.copytree(tiny_folder(), tmp_path / "plain")
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps({**tokenizer, "post_processor": None}))
    encoder = load_encoder(str(folder))
    values = extract_activations(encoder, ["", "a good film"]).values
    assert not values[0].any()
    assert values[1].any()
    assert not extract_activations(encoder, [""]).values.any()


def test_a_tokenizer_of_another_model_is_an_error_that_names_the_model(tiny_folder, tmp_path):
    import json
    import shutil

    folder = shutil.copytree(tiny_folder(), tmp_path / "mixed")
    text = (folder / "tokenizer.json").read_text()
    vocabulary = json.loads(text)
    vocabulary["model"]["vocab"] = {word: i + 1000 * (i > 10) for word, i in vocabulary["model"]["vocab"].items()}
    (folder / "tokenizer.json").write_text(json.dumps(vocabulary))
    with pytest.raises(EncoderError, match=r"has 1,134 ids, but the embedding of the weights has 134 rows"):
        extract_activations(load_encoder(str(folder)), ["a good film"])
