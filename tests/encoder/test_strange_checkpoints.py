"""Checkpoints that other tools and years left behind: each is read rightly, or refused with what is wrong and what to do."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch
from tiny_encoders import ARCHITECTURES, MAX_POSITIONS
from transformers import AutoConfig, AutoModel

from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.checkpoint import find_checkpoint
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.loading import position_limit
from lit_probe.errors import EncoderError

LONG = "a good film and a bad film " * MAX_POSITIONS


@pytest.fixture
def copy(tiny_folder, tmp_path):
    """``copy(architecture, **options)``: the folder of a tiny encoder that a test may change."""

    def copied(architecture="bert", **options):
        return shutil.copytree(tiny_folder(architecture, **options), tmp_path / architecture)

    return copied


def edit(file, **changes):
    file.write_text(json.dumps({**json.loads(file.read_text()), **changes}))


# What config.json says of a head with three outputs, and what its classes are called then.
HEADS = {
    "transformers 2.8 and before": (
        {"num_labels": 3, "id2label": {"0": "LABEL_0", "1": "LABEL_1"}},
        ("LABEL_0", "LABEL_1", "LABEL_2"),
    ),
    "two of three names": ({"id2label": {"0": "no", "1": "yes"}, "label2id": {"no": 0, "yes": 1}}, ("no", "yes", "LABEL_2")),
    "one name": ({"id2label": {"1": "yes"}, "label2id": {"yes": 1}}, ("LABEL_0", "yes", "LABEL_2")),
    "too many names": ({"id2label": {str(i): name for i, name in enumerate("abcd")}, "label2id": None}, ("a", "b", "c")),
    "no names": ({"id2label": None, "label2id": None}, ("LABEL_0", "LABEL_1", "LABEL_2")),
}


@pytest.mark.parametrize("said", HEADS)
@pytest.mark.parametrize("architecture", ["bert", "distilbert", "roberta", "electra", "deberta-v2", "modernbert"])
def test_a_head_has_as_many_classes_as_outputs_whatever_config_json_says(copy, architecture, said):
    folder = copy(architecture, n_classes=3)
    changes, names = HEADS[said]
    edit(folder / "config.json", **changes)
    encoder = load_encoder(str(folder))
    assert encoder.head_label_names == names
    probabilities = extract_activations(encoder, ["a good film"], "mean").head_probabilities
    assert probabilities.shape == (1, 3)
    assert "has 3 outputs" in " ".join(encoder.checkpoint.remarks)


def test_a_head_whose_names_fit_needs_no_remark(copy):
    assert find_checkpoint(str(copy(n_classes=3))).remarks == ()


def test_names_that_count_from_one_are_taken_in_their_order(copy):
    folder = copy(n_classes=3)
    edit(folder / "config.json", id2label={"1": "neg", "2": "neu", "3": "pos"}, label2id=None)
    found = find_checkpoint(str(folder))
    assert found.head_label_names == ("neg", "neu", "pos") and found.remarks == ()


@pytest.mark.parametrize("said", [{"num_labels": 3}, {"num_labels": 2}, {}])
def test_a_head_in_a_torch_file_has_as_many_classes_as_outputs_too(copy, said):
    from safetensors.torch import load_file

    folder = copy(n_classes=3)
    torch.save(load_file(folder / "model.safetensors"), folder / "pytorch_model.bin")
    (folder / "model.safetensors").unlink()
    edit(folder / "config.json", **said, id2label={"0": "no", "1": "yes"}, label2id=None)
    encoder = load_encoder(str(folder))
    assert encoder.head_label_names == ("no", "yes", "LABEL_2")
    assert extract_activations(encoder, ["a good film"], "mean").head_probabilities.shape == (1, 3)


def test_weights_of_another_shape_than_config_json_are_named_with_both_shapes(copy):
    folder = copy()
    edit(folder / "config.json", intermediate_size=56)
    with pytest.raises(EncoderError, match=r"do not fit its config\.json: .* has shape \[48.*and should have \[56") as error:
        _ = load_encoder(str(folder)).model
    assert "report" not in str(error.value)


def test_a_tokenizer_with_more_ids_than_the_embedding_has_rows_is_refused_with_both_numbers(copy):
    folder = copy()
    encoder = load_encoder(str(folder))
    n_rows = encoder.model.get_input_embeddings().weight.shape[0]
    tokenizer = encoder.tokenizer
    tokenizer.add_tokens(["unheardof", "neverseen"])
    tokenizer.save_pretrained(folder)
    with pytest.raises(EncoderError, match=rf"has {n_rows + 2} ids, but the embedding of the weights has {n_rows} rows"):
        load_encoder(str(folder)).forward(encoder.encode(["a film"]))


def test_what_fails_in_the_first_forward_pass_is_told_as_an_error_of_the_checkpoint(copy, monkeypatch):
    encoder = load_encoder(str(copy()))

    def broken(*args, **kwargs):
        raise IndexError("index out of range in self")

    monkeypatch.setattr("transformers.BertModel.forward", broken)
    with pytest.raises(EncoderError, match="cannot encode a first pair of texts: index out of range"):
        _ = encoder.model


@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_a_text_of_exactly_the_longest_length_is_encoded(tiny_folder, architecture):
    encoder = load_encoder(str(tiny_folder(architecture)))
    for n, truncated in ((encoder.max_length, False), (encoder.max_length + 1, True)):
        (text,) = encoder.encode([" ".join(["film"] * (n - 2))])
        assert (len(text.ids), text.truncated) == (encoder.max_length, truncated)
        assert encoder.forward([text]).layers[0].shape[1] == encoder.max_length
    with pytest.raises(EncoderError, match=f"reads at most {encoder.max_length} tokens"):
        load_encoder(str(tiny_folder(architecture)), max_length=encoder.max_length + 1)


@pytest.mark.parametrize("pad", [0, 1, 5, "left out"])
@pytest.mark.parametrize("architecture", ["roberta", "xlm-roberta", "camembert", "mpnet", "data2vec-text", "ibert"])
def test_positions_that_begin_after_the_padding_id_are_counted_from_there(copy, architecture, pad):
    folder = copy("roberta")
    config = json.loads((folder / "config.json").read_text()) | {"model_type": architecture, "architectures": None}
    config.pop("pad_token_id")
    if pad != "left out":
        config["pad_token_id"] = pad
    (folder / "config.json").write_text(json.dumps(config))
    made = AutoModel.from_config(AutoConfig.from_pretrained(folder)).eval()
    made.save_pretrained(folder)
    (folder / "config.json").write_text(json.dumps(config))
    encoder = load_encoder(str(folder))
    assert encoder.max_length == position_limit(made)
    hidden = encoder.forward(encoder.encode([LONG])).layers[-1]
    assert hidden.shape[1] == encoder.max_length and bool(hidden.isfinite().all())


def test_an_architecture_that_pads_to_whole_chunks_gives_the_vectors_of_the_text(copy, monkeypatch):
    encoder = load_encoder(str(copy()))
    batch = encoder.encode(["a good film", "a very dull story and a bad ending"])
    expected = encoder.forward(batch)
    unpadded = type(encoder.model).forward

    def padded_to_chunks(self, input_ids, attention_mask, **options):
        missing = -input_ids.shape[1] % 8
        ids, mask = (torch.nn.functional.pad(one, (0, missing)) for one in (input_ids, attention_mask))
        return unpadded(self, input_ids=ids, attention_mask=mask, **options)

    monkeypatch.setattr(type(encoder.model), "forward", padded_to_chunks)
    found = encoder.forward(batch)
    for one, other in zip(found.layers, expected.layers, strict=True):
        assert one.shape == other.shape
        # What the padding itself says is never pooled.
        assert torch.allclose(one[expected.attention_mask], other[expected.attention_mask], atol=1e-5)


@pytest.mark.parametrize("name", ["shorter", "narrower", "flat"])
def test_hidden_states_of_another_shape_are_refused_by_layer(copy, monkeypatch, name):
    change = {"shorter": lambda h: h[:, ::2], "narrower": lambda h: h[..., :5], "flat": lambda h: h[0]}[name]
    encoder = load_encoder(str(copy()))
    batch = encoder.encode(["a good film"])
    encoder.forward(batch)
    encoder._loaded.met_layers = None  # read at the end of a pass, as where modules do not give them
    usual = type(encoder.model).forward

    def changed(self, **inputs):
        states = usual(self, **inputs).hidden_states
        return SimpleNamespace(hidden_states=(*states[:2], change(states[2]), *states[3:]))

    monkeypatch.setattr(type(encoder.model), "forward", changed)
    with pytest.raises(EncoderError, match=r"Layer 2 of .* gives .* is expected: one vector per token"):
        encoder.forward(batch)


def test_a_config_that_makes_no_model_is_told_as_an_error_of_the_checkpoint(copy):
    folder = copy("roberta")
    edit(folder / "config.json", hidden_act="nonsense")
    with pytest.raises(EncoderError, match=r"makes no model: .*nonsense"):
        load_encoder(str(folder))


def test_an_adapter_beside_full_weights_is_mentioned(copy):
    folder = copy()
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA"}))
    (remark,) = find_checkpoint(str(folder)).remarks
    assert "adapter" in remark and "merge" in remark


def test_the_full_weights_beside_an_adapter_are_loaded_alone(copy, monkeypatch, tiny_encoder):
    folder = copy()
    # With peft installed transformers would put the adapter into the model by itself.
    (folder / "adapter_config.json").write_text(json.dumps({"peft_type": "LORA", "base_model_name_or_path": "another"}))
    (folder / "adapter_model.safetensors").write_bytes(b"")
    read, usual = [], AutoModel.from_pretrained

    def from_pretrained(path, **options):
        read.append({file.name for file in Path(path).iterdir()})
        return usual(path, **options)

    monkeypatch.setattr(AutoModel, "from_pretrained", from_pretrained)
    found = load_encoder(str(folder))
    ours, theirs = (extract_activations(one, ["a good film"], "mean").values for one in (found, tiny_encoder))
    assert (ours == theirs).all()
    names = read[0]
    assert "model.safetensors" in names and not any(name.startswith("adapter_") for name in names)


def test_an_adapter_alone_says_how_to_merge_it(tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "bert-base-uncased"}))
    (tmp_path / "adapter_model.safetensors").write_bytes(b"")
    with pytest.raises(EncoderError, match=r"adapter without the weights .* Merge it into bert-base-uncased .*merge_and_unload"):
        find_checkpoint(str(tmp_path))


def test_the_folder_that_modules_json_names_is_read(tiny_folder, tmp_path, tiny_encoder):
    shutil.copytree(tiny_folder(), tmp_path / "0_Transformer")
    parts = [("0_Transformer", "sentence_transformers.models.Transformer"), ("1_Pooling", "sentence_transformers.models.Pooling")]
    modules = [{"idx": i, "name": str(i), "path": path, "type": kind} for i, (path, kind) in enumerate(parts)]
    (tmp_path / "modules.json").write_text(json.dumps(modules))
    found = load_encoder(str(tmp_path))
    ours, theirs = (extract_activations(one, ["a good film"], "mean").values for one in (found, tiny_encoder))
    assert (ours == theirs).all()
    (tmp_path / "modules.json").write_text(json.dumps([{**modules[0], "path": "../.."}]))
    with pytest.raises(EncoderError, match=r"has no config\.json"):
        find_checkpoint(str(tmp_path))


@pytest.mark.parametrize("name", ["model.fp16.safetensors", "tf_model.h5", "flax_model.msgpack", "weights.bin"])
def test_weights_under_another_name_are_named(copy, name):
    folder = copy()
    (folder / "model.safetensors").rename(folder / name)
    with pytest.raises(EncoderError, match=f"holds no weights that are read: model.safetensors .* It holds {name}: rename"):
        find_checkpoint(str(folder))


@pytest.mark.parametrize("name", ["model.safetensors", "pytorch_model.bin"])
def test_torn_weights_are_told_by_their_file(copy, name):
    folder = copy(n_classes=3)
    content = (folder / "model.safetensors").read_bytes()
    (folder / "model.safetensors").unlink()
    (folder / name).write_bytes(content[:100])
    with pytest.raises(EncoderError, match=rf"{name}.* cannot be read"):
        find_checkpoint(str(folder))


def old_repository(tiny_folder, tmp_path):
    """What sentence-transformers wrote until 2020: the transformer in a folder of its own."""
    folder = tmp_path / "old"
    shutil.copytree(tiny_folder(), folder / "0_Transformer")
    parts = [("0_Transformer", "sentence_transformers.models.Transformer"), ("1_Pooling", "sentence_transformers.models.Pooling")]
    (folder / "modules.json").write_text(json.dumps([{"path": path, "type": kind} for path, kind in parts]))
    return folder


def test_an_old_repository_of_the_hub_is_read_through_its_modules_json(tiny_folder, tiny_encoder, tmp_path, in_hub_cache):
    commit = in_hub_cache("org/old-encoder", old_repository(tiny_folder, tmp_path))
    found = load_encoder("org/old-encoder")
    assert found.checkpoint.revision == commit and found.checkpoint.folder.name == "0_Transformer"
    ours, theirs = (extract_activations(one, ["a good film"], "mean").values for one in (found, tiny_encoder))
    assert (ours == theirs).all()


def test_an_adapter_of_the_hub_says_how_to_merge_it(tmp_path, in_hub_cache):
    folder = tmp_path / "adapter"
    folder.mkdir()
    (folder / "adapter_config.json").write_text(json.dumps({"base_model_name_or_path": "bert-base-uncased"}))
    in_hub_cache("org/adapter", folder)
    with pytest.raises(EncoderError, match="adapter without the weights"):
        find_checkpoint("org/adapter")
