"""The tokenizer and model of a checkpoint or of a program's memory. The only file that imports transformers."""

from __future__ import annotations

import copy
import hashlib
import importlib.util
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from absl import logging as absl_logging

from lit_probe.encoder.checkpoint import Checkpoint
from lit_probe.encoder.decoder_heads import read_by_mask
from lit_probe.encoder.dtypes import FLOAT32
from lit_probe.encoder.families import refuse_unread_halves
from lit_probe.encoder.in_memory import InMemory, frozen, in_dtype
from lit_probe.encoder.memory import MemoryBudget, check_weights
from lit_probe.encoder.source import Source
from lit_probe.errors import EncoderError

# What holds a transformers model, by an attribute that it has: what to give in its place.
_HOLDERS = {
    "merge_and_unload": "model.merge_and_unload(), tokenizer",  # of peft
    "_orig_mod": "model._orig_mod, tokenizer",  # torch.compile
    "transformers_model": "model.transformers_model, model.tokenizer",  # SentenceTransformer
    "module": "model.module, tokenizer",  # DataParallel
    "model": "model.model, model.tokenizer",  # pipeline
}


def given(model: Any, tokenizer: Any, name: str | None, dtype: str = FLOAT32) -> InMemory:
    """A transformers model and its tokenizer as they are now, read in a dtype. To be called on the encoder thread.

    Raises:
      EncoderError: they are something else, or no text encoder that can be read.
    """
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

    if isinstance(model, PreTrainedTokenizerBase) and isinstance(tokenizer, PreTrainedModel):
        raise EncoderError("The model and the tokenizer are swapped. Give the model first: encoder_of(model, tokenizer).")
    if not isinstance(model, PreTrainedModel):
        raise EncoderError(_no_model(model))
    if not isinstance(tokenizer, PreTrainedTokenizerBase) or not tokenizer.is_fast:
        raise EncoderError(_no_tokenizer(tokenizer))
    if name is None:
        name = f"{Path(model.config.name_or_path or type(model).__name__).name}-in-memory"
    elif not isinstance(name, str) or not name.strip():
        raise EncoderError(f"{name!r} is no name for the model. Give some letters, or leave the name out.")
    # With its class in place of the one that its weights may be from.
    refuse_unread_halves({**model.config.to_dict(), "architectures": [type(model).__name__]}, name)
    return frozen(model, tokenizer, name, dtype)


def _no_model(model: Any) -> str:
    """What to give in place of something that is no transformers model."""
    if isinstance(model, str | Path):
        return f"{str(model)!r} is no model in memory. For a hub id or a folder there is load_encoder({str(model)!r})."
    if isinstance(model, type):
        return f"{model.__name__} is a class. Give a model of it, as {model.__name__}.from_pretrained(…) loads one."
    kind = type(model).__name__
    for attribute, instead in _HOLDERS.items():
        if hasattr(model, attribute):
            return f"A {kind} is no transformers model, but holds one. Give that: encoder_of({instead})."
    return f"A {kind} is no transformers model. Give one, as AutoModel.from_pretrained(…) loads it, with its tokenizer."


def _no_tokenizer(tokenizer: Any) -> str:
    """What to give in place of something that is no fast tokenizer."""
    from transformers import PreTrainedTokenizerBase

    if isinstance(tokenizer, PreTrainedTokenizerBase):
        return f"The tokenizer, a {type(tokenizer).__name__}, has no fast form (tokenizer.json), which gives offsets."
    if tokenizer is None:
        return "The model needs its tokenizer. Give both, the tokenizer as AutoTokenizer.from_pretrained(…) loads it."
    if isinstance(tokenizer, str | Path):
        return f"{str(tokenizer)!r} is no tokenizer. Give AutoTokenizer.from_pretrained({str(tokenizer)!r})."
    if isinstance(tokenizer, type):
        return f"{tokenizer.__name__} is a class. Give a tokenizer of it, as {tokenizer.__name__}.from_pretrained(…) loads one."
    kind = type(tokenizer).__name__
    if hasattr(tokenizer, "tokenizer"):
        return f"A {kind} is no tokenizer, but holds one. Give that: encoder_of(model, processor.tokenizer)."
    if type(tokenizer).__module__.partition(".")[0] == "tokenizers":
        return f"A {kind} has to be wrapped for transformers. Give PreTrainedTokenizerFast(tokenizer_object=tokenizer)."
    return f"A {kind} is no transformers tokenizer. Give one, as AutoTokenizer.from_pretrained(…) loads it."


def load_tokenizer(source: Source) -> Any:
    """The transformers tokenizer, which neither truncates nor pads.

    Raises:
      EncoderError: it cannot be loaded, or has no fast form.
    """
    from transformers import AutoTokenizer

    if isinstance(source, InMemory):
        return source.tokenizer
    checkpoint = _files(source)
    _refuse_unknown_family(checkpoint)
    try:
        tokenizer = AutoTokenizer.from_pretrained(str(checkpoint.folder), trust_remote_code=_runs_code(checkpoint))
    except Exception as error:  # as with the weights below
        raise EncoderError(f"The tokenizer of {checkpoint.model_id!r} cannot be loaded: {error}") from error
    if not tokenizer.is_fast:
        raise EncoderError(f"The tokenizer of {checkpoint.model_id!r} has no fast form (tokenizer.json), which gives offsets.")
    # Some tokenizer.json files carry a truncation and padding of their own, which would override max_length.
    tokenizer.backend_tokenizer.no_truncation()
    tokenizer.backend_tokenizer.no_padding()
    return tokenizer


def convert_gguf(file: Path, folder: Path) -> None:
    """Writes what a GGUF file holds into a folder, as weights in float32, with configuration and tokenizer. A bar shows how far.

    Raises:
      EncoderError: a package is missing, or the file cannot be read.
    """
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    if missing := [name for name in ("gguf", "accelerate") if importlib.util.find_spec(name) is None]:
        raise EncoderError(
            f"GGUF files are read with {' and '.join(missing)}, not installed here. Install with `pip install lit-probe[gguf]`."
        )
    absl_logging.info("Converting %s into %s, once; this takes about half a minute for 100 MB.", file, folder)
    try:
        model = AutoModelForCausalLM.from_pretrained(str(file.parent), gguf_file=file.name, dtype=torch.float32)
        # What is in memory now is no longer quantised; said to be so, it would not be written.
        model.hf_quantizer, model.is_quantized = None, False
        del model.config.quantization_config
        model.save_pretrained(folder)
        AutoTokenizer.from_pretrained(str(file.parent), gguf_file=file.name).save_pretrained(folder)
    except Exception as error:  # as with the weights below
        reason = str(error).strip().split("\n")[0]
        raise EncoderError(f"The GGUF file {str(file)!r} cannot be converted: {reason or type(error).__name__}") from error


def load_model(source: Source, device: str, random_seed: int | None, dtype: str = FLOAT32) -> Any:
    """The transformers model in ``eval()`` mode, with its own classification head where it has one.

    Args:
      source: where its files are, or a model in memory.
      device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``; a model in memory stays where it is.
      random_seed: draws random weights in place of the trained ones; None for the trained ones.
      dtype: in which numbers weights are held; a model in memory has been read in it already.

    Raises:
      EncoderError: its weights do not fit into memory, cannot be loaded or are incomplete, or there is no such device.
    """
    if isinstance(source, InMemory):
        model = source.body if random_seed is None else _random_model_like(source, random_seed, dtype)
    else:
        checkpoint = _files(source)
        check_weights(checkpoint, dtype, MemoryBudget.of(None))
        model = _pretrained_model(checkpoint, dtype) if random_seed is None else _random_model(checkpoint, random_seed, dtype)
        model = model.eval().requires_grad_(False).to(_resolve_device(device))
    if source.is_encoder_stack:
        model = model.get_encoder()
    elif random_seed is None and source.has_classification_head and knows_decoder(source):
        model = read_by_mask(model, source.model_id)
    # What a decoder would keep to go on writing is never used.
    model.config.use_cache = False
    return model


def knows_decoder(source: Source) -> bool:
    """Whether a token sees only what stands before it, by transformers' tables where the model type is not a usual one."""
    if source.is_decoder is not None:
        return source.is_decoder
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as DECODERS
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

    kind = source.config.get("model_type")
    return kind in DECODERS and kind not in MASKED


def _refuse_unknown_family(checkpoint: Checkpoint) -> None:
    """That transformers knows the model type; a checkpoint with code of its own brings it along."""
    import transformers

    kind = checkpoint.config.get("model_type")
    if kind not in transformers.CONFIG_MAPPING and not _runs_code(checkpoint):
        raise EncoderError(
            f"{checkpoint.model_id!r} is of a family that transformers {transformers.__version__} does not know "
            f"({kind or 'its config.json names no model_type'}). Give a model of another family, or install a version "
            "that knows it."
        )


def position_limit(model: Any) -> int | None:
    """How many tokens there are position embeddings for, or None where positions are made in another way.

    Architectures that count positions from the padding token's id on (roberta's relatives) say so by the embedding's own
    ``padding_idx``: its rows up to that one stand for no token.
    """
    kept = re.compile(r"(^|\.)(position_embeddings|embed_positions|wpe)$")
    found = [module for name, module in model.named_modules() if kept.search(name) and hasattr(module, "padding_idx")]
    # Positions that are computed, as xglm's, are kept in no weight.
    modules = [module for module in found if hasattr(module, "weight")]
    limits = [module.weight.shape[0] - (0 if module.padding_idx is None else module.padding_idx + 1) for module in modules]
    return min(limits, default=None)


def untrained_position_limit(source: Source) -> int | None:
    """`position_limit` of the source's architecture. No weights are loaded, nor memory taken for them."""
    import torch
    from transformers import AutoConfig, AutoModel

    if isinstance(source, InMemory):
        return position_limit(source.model)
    checkpoint = _files(source)
    _refuse_unknown_family(checkpoint)
    try:
        config = AutoConfig.from_pretrained(str(checkpoint.folder), trust_remote_code=_runs_code(checkpoint))
        with torch.device("meta"):
            return position_limit(AutoModel.from_config(config, trust_remote_code=_runs_code(checkpoint)))
    except Exception as error:  # as with the weights below
        raise EncoderError(f"The config.json of {checkpoint.model_id!r} makes no model: {error!r}") from error


def _random_model(checkpoint: Checkpoint, seed: int, dtype: str) -> Any:
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(str(checkpoint.folder), trust_remote_code=_runs_code(checkpoint))
    with _drawn_by(seed):
        return in_dtype(AutoModel.from_config(config, trust_remote_code=_runs_code(checkpoint)).float(), dtype)


def _random_model_like(source: InMemory, seed: int, dtype: str) -> Any:
    body = source.body.base_model
    try:
        with _drawn_by(seed):
            model = in_dtype(type(body)(copy.deepcopy(body.config)).float(), dtype)
    except Exception as error:  # a class of one's own may ask for anything
        raise EncoderError(f"Random weights for {source.model_id!r} cannot be drawn from its configuration: {error!r}") from error
    return model.eval().requires_grad_(False).to(body.device)


@contextmanager
def _drawn_by(seed: int) -> Iterator[None]:
    import torch

    with torch.random.fork_rng(devices=[]):
        # Not the seed itself: a checkpoint that somebody made with manual_seed(0) must not be its own baseline.
        torch.manual_seed(int(hashlib.sha256(f"lit_probe {seed}".encode()).hexdigest()[:15], 16))
        yield


def _pretrained_model(checkpoint: Checkpoint, dtype: str) -> Any:
    from transformers import (
        MODEL_FOR_TEXT_ENCODING_MAPPING,
        AutoConfig,
        AutoModel,
        AutoModelForSequenceClassification,
        AutoModelForTextEncoding,
    )

    names = checkpoint.head_label_names
    if names is None and checkpoint.is_encoder_stack:
        # Where there is a class for the encoder half, the decoder's weights are not even read.
        config = AutoConfig.from_pretrained(str(checkpoint.folder))
        has_class = type(config) in MODEL_FOR_TEXT_ENCODING_MAPPING
        return _pretrained(checkpoint, AutoModelForTextEncoding if has_class else AutoModel, dtype)
    if names is None:
        return _pretrained(checkpoint, AutoModel, dtype)
    # What config.json says of the head may disagree with the weights.
    return _pretrained(
        checkpoint,
        AutoModelForSequenceClassification,
        dtype,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
    )


def load_language_model(source: Source, body: Any, *, masked: bool, dtype: str = FLOAT32) -> Any:
    """The model with its language-model head, on top of the body that is loaded already. What both hold is held once.

    Args:
      source: where its files are, or a model in memory.
      body: the encoder's model.
      masked: whether the head fills masks; else it says what comes next.
      dtype: in which numbers weights are held.

    Raises:
      EncoderError: the weights do not fit into memory, or lack the head.
    """
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    if isinstance(source, InMemory):
        return source.model
    check_weights(source, dtype, MemoryBudget.of(None))
    model = _pretrained(_files(source), AutoModelForMaskedLM if masked else AutoModelForCausalLM, dtype)
    model = model.eval().requires_grad_(False)
    prefix = model.base_model_prefix
    if type(getattr(model, prefix, None)) is type(body):
        setattr(model, prefix, body)
    model = model.to(body.device)
    head, words = model.get_output_embeddings(), body.get_input_embeddings()
    # A head that is tied to the embeddings of the body that was loaded with it.
    if head is not None and head.weight.shape == words.weight.shape and head.weight.equal(words.weight):
        head.weight = words.weight
    model.config.use_cache = False
    return model


def _pretrained(checkpoint: Checkpoint, loader: Any, dtype: str, **options: Any) -> Any:
    import torch
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with _without_adapter(checkpoint.folder) as folder:
            model, info = loader.from_pretrained(
                str(folder),
                dtype=getattr(torch, dtype),
                weights_only=True,
                output_loading_info=True,
                # Told below: the library's own error points at a report that it does not write.
                ignore_mismatched_sizes=True,
                trust_remote_code=_runs_code(checkpoint),
                **options,
            )
    except Exception as error:  # torn files fail in as many ways as there are readers; all of them are told
        raise EncoderError(f"The weights of {checkpoint.model_id!r} cannot be loaded: {error}") from error
    finally:
        logging.set_verbosity(verbosity)
        logging.enable_progress_bar()
    if mismatched := sorted(info["mismatched_keys"]):
        name, found, wanted = mismatched[0]
        more = f", and {len(mismatched) - 1} more do so" if len(mismatched) > 1 else ""
        raise EncoderError(
            f"The weights of {checkpoint.model_id!r} do not fit its config.json: {name} has shape {list(found)} and should have "
            f"{list(wanted)}{more}."
        )
    # A pooler is not probed, so one that was never trained does no harm; anything else missing would be random numbers.
    missing = sorted(key for key in info["missing_keys"] if "pooler" not in key)
    if missing:
        raise EncoderError(
            f"The weights of {checkpoint.model_id!r} lack {len(missing)} tensors that its config.json asks for "
            f"({', '.join(missing[:3])}, …); they would have been filled with random numbers."
        )
    _hold_in_memory(model)
    return model


def _hold_in_memory(model: Any) -> None:
    """Copies weights that are mapped from their file, one after another.

    Somebody may write into the file while the server runs: mapped weights would change with it, under the hash of the old ones,
    and a file that becomes shorter would end the process.
    """
    for tensor in (*model.parameters(), *model.buffers()):
        tensor.data = tensor.data.clone()


@contextmanager
def _without_adapter(folder: Path) -> Iterator[Path]:
    """The folder, or one of links without its adapter, which transformers would put into the model where peft is installed."""
    if not (folder / "adapter_config.json").is_file():
        yield folder
        return
    with TemporaryDirectory() as links:
        for path in folder.iterdir():
            if not path.name.startswith("adapter_"):
                Path(links, path.name).symlink_to(path.resolve())
        yield Path(links)


def _files(source: Source) -> Checkpoint:
    assert isinstance(source, Checkpoint)
    return source


def _runs_code(checkpoint: Checkpoint) -> bool:
    # find_checkpoint lets a checkpoint with code of its own through only when the user trusts it.
    return bool(checkpoint.config.get("auto_map"))


def _resolve_device(device: str) -> Any:
    import torch

    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    resolved = torch.device(device)
    if resolved.type == "cuda" and (resolved.index or 0) >= torch.cuda.device_count():
        raise EncoderError(
            f"The device {device!r} was asked for, but torch {torch.__version__} sees {torch.cuda.device_count()} CUDA GPUs. "
            "Use the device cpu."
        )
    return resolved
