"""Encoders of models in memory: the numbers of the same model in a folder, the given model untouched, and no mixed weights."""

from __future__ import annotations

import copy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
import tiny_encoders
import torch
import transformers
from planted_studies import sentences
from tiny_encoders import ARCHITECTURES, MAX_POSITIONS

from lit_probe.data import split_texts
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.cache import Cache
from lit_probe.encoder.encoder import encoder_of, load_encoder
from lit_probe.encoder.thread import on_encoder_thread
from lit_probe.errors import EncoderError, UnknownNameError
from lit_probe.probing.probe_forward import forward_of_probe
from lit_probe.probing.study import probe_layers
from lit_probe.salience import explain

TEXTS = ["a good film", "it was not the best of plots", "", "😀 zzz", "good " * 100]
CHANGED = "have changed since it was given to lit_probe; give it again to read the new ones"


def loaded(folder: Path, kind=transformers.AutoModel):
    """The model, in training mode as people leave it, and its tokenizer."""
    return kind.from_pretrained(folder).train(), transformers.AutoTokenizer.from_pretrained(folder)


def with_head(tiny_folder, kind, **options):
    """A tiny bert with a head of that kind, its weights drawn anew; saving it is up to the test."""
    torch.manual_seed(3)
    model, tokenizer = loaded(tiny_folder())
    config = copy.deepcopy(model.config)
    for name, value in options.items():
        setattr(config, name, value)
    return kind(config).train(), tokenizer


def saved(model, tokenizer, folder: Path):
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return load_encoder(str(folder))


def explained(study, method="gradient_l2"):
    """The scores of a text's tokens by gradients of the probe at layer 2."""
    forward = forward_of_probe(study.encoder, study.pooling, 2, study.layerwise.probes[2])
    return explain(forward, "the film was good", method).scores


def values(encoder):
    return extract_activations(encoder, TEXTS).values


def step(model, optimizer):
    """One step of training."""
    output = model(input_ids=torch.tensor([[2, 7, 8, 9, 3]]))
    (output.logits if "logits" in output else output.last_hidden_state).square().sum().backward()
    optimizer.step()


# ---- the numbers of the same model in a folder


@pytest.mark.parametrize("n_classes", [0, 3])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_all_activations_are_bit_for_bit_those_of_the_folder(tiny_folder, architecture, n_classes):
    folder = tiny_folder(architecture, n_classes=n_classes)
    kind = transformers.AutoModelForSequenceClassification if n_classes else transformers.AutoModel
    ours, theirs = encoder_of(*loaded(folder, kind)), load_encoder(str(folder))
    assert (ours.n_layers, ours.d_model, ours.max_length) == (theirs.n_layers, theirs.d_model, theirs.max_length)
    assert ours.head_label_names == theirs.head_label_names
    for mine, other in ((ours, theirs), (ours.randomised(1), theirs.randomised(1))):
        [block], [their_block] = (extract_activations(encoder, TEXTS).blocks for encoder in (mine, other))
        for name in ("values", "truncated", "unknown", "head_probabilities"):
            np.testing.assert_array_equal(getattr(block, name), getattr(their_block, name), name)
    assert np.abs(values(ours) - values(ours.randomised(1))).max() > 1e-3


@pytest.mark.parametrize("architecture", ["bert", "modernbert"])
def test_the_probes_and_the_curve_are_those_of_the_folder(tiny_folder, architecture):
    folder = tiny_folder(architecture)
    splits = split_texts(*sentences())
    ours, theirs = (probe_layers(encoder, splits) for encoder in (encoder_of(*loaded(folder)), load_encoder(str(folder))))
    assert [row.to_json() for row in ours.metrics("dev").rows()] == [row.to_json() for row in theirs.metrics("dev").rows()]
    for mine, other in zip(ours.layerwise.probes, theirs.layerwise.probes, strict=True):
        for name, array in mine.to_arrays().items():
            np.testing.assert_array_equal(array, other.to_arrays()[name])


def test_salience_by_gradients_is_that_of_the_folder(tiny_folder):
    folder = tiny_folder()
    splits = split_texts(*sentences())
    scores = [
        explained(probe_layers(encoder, splits), "integrated_gradients")
        for encoder in (encoder_of(*loaded(folder)), load_encoder(str(folder)))
    ]
    assert np.abs(scores[0]).max() > 0
    np.testing.assert_array_equal(*scores)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float64])
def test_other_floats_are_read_in_float32_as_from_a_folder_and_told(tiny_folder, tmp_path, dtype):
    model, tokenizer = loaded(tiny_folder())
    model = model.to(dtype)
    encoder = encoder_of(model, tokenizer)
    np.testing.assert_array_equal(values(encoder), values(saved(model, tokenizer, tmp_path / "half")))
    name = str(dtype).removeprefix("torch.")
    assert any(f"are {name} in memory. They are read in float32" in remark for remark in encoder.checkpoint.remarks)
    assert {parameter.dtype for parameter in model.parameters()} == {dtype}
    with torch.no_grad():
        model.get_input_embeddings().weight.add_(1)
    with pytest.raises(EncoderError, match=CHANGED):
        values(encoder)


@pytest.mark.parametrize(
    ("kind", "options"),
    [
        (transformers.BertForMaskedLM, {}),
        (transformers.BertForQuestionAnswering, {}),
        (transformers.BertForTokenClassification, {"num_labels": 4}),
        (transformers.BertForSequenceClassification, {"num_labels": 1}),
        (transformers.BertForSequenceClassification, {"num_labels": 1, "problem_type": "regression"}),
        (transformers.BertForSequenceClassification, {"num_labels": 3, "problem_type": "multi_label_classification"}),
    ],
)
def test_of_another_head_the_body_is_read(tiny_folder, tmp_path, kind, options):
    model, tokenizer = with_head(tiny_folder, kind, **options)
    encoder = encoder_of(model, tokenizer)
    assert encoder.head_label_names is None
    assert type(encoder.model) is transformers.BertModel
    np.testing.assert_array_equal(values(encoder), values(saved(model, tokenizer, tmp_path / "headed")))


def test_a_body_has_no_head_though_its_weights_are_from_a_classifier(tiny_folder):
    encoder = encoder_of(*loaded(tiny_folder(n_classes=3)))
    assert encoder.head_label_names is None


def test_a_masked_language_model_fills_masks_as_from_its_folder(tiny_folder, tmp_path):
    model, tokenizer = with_head(tiny_folder, transformers.BertForMaskedLM)
    ours = encoder_of(model, tokenizer)
    theirs = saved(model, tokenizer, tmp_path / "masked")
    assert ours.why_no_masked_lm is None
    text = ours.encode(["a [MASK] film", "the [MASK]"])
    np.testing.assert_array_equal(ours.fill_mask(text), theirs.fill_mask(text))
    assert ours.randomised(0).why_no_masked_lm == f"{ours.name}-random-0 has random weights."


def test_what_has_no_masked_language_model_says_why(tiny_folder):
    encoder = encoder_of(*loaded(tiny_folder()), name="mine")
    assert encoder.why_no_masked_lm == "mine has no masked-language-model head: its configuration names BertModel."
    with pytest.raises(EncoderError, match="no masked-language-model head"):
        encoder.fill_mask(encoder.encode(["a [MASK]"]))
    model, tokenizer = with_head(tiny_folder, transformers.BertForMaskedLM)
    tokenizer.mask_token = None
    assert encoder_of(model, tokenizer, name="mine").why_no_masked_lm == "The tokenizer of mine has no mask token."


# ---- the given model is not touched


def traces(model, tokenizer):
    """All of a model and a tokenizer that reading them might change."""
    return {
        "weights": {name: (tensor.data_ptr(), tensor.tolist()) for name, tensor in model.state_dict().items()},
        "versions": [parameter._version for parameter in model.parameters()],
        "asks for gradients": [parameter.requires_grad for parameter in model.parameters()],
        "gradients": [parameter.grad is not None for parameter in model.parameters()],
        "training": [module.training for module in model.modules()],
        "attributes": [sorted(vars(module)) for module in model.modules()],
        "hooks": [[dict(vars(module)[kind]) for kind in vars(module) if kind.endswith("_hooks")] for module in model.modules()],
        "config": model.config.to_dict(),
        "tokenizer": tokenizer.backend_tokenizer.to_str(),
        "length": tokenizer.model_max_length,
    }


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_nothing_of_the_given_model_and_tokenizer_changes(tiny_folder, architecture):
    model, tokenizer = loaded(tiny_folder(architecture, n_classes=2), transformers.AutoModelForSequenceClassification)
    step(model, torch.optim.SGD(model.parameters(), lr=0.1))
    next(model.parameters()).requires_grad_(False)
    model.register_forward_hook(lambda *_: None)
    tokenizer.backend_tokenizer.enable_truncation(7)
    tokenizer.backend_tokenizer.enable_padding(length=40)
    before = traces(model, tokenizer)
    encoder = encoder_of(model, tokenizer)
    study = probe_layers(encoder, split_texts(*sentences()))
    explained(study)
    assert encoder.encode(["good " * 20])[0].ids == [2, *[encoder.tokenizer.convert_tokens_to_ids("good")] * 20, 3]
    assert values(encoder.randomised(0)).shape[0] == len(TEXTS)
    assert traces(model, tokenizer) == before


@pytest.mark.parametrize("kind", [transformers.AutoModel, transformers.AutoModelForMaskedLM])
def test_the_weights_are_not_held_twice_and_tied_ones_stay_tied(tiny_folder, kind):
    model, tokenizer = loaded(tiny_folder(), kind)
    copied = encoder_of(model, tokenizer).checkpoint.model
    assert {name: tensor.data_ptr() for name, tensor in copied.state_dict().items()} == {
        name: tensor.data_ptr() for name, tensor in model.state_dict().items()
    }
    assert len(list(copied.parameters())) == len(list(model.parameters()))
    assert not any(parameter.requires_grad for parameter in copied.parameters())
    assert not {id(module) for module in copied.modules()} & {id(module) for module in model.modules()}


def test_hooks_and_replaced_forwards_are_neither_run_nor_counted(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    expected = values(encoder_of(model, tokenizer))
    asked = []

    def spy(*arguments):
        asked.append(arguments)
        raise AssertionError("the given model's own")

    for module in model.modules():
        module.register_forward_hook(spy)
        module.register_forward_pre_hook(spy)
    model.encoder.forward = spy
    encoder = encoder_of(model, tokenizer, name="mine")
    np.testing.assert_array_equal(values(encoder), expected)
    assert not asked and model.encoder.forward is spy
    told = "Hooks on mine and replaced forward methods of its modules are not read: only its weights are."
    assert encoder.checkpoint.remarks[-1] == told


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_model_that_has_been_asked_for_hidden_states_before_is_read_alike(tiny_folder, architecture):
    model, tokenizer = loaded(tiny_folder(architecture))
    model.eval()(input_ids=torch.tensor([[2, 7, 3]]), output_hidden_states=True)
    encoder = encoder_of(model, tokenizer)
    np.testing.assert_array_equal(values(encoder), values(load_encoder(str(tiny_folder(architecture)))))
    assert len(encoder.checkpoint.remarks) == 1  # no hook of the user's


def test_a_model_that_returns_tuples_is_read_alike(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    model.config.return_dict = False
    np.testing.assert_array_equal(values(encoder_of(model, tokenizer)), values(load_encoder(str(tiny_folder()))))
    assert model.config.return_dict is False


def test_a_model_that_was_made_in_inference_mode_is_read_alike_and_can_be_explained(tiny_folder):
    with torch.inference_mode():
        model, tokenizer = loaded(tiny_folder())
    encoder = encoder_of(model, tokenizer)
    np.testing.assert_array_equal(values(encoder), values(load_encoder(str(tiny_folder()))))
    study = probe_layers(encoder, split_texts(*sentences()))
    assert np.abs(explained(study)).max() > 0
    with torch.inference_mode():
        model.get_input_embeddings().weight.add_(1)
    with pytest.raises(EncoderError, match=CHANGED):
        _ = encoder.fingerprint


# ---- frozen means frozen


def _fused_step(model):
    step(model, torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True))


def _foreach_step(model):
    step(model, torch.optim.SGD(model.parameters(), lr=1e-3, foreach=True))


def _simple_step(model):
    step(model, torch.optim.AdamW(model.parameters(), lr=1e-5, foreach=False))


def _load(model):
    model.load_state_dict({name: tensor + 1 for name, tensor in model.state_dict().items()})


def _write_one(model):
    # One of the unknown token, which none of the compared samples holds.
    with torch.no_grad():
        model.get_input_embeddings().weight[1, 1] += 1


def _write_data(model):
    for parameter in model.parameters():
        parameter.data.mul_(1.5)


def _write_numpy(model):
    for parameter in model.parameters():
        parameter.detach().numpy()[...] += 1


def _train_the_head_alone(model):
    # Adam would move the logits of both classes alike where they have one sign, and their probabilities not at all.
    step(model, torch.optim.SGD(model.classifier.parameters(), lr=1e-2))


@pytest.mark.parametrize(
    "change",
    [_fused_step, _foreach_step, _simple_step, _load, _write_one, _write_data, _write_numpy, _train_the_head_alone],
)
def test_weights_that_were_changed_are_never_read(tiny_folder, tmp_path, change):
    model, tokenizer = loaded(tiny_folder(n_classes=2), transformers.AutoModelForSequenceClassification)
    encoder = encoder_of(model, tokenizer, name="mine")
    splits, cache = split_texts(*sentences()), Cache(tmp_path)
    study = probe_layers(encoder, splits, cache=cache)
    texts = encoder.encode(TEXTS)
    before, fingerprint = extract_activations(encoder, TEXTS), encoder.fingerprint
    change(model)
    for ask in (
        lambda: encoder.fingerprint,
        lambda: encoder.model,
        lambda: encoder.forward(texts[:1]),
        lambda: extract_activations(encoder, TEXTS),
        # Whatever is in the cache.
        lambda: probe_layers(encoder, splits, cache=cache),
        lambda: explained(study),
        lambda: encoder.named("another").fingerprint,
    ):
        with pytest.raises(EncoderError) as raised:
            ask()
        assert str(raised.value) == f"The weights of 'mine' {CHANGED}."
    # What is finished stays what it was, and so do weights that are nobody else's.
    assert study.settings().model.sha256 == encoder.hashes
    assert values(encoder.randomised(0)).shape == before.values.shape
    again = encoder_of(model, tokenizer, name="mine")
    assert again.fingerprint != fingerprint
    after = extract_activations(again, TEXTS)
    differ = [np.abs(before.values - after.values).max()]
    differ += [
        np.abs(one.head_probabilities - two.head_probabilities).max()
        for one, two in zip(before.blocks, after.blocks, strict=True)
    ]
    assert max(differ) > 0


@pytest.mark.parametrize("gradients", [False, True])
def test_weights_that_change_within_a_pass_are_noticed_after_it(tiny_folder, gradients):
    model, tokenizer = loaded(tiny_folder())
    encoder = encoder_of(model, tokenizer)
    study = probe_layers(encoder, split_texts(*sentences()))
    fingerprint = encoder.fingerprint

    def train(*_):
        with torch.no_grad():
            model.encoder.layer[2].output.dense.weight.add_(0.01)

    handle = encoder.model.encoder.layer[0].register_forward_hook(train)
    with pytest.raises(EncoderError, match=CHANGED):
        if gradients:
            explained(study)
        else:
            extract_activations(encoder, TEXTS)
    handle.remove()
    assert encoder_of(model, tokenizer).fingerprint != fingerprint


def test_weights_that_were_changed_before_they_were_hashed_are_not_hashed(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    encoder = encoder_of(model, tokenizer)
    _write_one(model)
    with pytest.raises(EncoderError, match=CHANGED):
        _ = encoder.hashes


@pytest.mark.parametrize("move", [lambda model: model.half(), lambda model: model.to(torch.float64)])
def test_weights_that_were_put_elsewhere_are_read_as_they_were(tiny_folder, move):
    model, tokenizer = loaded(tiny_folder())
    encoder = encoder_of(model, tokenizer)
    before = values(encoder)
    move(model)
    np.testing.assert_array_equal(values(encoder), before)


def test_what_changes_no_weight_is_no_change(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    encoder = encoder_of(model, tokenizer)
    before, fingerprint = values(encoder), encoder.fingerprint
    model.eval()(input_ids=torch.tensor([[2, 7, 3]]))
    model.train().requires_grad_(False)
    model.zero_grad()
    model.config.hidden_size = 7
    tokenizer.add_tokens(["blockbuster"])
    tokenizer.pad_token = "[MASK]"
    np.testing.assert_array_equal(values(encoder), before)
    assert encoder.fingerprint == fingerprint


def test_weights_with_nan_are_not_taken_for_changed(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    with torch.no_grad():
        model.encoder.layer[1].output.dense.bias.fill_(float("nan"))
    encoder = encoder_of(model, tokenizer)
    assert encoder.fingerprint == encoder_of(model, tokenizer).fingerprint
    assert np.isnan(values(encoder)[0, -1]).all()


def test_the_same_content_has_the_same_fingerprint_in_any_process(tiny_folder):
    folder = tiny_folder("roberta", n_classes=3)
    model, tokenizer = loaded(folder, transformers.AutoModelForSequenceClassification)
    ours = encoder_of(model, tokenizer, name="one").fingerprint
    tokenizer.backend_tokenizer.enable_padding(length=20)
    assert encoder_of(copy.deepcopy(model).eval(), tokenizer, name="another").fingerprint == ours
    assert encoder_of(model, tokenizer, max_length=20).fingerprint != ours
    code = (
        "import sys, transformers, lit_probe\n"
        "model = transformers.AutoModelForSequenceClassification.from_pretrained(sys.argv[1])\n"
        "tokenizer = transformers.AutoTokenizer.from_pretrained(sys.argv[1])\n"
        "print(lit_probe.encoder_of(model, tokenizer).fingerprint)\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(folder)], capture_output=True, text=True, check=True)
    assert done.stdout.split()[-1] == ours


def test_every_part_has_a_part_in_the_fingerprint(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    first = encoder_of(model, tokenizer).hashes
    buffer = copy.deepcopy(model)
    buffer.embeddings.register_buffer("extra", torch.zeros(3))
    config = copy.deepcopy(model)
    config.config.hidden_act = "relu"
    words = copy.deepcopy(tokenizer)
    words.add_tokens(["zzz"])
    wider = copy.deepcopy(model)
    wider.resize_token_embeddings(len(words))
    for other, differs in (
        (encoder_of(buffer, tokenizer), {"weights"}),
        (encoder_of(config, tokenizer), {"config"}),
        (encoder_of(wider, tokenizer), {"weights", "config"}),
        (encoder_of(wider, words), {"weights", "config", "tokenizer"}),
    ):
        assert {name for name, value in other.hashes.items() if value != first[name]} == differs
    assert encoder_of(model, tokenizer).checkpoint.hash_seconds > 0


# ---- names and limits


def test_it_is_called_after_what_it_was_loaded_from_or_its_class_unless_it_is_named(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    assert encoder_of(model, tokenizer).name == "tiny-bert-in-memory"
    assert encoder_of(transformers.BertModel(model.config.__class__(**model.config.to_dict())), tokenizer).name.endswith(
        "-in-memory"
    )
    torch.manual_seed(0)
    fresh = transformers.BertModel(transformers.BertConfig(**tiny_encoders.SIZES, vocab_size=len(tokenizer)))
    assert encoder_of(fresh, tokenizer).name == "BertModel-in-memory"
    named = encoder_of(model, tokenizer, name="epoch 3: größer, <b>")
    assert named.name == "epoch-3-gr-er-b-" and named.checkpoint.model_id == "epoch 3: größer, <b>"
    for name in ("", " ", 3):
        with pytest.raises(EncoderError, match="is no name for the model"):
            encoder_of(model, tokenizer, name=name)


@pytest.mark.parametrize("architecture", ["bert", "roberta"])
def test_its_length_is_limited_as_from_a_folder(tiny_folder, architecture):
    model, tokenizer = loaded(tiny_folder(architecture))
    limit = load_encoder(str(tiny_folder(architecture))).max_length
    assert encoder_of(model, tokenizer).max_length == limit == MAX_POSITIONS - (1 if architecture == "roberta" else 0)
    with pytest.raises(EncoderError, match=f"reads at most {limit} tokens"):
        encoder_of(model, tokenizer, max_length=limit + 1)
    tokenizer.model_max_length = 12
    assert encoder_of(model, tokenizer).max_length == 12
    short = encoder_of(model, tokenizer, max_length=5, keep="tail")
    assert [len(text.ids) for text in short.encode(["a b c d e f"])] == [5]
    with pytest.raises(UnknownNameError, match="way to keep"):
        encoder_of(model, tokenizer, keep="middle")


# ---- what cannot be read


class _Wrapped(torch.nn.Module):
    def __init__(self, module):
        super().__init__()
        self.module = module


def _no_sizes(model, tokenizer):
    model.config.to_dict = lambda: {"model_type": "bert"}
    return model, tokenizer


def _pipeline(model, tokenizer):
    return transformers.pipeline("feature-extraction", model=model, tokenizer=tokenizer, device="cpu"), tokenizer


def _sentence_transformer(model, tokenizer):
    from sentence_transformers import SentenceTransformer

    return SentenceTransformer(model.config.name_or_path, device="cpu"), tokenizer


def _quantised(model, tokenizer):
    parameter = torch.nn.Parameter(torch.ones(4, dtype=torch.int8), requires_grad=False)
    model.encoder.layer[0].output.dense.weight = parameter
    return model, tokenizer


def _dynamically_quantised(model, tokenizer):
    return torch.ao.quantization.quantize_dynamic(model.eval(), {torch.nn.Linear}, torch.qint8), tokenizer


def _half_on_meta(model, tokenizer):
    model.encoder.to("meta")
    return model, tokenizer


def _not_to_be_copied(model, tokenizer):
    model.trainer = iter([1])
    model.lock = __import__("threading").Lock()
    return model, tokenizer


class _Odd(transformers.BertModel):
    """A body of one's own that gives no hidden states."""

    def forward(self, input_ids, attention_mask, output_hidden_states):
        return super().forward(input_ids, attention_mask=attention_mask).last_hidden_state


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (lambda m, t: (t, m), "The model and the tokenizer are swapped. Give the model first"),
        (lambda m, t: (m, None), "The model needs its tokenizer. Give both"),
        (lambda m, t: (m, "bert-base"), "'bert-base' is no tokenizer. Give AutoTokenizer.from_pretrained('bert-base')"),
        (lambda m, t: (m, type(t)), "is a class. Give a tokenizer of it"),
        (lambda m, t: (m, m), "A BertModel is no transformers tokenizer"),
        (lambda m, t: (m, t.backend_tokenizer), "has to be wrapped for transformers. Give PreTrainedTokenizerFast"),
        (lambda m, t: (m, transformers.CanineTokenizer()), "a CanineTokenizer, has no fast form"),
        (lambda m, t: (type(m), t), "BertModel is a class. Give a model of it, as BertModel.from_pretrained"),
        (lambda m, t: ("bert-base", t), "'bert-base' is no model in memory. For a hub id or a folder there is load_encoder"),
        (lambda m, t: (None, t), "A NoneType is no transformers model. Give one"),
        (lambda m, t: (torch.nn.Linear(2, 2), t), "A Linear is no transformers model. Give one"),
        (lambda m, t: (_Wrapped(m), t), "but holds one. Give that: encoder_of(model.module, tokenizer)"),
        (lambda m, t: (torch.nn.DataParallel(m), t), "Give that: encoder_of(model.module, tokenizer)"),
        (lambda m, t: (torch.compile(m), t), "Give that: encoder_of(model._orig_mod, tokenizer)"),
        (_pipeline, "Give that: encoder_of(model.model, model.tokenizer)"),
        (_sentence_transformer, "Give that: encoder_of(model.transformers_model, model.tokenizer)"),
        (lambda m, t: (m.to("meta"), t), "'mine' has no weights (they are on torch's meta device)"),
        (_half_on_meta, "'mine' has no weights (they are on torch's meta device)"),
        (_quantised, "The weights of 'mine' are quantised or otherwise no plain numbers"),
        (_dynamically_quantised, "The weights of 'mine' are quantised or otherwise no plain numbers"),
        (_no_sizes, "The configuration of 'mine' has none of num_hidden_layers"),
        (_not_to_be_copied, "'mine' cannot be copied, and so not be frozen"),
        (lambda m, t: (_Odd(m.config), t), "'mine' cannot encode a first pair of texts"),
    ],
)
def test_what_cannot_be_read_gets_one_plain_sentence(tiny_folder, given, said):
    with pytest.raises(EncoderError) as raised:
        encoder_of(*given(*loaded(tiny_folder())), name="mine")
    assert said in str(raised.value)
    assert "\n" not in str(raised.value)


def test_a_tokenizer_with_more_ids_than_the_embedding_is_refused(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    tokenizer.add_tokens(["blockbuster"])
    with pytest.raises(EncoderError, match=r"do not belong together\. Give the tokenizer that the model was trained with"):
        encoder_of(model, tokenizer)


_HALVES = {"d_model": 8, "encoder_layers": 1, "decoder_layers": 1, "vocab_size": 200}
_HALVES |= {"encoder_attention_heads": 2, "decoder_attention_heads": 2}


@pytest.mark.parametrize(
    ("config", "kind", "said"),
    [
        (
            transformers.BartConfig(**_HALVES, is_decoder=True),
            transformers.BartForCausalLM,
            "is the decoder half of an encoder–decoder (bart)",
        ),
        (
            transformers.MarianConfig(**_HALVES, pad_token_id=0),
            transformers.MarianModel,
            "is an encoder–decoder (marian). Of these the encoder stack is read for bart,",
        ),
    ],
)
def test_halves_that_are_not_read_are_refused_as_from_folders(tiny_folder, tmp_path, config, kind, said):
    _, tokenizer = loaded(tiny_folder())
    model = kind(config)
    with pytest.raises(EncoderError) as raised:
        encoder_of(model, tokenizer, name="mine")
    assert said in str(raised.value)
    with pytest.raises(EncoderError) as of_folder:
        saved(model, tokenizer, tmp_path / "half")
    assert str(raised.value) == str(of_folder.value).replace(str(tmp_path / "half"), "mine")


def test_it_can_be_asked_from_the_encoder_thread_too(tiny_folder):
    model, tokenizer = loaded(tiny_folder())
    there = on_encoder_thread(lambda: encoder_of(model, tokenizer).fingerprint)
    assert there == encoder_of(model, tokenizer).fingerprint
