"""Activations in files: what is written is read back, other programs' files are read, torn and foreign ones are refused."""

from __future__ import annotations

import json

import h5py
import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from safetensors.torch import save_file as save_of_torch

from lit_probe.encoder.activation_files import read_activations, save_activations
from lit_probe.errors import EncoderError

RNG = np.random.default_rng(0)
LAYERS = {f"block {i}": RNG.normal(size=(6, 4)).astype(np.float32) for i in (1, 2, 10)}
ROWS = {"text": ["a", "é", "🙂", "", "x\ny", '"'], "label": list("010101"), "split": ["train"] * 4 + ["dev", "test"]}


@pytest.mark.parametrize(("half", "tolerance"), [(False, 0), (True, 1e-3)])
def test_what_is_written_is_read_back_in_the_order_of_the_layers(tmp_path, half, tolerance):
    layers = {"late": LAYERS["block 2"], "early": LAYERS["block 1"]}
    written = save_activations(tmp_path / "a.safetensors", layers, ROWS, {"name": "mine"}, half=half)
    assert [path.name for path in written] == ["a.safetensors", "a.json"]
    stored = read_activations(written[0])
    assert list(stored.layers) == ["late", "early"] and stored.rows == ROWS and stored.about["name"] == "mine"
    for name, values in layers.items():
        assert np.abs(stored.layers[name].astype(np.float64) - values).max() <= tolerance
    assert load_file(written[0])["late"].dtype == (np.float16 if half else np.float32)


def test_files_of_other_programs_are_read_layers_by_the_numbers_in_their_names(tmp_path):
    save_file(LAYERS, tmp_path / "a.safetensors")
    np.savez(tmp_path / "a.npz", **LAYERS)
    for name in ("a.safetensors", "a.npz"):
        stored = read_activations(tmp_path / name)
        assert list(stored.layers) == ["block 1", "block 2", "block 10"] and stored.rows is None
    np.save(tmp_path / "a.npy", np.stack(list(LAYERS.values()), axis=1))
    stored = read_activations(tmp_path / "a.npy")
    assert list(stored.layers) == ["layer 0", "layer 1", "layer 2"]
    assert np.array_equal(stored.layers["layer 2"], LAYERS["block 10"])
    np.save(tmp_path / "one.npy", LAYERS["block 1"])
    assert list(read_activations(tmp_path / "one.npy").layers) == ["layer"]


@pytest.mark.parametrize("group", ["", "/sub-01/responses"])
def test_hdf5_files_are_read_with_arrays_in_groups(tmp_path, group):
    with h5py.File(tmp_path / "a.h5", "w") as file:
        for name, values in LAYERS.items():
            file.create_dataset(f"{group}/{name}", data=values, compression="gzip")
    stored = read_activations(tmp_path / "a.h5")
    names = [f"{group}/{name}".lstrip("/") for name in ("block 1", "block 2", "block 10")]
    assert list(stored.layers) == names and stored.rows is None
    assert all(np.array_equal(stored.layers[name], LAYERS[name.split("/")[-1]]) for name in names)
    with h5py.File(tmp_path / "b.hdf5", "w") as file:
        file["responses"] = np.stack(list(LAYERS.values()), axis=1).astype(np.float16)
    assert list(read_activations(tmp_path / "b.hdf5").layers) == ["responses 0", "responses 1", "responses 2"]


def test_a_torn_hdf5_file_is_told_in_a_sentence(tmp_path):
    (tmp_path / "a.h5").write_bytes(b"no such file")
    with pytest.raises(EncoderError, match="cannot be read"):
        read_activations(tmp_path / "a.h5")


def test_a_file_without_an_array_is_told_in_a_sentence(tmp_path):
    save_file({}, tmp_path / "a.safetensors")
    np.savez(tmp_path / "a.npz")
    with h5py.File(tmp_path / "a.h5", "w") as file:
        file.create_group("nothing")
    for name in ("a.safetensors", "a.npz", "a.h5"):
        with pytest.raises(EncoderError, match=rf"{name}' holds no array"):
            read_activations(tmp_path / name)


def test_a_file_that_is_not_its_manifests_is_refused(tmp_path):
    path, manifest = save_activations(tmp_path / "a.safetensors", LAYERS, ROWS, {})
    save_file({**LAYERS, "block 1": LAYERS["block 1"] + 1}, path)
    with pytest.raises(EncoderError, match="not the file that its manifest was written for"):
        read_activations(path)
    # Another program's file of that name is no manifest of ours.
    manifest.write_text(json.dumps({"format": "theirs"}))
    assert read_activations(path).rows is None


@pytest.mark.parametrize(
    ("name", "content", "sentence"),
    [
        ("none.safetensors", None, "There is no file"),
        ("a.txt", b"1 2 3", "no file of activations that is read"),
        ("torn.safetensors", b"\x10\x00\x00\x00\x00\x00\x00\x00{}", "cannot be read"),
        ("torn.npy", b"\x93NUMPY", "cannot be read"),
        ("empty.npz", b"", "cannot be read"),
        ("torn.npz", b"PK\x03\x04torn", "cannot be read"),
        ("odd.npy", b"\x93NUMPY\x01\x00\x06\x00{'a': \n", "cannot be read"),
    ],
)
def test_what_cannot_be_read_is_told_in_a_sentence(tmp_path, name, content, sentence):
    if content is not None:
        (tmp_path / name).write_bytes(content)
    with pytest.raises(EncoderError, match=sentence):
        read_activations(tmp_path / name)


def test_bfloat16_and_files_with_another_ending_are_read(tmp_path):
    save_of_torch({name: torch.tensor(values).to(torch.bfloat16) for name, values in LAYERS.items()}, tmp_path / "a.safetensors")
    assert np.allclose(read_activations(tmp_path / "a.safetensors").layers["block 2"], LAYERS["block 2"], rtol=0.01)
    np.savez(tmp_path / "a.npz", **LAYERS)
    (tmp_path / "a.npz").rename(tmp_path / "b.npy")
    assert list(read_activations(tmp_path / "b.npy").layers) == list(LAYERS)
    np.save(tmp_path / "c.npy", LAYERS["block 1"])
    (tmp_path / "c.npy").rename(tmp_path / "c.npz")
    assert list(read_activations(tmp_path / "c.npz").layers) == ["layer"]


def test_pickles_are_not_opened(tmp_path):
    np.save(tmp_path / "a.npy", np.array([{"a": 1}], dtype=object), allow_pickle=True)
    with pytest.raises(EncoderError, match="cannot be read"):
        read_activations(tmp_path / "a.npy")


def test_numbers_too_large_for_half_precision_are_refused(tmp_path):
    with pytest.raises(EncoderError, match="float16 cannot hold"):
        save_activations(tmp_path / "a.safetensors", {"a": np.full((2, 2), 1e6, dtype=np.float32)}, ROWS, {}, half=True)
