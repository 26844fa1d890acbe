"""Named arrays on disk: a safetensors file and the JSON file that describes and vouches for it. No pickle."""

import hashlib
import json
import os
import secrets
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from safetensors.numpy import load as parse_tensors
from safetensors.numpy import save as tensor_bytes

from lit_probe.errors import CacheError


def write_arrays(path: str | os.PathLike[str], arrays: Mapping[str, NDArray[Any]], header: Mapping[str, Any]) -> None:
    """Writes ``<path>.safetensors``, then ``<path>.json`` with ``header`` and a checksum of both.

    Each file appears whole or not at all, and the JSON file comes last: whatever interrupts the writing, `read_arrays` either
    finds the two files of one call or refuses them.

    Args:
      path: where to write, without a suffix; missing folders are made.
      arrays: what to store.
      header: JSON-ready facts; must not hold the key ``sha256``.

    Raises:
      OSError: the folder or the files cannot be written.
    """
    tensors = tensor_bytes({name: np.ascontiguousarray(array) for name, array in arrays.items()})
    text = json.dumps({**header, "sha256": _checksum(tensors, header)}, indent=2, allow_nan=False, ensure_ascii=False)
    _file(path, ".safetensors").parent.mkdir(parents=True, exist_ok=True)
    write_whole(_file(path, ".safetensors"), tensors)
    write_whole(_file(path, ".json"), text.encode())


def read_arrays(path: str | os.PathLike[str], format_name: str) -> tuple[dict[str, NDArray[Any]], dict[str, Any]]:
    """The arrays and the header that `write_arrays` stored at ``path``.

    Args:
      path: the path as given to `write_arrays`.
      format_name: what the header's ``format`` must say.

    Raises:
      CacheError: a file is missing, torn, changed since it was written, or of another format.
    """
    try:
        tensors = _file(path, ".safetensors").read_bytes()
        text = _file(path, ".json").read_bytes()
    except OSError as error:
        raise CacheError(f"There is no readable probe at {os.fspath(path)}: {error.strerror or error}.") from error
    try:
        header = json.loads(text)
    except ValueError as error:
        raise CacheError(f"{_file(path, '.json')} is not JSON: {error}.") from error
    if not isinstance(header, dict) or header.get("format") != format_name:
        raise CacheError(f"{_file(path, '.json')} does not describe a {format_name}.")
    if header.pop("sha256", None) != _checksum(tensors, header):
        raise CacheError(f"The probe at {os.fspath(path)} is not what was saved there: the checksum of its two files differs.")
    return parse_tensors(tensors), header


def _checksum(tensors: bytes, header: Mapping[str, Any]) -> str:
    return hashlib.sha256(tensors + json.dumps(header, sort_keys=True, allow_nan=False).encode()).hexdigest()


def _file(path: str | os.PathLike[str], suffix: str) -> Path:
    # Not Path.with_suffix, which would cut "bert.v2" down to "bert".
    return Path(os.fspath(path) + suffix)


def write_whole(path: Path, content: bytes) -> None:
    """Writes a file that appears whole or not at all, in a folder that is there.

    Raises:
      OSError: it cannot be written.
    """
    # Not tempfile, whose files nobody else may read.
    temporary = path.with_name(f".{path.name[:100]}.{secrets.token_hex(8)}")
    try:
        with temporary.open("xb") as file:
            file.write(content)
        temporary.replace(path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise
