"""Activations in files: written for other programs, with what they are of; read from safetensors, NumPy and HDF5 files."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save

from lit_probe.encoder.template import escaped
from lit_probe.encoder.vector_encoder import as_array
from lit_probe.errors import EncoderError

_FORMAT = "lit_probe activations 1"
_ENDINGS = (".safetensors", ".npy", ".npz", ".h5", ".hdf5")


@dataclass(frozen=True)
class StoredActivations:
    """The arrays of a file.

    Attributes:
      layers: ``[n_examples, d_model]`` of each layer by its name, in the order of the layers.
      rows: ``[n_examples]`` each: ``text`` (of pairs two texts), ``label``, ``split``, and ``group`` where there are groups; None
        where the file has no manifest.
      about: what else the manifest says; empty without one.
    """

    layers: Mapping[str, NDArray[Any]]
    rows: Mapping[str, Sequence[Any]] | None
    about: Mapping[str, Any]

    @property
    def origin(self) -> str | None:
        """How ``lit-probe extract`` made the vectors, in a sentence; None where the manifest does not say it."""
        weights = dict(self.about.get("sha256_of") or {}).get("weights")
        if weights is None or "pooling" not in self.about:
            return None
        kept = f"at most {self.about.get('max_length')} tokens of a text (kept: {self.about.get('keep')})"
        around = self.about.get("chat", self.about.get("template"))
        within = "" if around is None else f", every text within the template {escaped(str(around))}"
        computed = f"computed in {self.about['computed_in']}, " if "computed_in" in self.about else ""
        rounded = f"rounded to {self.about['cache_dtype']}, " if "cache_dtype" in self.about else ""
        return (
            f"lit-probe extract made these vectors: {self.about['pooling']} pooling, {kept}{within}, {computed}{rounded}written "
            f"in {self.about.get('dtype')}; the sha256 of the weights begins with {str(weights)[:12]}."
        )


def save_activations(
    path: Path,
    layers: Mapping[str, NDArray[np.float32]],
    rows: Mapping[str, Sequence[Any]],
    about: Mapping[str, Any],
    *,
    half: bool = False,
) -> list[Path]:
    """Writes a safetensors file with a tensor for each layer, and its manifest beside it, which holds the rows.

    Args:
      path: of the safetensors file; the manifest has the ending ``.json``.
      layers: as of `StoredActivations`.
      rows: as of `StoredActivations`.
      about: JSON-ready; what the activations are of.
      half: whether numbers are written in float16, half the size and three digits.

    Returns:
      The two files.

    Raises:
      EncoderError: a number is too large for float16.
    """
    with np.errstate(over="ignore"):  # told below
        written = {
            name: np.ascontiguousarray(values, dtype=np.float16 if half else np.float32) for name, values in layers.items()
        }
    if large := [name for name, values in written.items() if not np.isfinite(values).all()]:
        raise EncoderError(f"Layer {large[0]!r} holds numbers that float16 cannot hold. Write float32.")
    content = save(written)
    manifest = {
        "format": _FORMAT,
        "sha256": hashlib.sha256(content).hexdigest(),
        "dtype": "float16" if half else "float32",
        "layers": list(layers),
        **about,
        "rows": {name: list(values) for name, values in rows.items()},
    }
    path.write_bytes(content)
    _manifest_of(path).write_text(json.dumps(manifest, indent=1, ensure_ascii=False), "utf-8")
    return [path, _manifest_of(path)]


def read_activations(path: Path) -> StoredActivations:
    """The arrays of a file, with its rows where a manifest of ours stands beside it.

    A safetensors, ``.npz`` or HDF5 file has an array ``[n_examples, d_model]`` for each layer; layers stand as its manifest says,
    else by the numbers in their names. A ``.npy`` file, or one array alone, may be ``[n_examples, n_layers, d_model]``.

    Raises:
      EncoderError: the file cannot be read, holds no arrays of these shapes, or is not the one that the manifest was written for.
    """
    if not path.is_file():
        raise EncoderError(f"There is no file {str(path)!r} with activations.")
    if path.suffix not in _ENDINGS:
        raise EncoderError(f"{str(path)!r} is no file of activations that is read: give one that ends in {', '.join(_ENDINGS)}.")
    try:
        arrays = _read(path)
    except (OSError, ValueError, KeyError, TypeError, SyntaxError, SafetensorError, EOFError, BadZipFile, TokenError) as error:
        raise EncoderError(f"The activations in {str(path)!r} cannot be read: {error}") from error
    if not arrays:
        raise EncoderError(f"The file {str(path)!r} holds no array.")
    manifest = _manifest(path)
    order = manifest.get("layers") or sorted(arrays, key=_by_number)
    if set(order) != set(arrays):
        raise EncoderError(f"The manifest of {str(path)!r} names other layers than the file holds.")
    rows = manifest.pop("rows", None)
    if rows is not None and manifest.get("pair"):
        rows["text"] = [tuple(texts) for texts in rows["text"]]
    return StoredActivations(_split_up({name: arrays[name] for name in order}), rows, manifest)


def _read(path: Path) -> dict[str, NDArray[Any]]:
    match path.suffix:
        case ".safetensors":
            # As tensors, since NumPy has no bfloat16.
            with safe_open(path, "pt") as file:
                return {name: as_array(file.get_tensor(name)) for name in list(file.keys())}
        case ".npy" | ".npz":
            loaded = np.load(path, mmap_mode="r", allow_pickle=False)
            return {"layer": loaded} if isinstance(loaded, np.ndarray) else dict(loaded)
    try:
        import h5py
    except ImportError:
        raise EncoderError(f"Reading {str(path)!r} needs h5py. Install it with: pip install h5py") from None
    with h5py.File(path) as file:
        found: dict[str, NDArray[Any]] = {}
        file.visititems(lambda name, item: found.update({name: item[()]}) if isinstance(item, h5py.Dataset) else None)
        return found


def _split_up(arrays: Mapping[str, NDArray[Any]]) -> Mapping[str, NDArray[Any]]:
    """One array alone may hold all layers."""
    if len(arrays) == 1:
        [(name, array)] = arrays.items()
        if array.ndim == 3:
            return {f"{name} {layer}": array[:, layer] for layer in range(array.shape[1])}
    return arrays


def _manifest_of(path: Path) -> Path:
    return path.with_suffix(".json")


def _manifest(path: Path) -> dict[str, Any]:
    """What stands beside the file; empty where nothing of ours does."""
    try:
        manifest = json.loads(_manifest_of(path).read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        return {}
    with path.open("rb") as file:
        if hashlib.file_digest(file, "sha256").hexdigest() != manifest.get("sha256"):
            raise EncoderError(f"{str(path)!r} is not the file that its manifest was written for: their sha256 differ.")
    return manifest


def _by_number(name: str) -> tuple[tuple[bool, int, str], ...]:
    """``layer 2`` before ``layer 10``."""
    return tuple((part.isdecimal(), int(part) if part.isdecimal() else 0, part) for part in re.split(r"(\d+)", name))
