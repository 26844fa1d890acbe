"""Laws of pairs: two texts are read as the tokenizer's own pair form has it, and single texts as if there were no pairs."""

from __future__ import annotations

import json
from dataclasses import replace

import numpy as np
import pytest
import tiny_encoders
import torch
import transformers
from tiny_encoders import ARCHITECTURES
from tokenizers import Tokenizer, processors

from lit_probe.data.text_pairs import joined
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import Encoder, load_encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.encoder.token_states import token_states
from lit_probe.encoder.words import words_of
from lit_probe.errors import EncoderError
from lit_probe.probing.probe_forward import Target, forward_of_model
from lit_probe.salience import SALIENCE_METHODS, SalienceOptions, explain

PAIRS = [
    ("a good film", "the movie was not bad"),
    ("the story and the plot and the music and the acting", "dull"),
    ("it", "we loved the ending more than the slow scene of the movie we hated"),
    ("a fine film with a fine story", "a bad film with a bad plot"),
    ("good", ""),
    ("", "good"),
    ("très bon 😀", "¿ good ? [SEP] film"),
]


@pytest.fixture(params=ARCHITECTURES)
def pair_encoder(request, tiny_folder) -> Encoder:
    """An encoder whose tokenizer joins two texts as that of its architecture does."""
    return load_encoder(str(tiny_folder(request.param, own_pair_form=True)))


@pytest.fixture
def bert(tiny_folder) -> Encoder:
    return load_encoder(str(tiny_folder("bert", own_pair_form=True)))


def _by_transformers(encoder, pairs, max_length):
    """Ids, types where there are any, and hidden states ``[n_layers, n_tokens, d_model]`` of each pair, by transformers alone."""
    folder = encoder.checkpoint.folder
    tokenizer = transformers.AutoTokenizer.from_pretrained(folder)
    model = transformers.AutoModel.from_pretrained(folder).eval()
    found = []
    for first, second in pairs:
        inputs = tokenizer([first], [second], truncation="longest_first", max_length=max_length, return_tensors="pt")
        with torch.no_grad():
            hidden = model(**inputs, output_hidden_states=True).hidden_states
        types = inputs["token_type_ids"][0].tolist() if "token_type_ids" in inputs else None
        found.append((inputs["input_ids"][0].tolist(), types, torch.cat(hidden).numpy()))
    return found


@pytest.mark.parametrize("max_length", [60, 12, 11, 7])
def test_a_pair_is_read_as_transformers_reads_two_texts(pair_encoder, max_length):
    encoder = Encoder(pair_encoder.checkpoint, max_length=max_length)
    expected = on_encoder_thread(lambda: _by_transformers(encoder, PAIRS, max_length))
    encoded = encoder.encode([joined(*pair) for pair in PAIRS])
    hidden = encoder.forward(encoded)
    for row, (text, (ids, types, states)) in enumerate(zip(encoded, expected, strict=True)):
        assert text.ids == ids
        assert types is None or text.types == types
        ours = np.stack([layer[row, : len(ids)].numpy() for layer in hidden.layers])
        np.testing.assert_allclose(ours, states, atol=1e-5)
    whole = encoder.tokenizer.backend_tokenizer.encode_batch(list(PAIRS))
    assert [text.truncated for text in encoded] == [len(one.ids) > max_length for one in whole]


def test_types_matter_where_the_model_reads_them(bert):
    (text,) = bert.encode([joined("a good film", "a bad film")])
    assert text.types == [0] * 5 + [1] * 4
    same_words = replace(text, types=[])
    assert (bert.forward([text]).layers[-1] - bert.forward([same_words]).layers[-1]).abs().max() > 1e-3


def test_single_texts_are_read_alone_and_beside_pairs_as_ever(pair_encoder):
    singles = ["a good film", "the movie was not very good but fine"]
    alone = pair_encoder.forward(pair_encoder.encode(singles))
    assert "token_type_ids" not in pair_encoder.padded(pair_encoder.encode(singles)).model_inputs
    beside = pair_encoder.forward(pair_encoder.encode([*singles, joined("a", "film")]))
    for one, other in zip(alone.layers, beside.layers, strict=True):
        n = one.shape[1]
        kept = alone.attention_mask
        torch.testing.assert_close(one[kept], other[: len(singles), :n][kept], atol=1e-5, rtol=0)


def test_pooled_pairs_do_not_depend_on_their_neighbours(pair_encoder):
    texts = [joined(*pair) for pair in PAIRS]
    together = extract_activations(pair_encoder, [*texts, "a single text beside them"]).values
    for row, text in enumerate(texts):
        np.testing.assert_allclose(together[row], extract_activations(pair_encoder, [text]).values[0], atol=1e-5)


def test_a_pair_is_neither_its_swap_nor_its_words_in_one_text(bert):
    values = extract_activations(bert, [joined("good", "bad film"), joined("bad film", "good"), "good bad film"]).values
    assert np.abs(values[0, -1] - values[1, -1]).max() > 1e-3
    assert np.abs(values[0, -1] - values[2, -1]).max() > 1e-3


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("head", "[CLS] good bad fine [SEP] a the film [SEP]"),
        ("tail", "[CLS] fine dull fast [SEP] film movie story [SEP]"),
        ("both-ends", "[CLS] good bad fast [SEP] a the story [SEP]"),
    ],
)
def test_each_text_of_a_pair_keeps_its_own_head_tail_or_both_ends(bert, keep, expected):
    encoder = Encoder(bert.checkpoint, max_length=9, keep=keep)
    text = joined("good bad fine dull fast", "a the film movie story")
    (encoded,) = encoder.encode([text], with_tokens=True)
    assert encoded.tokens == expected.split()
    assert encoded.types == [0] * 5 + [1] * 4
    assert [text[start:end] for start, end in encoded.offsets] == [
        "" if special else token for token, special in zip(encoded.tokens, encoded.special, strict=True)
    ]
    words = words_of(text, encoded)
    assert {*words.texts, *words.beyond_limit} == {*"good bad fine dull fast a the film movie story".split()}


def test_offsets_count_in_the_joined_text_and_no_word_spans_both(pair_encoder):
    for first, second in PAIRS:
        text = joined(first, second)
        (encoded,) = pair_encoder.encode([text], with_tokens=True)
        words = words_of(text, encoded)
        assert len(encoded.tokens) == len(encoded.offsets) == len(encoded.ids) == len(encoded.types)
        for (start, end), special in zip(encoded.offsets, encoded.special, strict=True):
            assert special or (end <= len(first) or start > len(first))
        assert not any("\x1f" in word for word in words.texts)
    (glued,) = pair_encoder.encode([joined("good", "film")], with_tokens=True)
    assert words_of(joined("good", "film"), glued).texts == ("good", "film")


def test_with_and_without_names_the_same_tokens(pair_encoder):
    texts = [joined(*pair) for pair in PAIRS]
    for plain, named in zip(pair_encoder.encode(texts), pair_encoder.encode(texts, with_tokens=True), strict=True):
        assert plain == named.without_names()


def test_a_text_with_several_seams_has_one(bert):
    one, other = bert.encode(["good\x1fbad\x1ffilm", joined("good", "bad film")], with_tokens=True)
    assert one == other


def test_a_tokenizer_without_a_pair_form_says_so(tmp_path):
    folder = tiny_encoders.build(tmp_path / "plain")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
    tokenizer.post_processor = processors.TemplateProcessing(single="[CLS] $A", pair="[CLS] $A $B", special_tokens=[("[CLS]", 2)])
    tokenizer.save(str(folder / "tokenizer.json"))
    encoder = load_encoder(str(folder))
    assert encoder.encode(["a good film"])[0].ids
    with pytest.raises(EncoderError, match="puts nothing between the two texts of a pair"):
        encoder.encode(["a good film", joined("a", "film")])


def test_a_model_that_takes_no_types_gets_none_whatever_its_tokenizer_says(tiny_folder, tmp_path):
    folder = tiny_encoders.build(tmp_path / "distilbert", "distilbert", own_pair_form=True)
    config = json.loads((folder / "tokenizer_config.json").read_text())
    config["model_input_names"] = ["input_ids", "token_type_ids", "attention_mask"]
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    encoder = load_encoder(str(folder))
    usual = load_encoder(str(tiny_folder("distilbert", own_pair_form=True)))
    text = [joined("a good film", "a bad film")]
    for one, other in zip(encoder.forward(encoder.encode(text)).layers, usual.forward(usual.encode(text)).layers, strict=True):
        torch.testing.assert_close(one, other, atol=0, rtol=0)


@pytest.mark.parametrize("layer", range(4))
def test_stopping_at_a_layer_gives_a_pairs_own_states(pair_encoder, layer):
    encoded = pair_encoder.encode([joined("a good film", "the movie was bad"), joined("it", "dull")])
    whole = pair_encoder.forward(encoded)
    for indices, rows in token_states(pair_encoder, encoded, layer):
        expected = torch.cat([whole.layers[layer][i][whole.attention_mask[i]] for i in indices])
        np.testing.assert_allclose(rows, expected.numpy(), atol=1e-5)


@pytest.mark.parametrize("method", SALIENCE_METHODS)
def test_a_map_of_a_pair_explains_the_answer_to_the_pair(tiny_folder, method):
    encoder = load_encoder(str(tiny_folder("bert", own_pair_form=True, n_classes=2)))
    forward = forward_of_model(encoder)
    text = joined("a good film", "the movie was bad")
    (encoded,) = encoder.encode([text], with_tokens=True)
    with_types = forward.logits_of([encoded])
    assert np.abs(with_types - forward.logits_of([replace(encoded, types=[])])).max() > 1e-6
    embeddings = forward.embeddings(encoded)
    through = on_encoder_thread(lambda: forward.of_text(encoded)(embeddings[None]).detach().numpy())
    np.testing.assert_allclose(through, with_types, atol=1e-5)
    found = explain(forward, text, method, Target(1), SalienceOptions())
    assert len(found.tokens) == len(encoded.ids)
    assert [score for score, special in zip(found.scores, encoded.special, strict=True) if special] == [0.0] * 3
