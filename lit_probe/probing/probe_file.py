"""Kept probes as one file: safetensors, with what they are in its header. No pickle; a file from anybody may be read.

The header's ``__metadata__`` has one entry, since safetensors writes several in no fixed order. It holds the format's number, the
facts (`ProbeFacts`) and a sha256 of facts and arrays, which notices damage, though no forgery.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NoReturn

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as tensor_bytes

from lit_probe.errors import CacheError, LitProbeError, ProbeError
from lit_probe.probing.kept_probe import KeptProbe, ProbeFacts, kept_probe
from lit_probe.probing.probes import FittedProbe
from lit_probe.probing.probes.storage import write_whole
from lit_probe.probing.study import LayerStudy

ENDING = ".safetensors"
MAX_BYTES = 2**30
_MAX_HEADER = 2**23
_ENTRY, _FORMAT = "lit_probe probes", 1
_MARKS = "train_texts"
_DTYPES = frozenset({"F64", "I64", "U64"})


def save_probes(study: LayerStudy, path: str | os.PathLike[str], layer: int | None = None) -> Path:
    """Writes the probes of a study into one file, whole or not at all. The same study gives the same bytes.

    Args:
      study: the study.
      path: the file; missing folders are made. Usually it ends in ``.safetensors``.
      layer: the one layer whose probe is kept; all of them when None.

    Returns:
      The file.

    Raises:
      UnknownNameError: there is no such layer.
      ProbeError: the file cannot be written.
    """
    file = Path(path).expanduser()
    content = probe_bytes(kept_probe(study, layer))
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        write_whole(file, content)
    except OSError as error:
        raise ProbeError(
            f"The probes cannot be written to {str(path)!r}: {error.strerror or error}. Name another file."
        ) from error
    return file


def load_probe(path: str | os.PathLike[str]) -> KeptProbe:
    """The probes that `save_probes` wrote: the same numbers to the last digit.

    Raises:
      ProbeError: there is no such file, or it is torn, changed, of a newer version or of something else.
    """
    title, file = repr(os.fspath(path)), Path(path).expanduser()
    try:
        if file.stat().st_size > MAX_BYTES:
            raise ProbeError(f"{title} is larger than the {MAX_BYTES:,} bytes that a file of probes may have.")
        content = file.read_bytes()
    except OSError as error:
        raise ProbeError(f"{title} cannot be read: {error.strerror or error}. Name a file that lit_probe has saved.") from error
    return read_probe(content, title)


def probe_bytes(kept: KeptProbe) -> bytes:
    """The content of the file."""
    arrays: dict[str, NDArray[Any]] = {_MARKS: kept.train_texts}
    for layer, probe in zip(kept.facts.layers, kept.probes, strict=True):
        arrays |= {f"{_layer_name(layer)}.{name}": np.ascontiguousarray(array) for name, array in probe.to_arrays().items()}
    # As it will be read: JSON has no tuples, and no keys but texts.
    facts = json.loads(json.dumps(kept.facts.to_json(), allow_nan=False))
    entry = {"format": _FORMAT, "facts": facts, "sha256": _checksum(facts, arrays)}
    return tensor_bytes(arrays, {_ENTRY: json.dumps(entry, sort_keys=True, allow_nan=False)})


def read_probe(content: bytes, title: str) -> KeptProbe:
    """The probes in the content of a file, which may come from anybody: nothing that it names is opened.

    Args:
      content: the bytes.
      title: what messages call it.

    Raises:
      ProbeError: it is empty, torn, changed, of a newer version or of something else.
    """
    header = _header(content, title)
    metadata = header.pop("__metadata__", None)
    if not isinstance(metadata, dict) or not isinstance(metadata.get(_ENTRY), str):
        raise ProbeError(f"{title} holds no probes that lit_probe has saved. Save some with --save_probes, or with save_probes.")
    entry = _object(metadata[_ENTRY], title)
    version, facts = entry.get("format"), entry.get("facts")
    if type(version) is int and version > _FORMAT:
        raise ProbeError(f"{title} was saved by a newer lit_probe, in format {version} of its probes. Update lit_probe.")
    tensors = [one for one in header.values() if isinstance(one, dict) and one.get("dtype") in _DTYPES]
    if version != _FORMAT or not isinstance(facts, dict) or len(tensors) != len(header):
        _refuse_damaged(title)
    try:
        arrays = parse_tensors(content)
        whole = entry.get("sha256") == _checksum(facts, arrays)
        kept = _kept(ProbeFacts.from_json(facts), arrays) if whole else None
    except (SafetensorError, ValueError, OverflowError, MemoryError):
        kept = None
    except (CacheError, KeyError, TypeError, AttributeError):
        raise ProbeError(f"{title} does not say all that a file of probes must say. Save the probes anew.") from None
    except LitProbeError as error:
        raise ProbeError(f"{title} holds probes that cannot be used. {error}") from None
    if kept is None:
        _refuse_damaged(title)
    return kept


def _kept(facts: ProbeFacts, arrays: Mapping[str, NDArray[Any]]) -> KeptProbe:
    rest, probes = dict(arrays), []
    marks = rest.pop(_MARKS)
    if marks.dtype != np.uint64 or marks.ndim != 1:
        raise ProbeError("The marks of its train texts are no list.")
    by_layer: dict[str, dict[str, NDArray[Any]]] = {}
    for full_name, array in rest.items():
        layer_name, _, name = full_name.partition(".")
        by_layer.setdefault(layer_name, {})[name] = array
    for layer, fit in zip(facts.layers, facts.fits, strict=True):
        own = by_layer.pop(_layer_name(layer), {})
        told = {"kind": str(fit["kind"]), "converged": bool(fit["converged"]), "settings": dict(fit["settings"])}
        probe = FittedProbe.from_parts(own, told)
        if set(probe.to_arrays()) != set(own):
            raise ProbeError(f"The probe of layer {layer} has arrays that no probe has.")
        probes.append(probe)
    if by_layer:
        raise ProbeError(f"It holds arrays of no layer: {', '.join(sorted(by_layer))[:80]}.")
    return KeptProbe(facts, tuple(probes), marks)


def _header(content: bytes, title: str) -> dict[str, Any]:
    """The header of a safetensors file: 8 bytes with its length, then JSON."""
    if not content:
        raise ProbeError(f"{title} is empty. Save the probes anew.")
    length = int.from_bytes(content[:8], "little")
    if len(content) < 8 or length > min(_MAX_HEADER, len(content) - 8):
        raise ProbeError(f"{title} is no safetensors file, or not all of it. Give the whole file that lit_probe has saved.")
    return _object(content[8 : 8 + length], title)


def _object(text: str | bytes, title: str) -> dict[str, Any]:
    """A JSON object without the constants that JSON does not have."""
    try:
        found = json.loads(text, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, dict):
        _refuse_damaged(title)
    return found


def _no_constant(constant: str) -> NoReturn:
    raise ValueError(constant)


def _refuse_damaged(title: str) -> NoReturn:
    raise ProbeError(f"{title} is not as lit_probe has saved it: some of it is missing or was changed. Copy or save it anew.")


def _layer_name(layer: int) -> str:
    return f"layer_{layer:03d}"


def _checksum(facts: Mapping[str, Any], arrays: Mapping[str, NDArray[Any]]) -> str:
    digest = hashlib.sha256(json.dumps(facts, sort_keys=True, allow_nan=False).encode())
    for name, array in sorted(arrays.items()):
        digest.update(json.dumps([name, array.dtype.str, array.shape]).encode())
        digest.update(array.tobytes())
    return digest.hexdigest()
