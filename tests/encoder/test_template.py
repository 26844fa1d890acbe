"""Laws of templates: the ids of the whole prompt, the text's own tokens and places, and cuts of the text alone."""

from __future__ import annotations

import re

import numpy as np
import pytest
import torch
import transformers
from tiny_decoders import byte_tokenizer
from tiny_encoders import DEFAULT_WORDS
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, processors, trainers

from lit_probe.data.text_pairs import joined
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import Encoder, encoder_of, load_encoder
from lit_probe.encoder.pooling import POOLINGS
from lit_probe.encoder.site_activations import extract_sites
from lit_probe.encoder.template import escaped, unescaped
from lit_probe.encoder.words import words_of
from lit_probe.errors import EncoderError

TEMPLATE = "Review: {text}\nSentiment:"
TEMPLATES = (TEMPLATE, "{text}", "{text} It was", "a film:{text}", "  {text}  ", "the movie is not {text}!\n\n", "😀 {text}ing")
TEXTS = (
    "a good film",
    "",
    "dull",
    " two  spaces ",
    "not {text}, but {braces}.",
    "the ending\nis fine 😀",
    "e\u0301a\u0300 naïve 好電影",
    "...",
    "\t",
    "film [SEP] film <|endoftext|>",
    "lone \ud800 surrogate",
)
CHAT = (
    "{% for message in messages %}<|endoftext|>{{ message['role'] }}\n{{ message['content'] }}<|endoftext|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|endoftext|>assistant\n{% endif %}"
)


def unigram() -> transformers.PreTrainedTokenizerFast:
    """As t5's: pieces with a sign for the space before them, </s> at the end."""
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Replace("\n", " ")])
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    special = ["<pad>", "</s>", "<unk>"]
    tokenizer.train_from_iterator(
        [" ".join(DEFAULT_WORDS)] * 4, trainers.UnigramTrainer(vocab_size=120, special_tokens=special, unk_token="<unk>")
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    return transformers.PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def prepending() -> transformers.PreTrainedTokenizerFast:
    """As older llamas': the sign of a space is put before the text."""
    tokenizer = Tokenizer(models.BPE(byte_fallback=True, unk_token="<unk>"))
    tokenizer.normalizer = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    bytes_ = [f"<0x{number:02X}>" for number in range(256)]
    tokenizer.train_from_iterator(
        [" ".join(DEFAULT_WORDS)] * 4, trainers.BpeTrainer(vocab_size=500, special_tokens=["<unk>", "<s>", *bytes_])
    )
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return transformers.PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token="<s>", unk_token="<unk>")


def trimming() -> transformers.PreTrainedTokenizerFast:
    """As gpt2's: offsets without the space before a word."""
    tokenizer = byte_tokenizer("gpt2")
    tokenizer.backend_tokenizer.post_processor = processors.ByteLevel(trim_offsets=True)
    return tokenizer


TOKENIZERS = {
    "bytes": lambda: byte_tokenizer("llama"),
    "bytes with trimmed offsets": trimming,
    "unigram": unigram,
    "prepending": prepending,
}


def small_llama(tokenizer) -> transformers.LlamaModel:
    torch.manual_seed(0)
    sizes = {"num_hidden_layers": 2, "hidden_size": 32, "num_attention_heads": 4, "intermediate_size": 48}
    return transformers.LlamaModel(transformers.LlamaConfig(vocab_size=len(tokenizer), max_position_embeddings=128, **sizes))


@pytest.fixture(scope="module", params=["word pieces", *TOKENIZERS])
def make_encoder(request, tiny_folder):
    """``make_encoder(template, **options)``: an encoder of each kind of tokenizer."""
    kind = request.param
    if kind == "word pieces":
        return lambda template, **options: load_encoder(str(tiny_folder()), template=template, **options)
    tokenizer = TOKENIZERS[kind]()
    model = small_llama(tokenizer)
    return lambda template, **options: encoder_of(model, tokenizer, template=template, **options)


def whole_ids(encoder: Encoder, template: str, text: str) -> list[int]:
    return encoder.tokenizer(template.replace("{text}", text.replace("\ud800", "\ufffd")))["input_ids"]


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_ids_are_those_of_the_whole_prompt(make_encoder, template):
    encoder = make_encoder(template)
    for text, encoded in zip(TEXTS, encoder.encode(TEXTS), strict=True):
        assert encoded.ids == whole_ids(encoder, template, text), text
        assert not encoded.truncated
        assert len(encoded.template) == len(encoded.special) == len(encoded.ids)
        assert not encoded.tokens and not encoded.offsets


@pytest.mark.parametrize("template", TEMPLATES)
def test_the_tokens_of_the_template_are_marked_and_all_others_cover_the_text(make_encoder, template):
    encoder = make_encoder(template)
    for text, encoded in zip(TEXTS, encoder.encode(TEXTS, with_tokens=True), strict=True):
        text = text.replace("\ud800", "\ufffd")
        assert all(special for special, around in zip(encoded.special, encoded.template, strict=True) if around)
        own = [span for span, special in zip(encoded.offsets, encoded.special, strict=True) if not special]
        assert all(0 <= start <= end <= len(text) for start, end in own)
        covered = {place for start, end in own for place in range(start, end)}
        assert {i for i, sign in enumerate(text) if not sign.isspace()} <= covered | marks_of(text), text
        around = [
            span for span, special, it in zip(encoded.offsets, encoded.special, encoded.template, strict=True) if special or it
        ]
        assert set(around) <= {(0, 0)}
        assert all(word in text for word in words_of(text, encoded).texts)


def marks_of(text: str) -> set[int]:
    """What a word-piece tokenizer strips: accents, and the sign that stands for a broken character."""
    return {i for i, sign in enumerate(text) if re.match("[\u0300-\u036f\ufffd]", sign)}


def test_words_are_those_without_a_template(make_encoder):
    plain, encoder = make_encoder(None), make_encoder(TEMPLATE)
    for text in ("a good film", "the ending is fine, and dull!", "dull"):
        [alone], [within] = plain.encode([text], with_tokens=True), encoder.encode([text], with_tokens=True)
        assert words_of(text, alone).texts == words_of(text, within).texts


def test_a_token_that_holds_signs_of_both_is_the_texts(decoder_folder):
    encoder = load_encoder(str(decoder_folder("gpt2")), template="a dull {text}ing")
    [encoded] = encoder.encode(["film end"], with_tokens=True)
    own = {
        token: span for token, span, special in zip(encoded.tokens, encoded.offsets, encoded.special, strict=True) if not special
    }
    assert own["Ġfilm"] == (0, 4), "the space before it is the template's"
    assert own["Ġending"] == (4, 8), "its last three letters are the template's"
    assert encoded.template == [True, True, False, False]


@pytest.mark.parametrize("keep", ["head", "tail", "both-ends"])
def test_truncation_cuts_the_text_and_never_the_template(make_encoder, keep):
    encoder, long = make_encoder(TEMPLATE, max_length=40, keep=keep), "good film " * 40
    [whole] = make_encoder(TEMPLATE, max_length=60, keep=keep).encode(["good"])
    [cut] = encoder.encode([long], with_tokens=True)
    assert cut.truncated and len(cut.ids) == 40
    fixed = [i for i, special in zip(cut.ids, cut.special, strict=True) if special]
    assert fixed == [i for i, special in zip(whole.ids, whole.special, strict=True) if special]
    own = [span for span, special in zip(cut.offsets, cut.special, strict=True) if not special]
    assert (own[0][0] <= 1) == (keep != "tail")
    assert (own[-1][1] >= len(long.rstrip())) == (keep != "head")


def test_a_template_that_leaves_no_room_is_refused(make_encoder):
    [short] = make_encoder(TEMPLATE).encode(["a good film"])
    n_fixed = sum(short.special)
    said = (
        rf"The template takes {n_fixed} tokens, special ones included, and max_length is {n_fixed}, so no token of a text would"
    )
    with pytest.raises(EncoderError, match=said):
        make_encoder(TEMPLATE, max_length=n_fixed).encode(["a good film"])


@pytest.mark.parametrize(
    ("template", "said"),
    [
        ("Review:", r"has no \{text\} in it. Write it once, as in 'Review: \{text\}"),
        ("", r"The template '' has no \{text\}"),
        ("{text} or {text}", "has 2 times {text} in it"),
        ("{text} {label}", r"has other braces than those of \{text\}. Leave them out"),
        ("{{text}}", "other braces"),
        ("{text", "has no {text}"),
        (b"{text}", "not a bytes"),
        (7, "not a int"),
    ],
)
def test_templates_that_say_no_place_are_refused(tiny_folder, template, said):
    with pytest.raises(EncoderError, match=said):
        load_encoder(str(tiny_folder()), template=template)


def test_pairs_are_refused(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), template=TEMPLATE)
    with pytest.raises(
        EncoderError, match=r"one text, and these are pairs of texts. Leave out the options template and chat, or join the two"
    ):
        encoder.encode(["fine", joined("a", "b")])


# ---- what is read ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("pooling", POOLINGS)
def test_what_each_pooling_reads(make_encoder, pooling):
    encoder, text = make_encoder(TEMPLATE), "the ending is fine"
    [encoded] = encoder.encode([text])
    hidden = np.stack([states[0].float().cpu().numpy() for states in encoder.forward([encoded]).layers])
    own = [i for i, special in enumerate(encoded.special) if not special]
    added = [special and not around for special, around in zip(encoded.special, encoded.template, strict=True)]
    last = max(i for i, is_added in enumerate(added) if not is_added)
    expected = {
        "mean": hidden[:, own].mean(axis=1),
        "mean_all": hidden.mean(axis=1),
        "mean_after_first": hidden[:, own].mean(axis=1),
        "cls": hidden[:, 0],
        "last": hidden[:, last],
        "max": hidden[:, own].max(axis=1),
    }[pooling]
    assert encoded.template[last], "the last token of the whole prompt"
    together = extract_activations(encoder, [text, "dull", "good film " * 20], pooling).values
    np.testing.assert_allclose(together[0], expected, atol=1e-5)
    sites = extract_sites(encoder, [text, "dull"], ["layers"], pooling)
    np.testing.assert_allclose(np.stack([one[0] for one in sites.values()]), expected, atol=1e-5)


def test_a_template_of_the_text_alone_changes_no_vector(make_encoder):
    texts = ["the ending is fine", "dull"]
    for pooling in POOLINGS:
        one, other = (extract_activations(make_encoder(template), texts, pooling).values for template in (None, "{text}"))
        np.testing.assert_allclose(one, other, atol=1e-6)


def test_the_template_is_part_of_the_key_and_of_what_is_cached(tiny_folder, tmp_path):
    folder = str(tiny_folder())
    plain, one, same, other = (load_encoder(folder, template=t) for t in (None, TEMPLATE, TEMPLATE, "{text} It was"))
    prints = [encoder.fingerprint for encoder in (plain, one, same, other)]
    assert prints[1] == prints[2] and len(set(prints)) == 3
    assert plain.fingerprint == Encoder(plain.checkpoint).fingerprint
    cache = Cache(tmp_path)
    values = [cache.activations(encoder, ["fine"]).values for encoder in (plain, one, other, one)]
    assert not np.allclose(values[0], values[1]) and not np.allclose(values[1], values[2])
    assert (values[1] == values[3]).all()


def test_twins_have_the_template(tiny_folder):
    encoder = load_encoder(str(tiny_folder()), template=TEMPLATE)
    for twin in (encoder.named("other"), encoder.randomised(1)):
        assert twin.template == TEMPLATE
        assert twin.encode(["fine"]) == encoder.encode(["fine"])


# ---- chat ------------------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def chatting():
    """``chatting(chat_template, **options)``: an encoder whose tokenizer begins every text with a special token."""

    def make(chat_template=CHAT, **options):
        tokenizer = byte_tokenizer("llama")
        tokenizer.chat_template = chat_template
        return encoder_of(small_llama(tokenizer), tokenizer, **{"chat": True, **options})

    return make


@pytest.mark.parametrize("template", [None, "Is it good? {text}\n"])
def test_a_chat_reads_the_ids_of_the_chat_template(chatting, template):
    encoder, texts = chatting(template=template), [text for text in TEXTS if "\ud800" not in text]
    for text, encoded in zip(texts, encoder.encode(texts, with_tokens=True), strict=True):
        message = [{"role": "user", "content": (template or "{text}").replace("{text}", text)}]
        ids = encoder.tokenizer.apply_chat_template(message, add_generation_prompt=True)["input_ids"]
        assert encoded.ids == ids, text
        assert encoded.template[0] and encoded.template[-1]
    assert encoder.chat == f"<|endoftext|>user\n{template or '{text}'}<|endoftext|>\n<|endoftext|>assistant\n"
    assert encoder.template == template
    assert encoder.randomised(0).chat == encoder.chat


def test_a_chat_and_its_words_as_a_template_have_keys_of_their_own(chatting):
    chat = chatting()
    written = chatting(chat=False, template=chat.chat)
    assert chat.fingerprint != written.fingerprint
    [one], [other] = chat.encode(["fine"]), written.encode(["fine"])
    assert other.ids == [0, *one.ids], "of a template of one's own the tokenizer adds its special tokens"


@pytest.mark.parametrize(
    ("chat_template", "said"),
    [
        (None, "has no chat template, as models have that were trained to answer. Leave out the option chat, or give a template"),
        ("{{ messages[0]['content'] }} {{ messages[0]['content'] }}", "has the message 2 times in its prompt"),
        ("fixed", "has the message 0 times"),
        ("{{ raise_exception('No such role.') }}", "cannot be used: No such role."),
        ("{% if %}", "cannot be used: "),
    ],
)
def test_chat_templates_that_cannot_be_used_are_refused(chatting, chat_template, said):
    with pytest.raises(EncoderError, match=said):
        chatting(chat_template)


def test_a_chat_with_a_template_that_says_no_place_is_refused(chatting):
    with pytest.raises(EncoderError, match=r"has no \{text\}"):
        chatting(template="Review")


def test_a_model_without_a_chat_template_is_refused_by_its_folder(tiny_folder):
    with pytest.raises(EncoderError, match="has no chat template"):
        load_encoder(str(tiny_folder()), chat=True)


# ---- as it is typed --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("template", [*TEMPLATES, r"C:\new {text}", "\\", "\\\n\t", "a\\\\n"])
def test_what_is_typed_comes_back(template):
    assert unescaped(escaped(template)) == template
    assert "\n" not in escaped(template) and "\t" not in escaped(template)


def test_other_backslashes_stay():
    assert unescaped(r"\d {text}\n") == "\\d {text}\n"
