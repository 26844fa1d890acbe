"""A checkpoint's tokenizer and model, loaded from its files. The only file that imports transformers."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from lit_probe.encoder.checkpoint import Checkpoint
from lit_probe.errors import EncoderError


def load_tokenizer(checkpoint: Checkpoint) -> Any:
    """The transformers tokenizer, which neither truncates nor pads.

    Raises:
      EncoderError: it cannot be loaded, or has no fast form.
    """
    from transformers import AutoTokenizer

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


def load_model(checkpoint: Checkpoint, device: str, random_seed: int | None) -> Any:
    """The transformers model in ``eval()`` mode, with its own classification head where it has one.

    Args:
      checkpoint: where its files are.
      device: ``auto``, ``cpu``, ``cuda`` or ``cuda:N``.
      random_seed: draws random weights in place of the trained ones; None for the trained ones.

    Raises:
      EncoderError: it is a decoder, its weights cannot be loaded or are incomplete, or there is no such device.
    """
    from transformers.models.auto.modeling_auto import MODEL_FOR_CAUSAL_LM_MAPPING_NAMES as DECODERS
    from transformers.models.auto.modeling_auto import MODEL_FOR_MASKED_LM_MAPPING_NAMES as MASKED

    kind = checkpoint.config.get("model_type")
    if kind in DECODERS and kind not in MASKED:
        raise EncoderError(f"{checkpoint.model_id!r} is a decoder-only language model ({kind}), which lit_probe refuses for now.")
    model = _pretrained_model(checkpoint) if random_seed is None else _random_model(checkpoint, random_seed)
    return model.eval().requires_grad_(False).to(_resolve_device(device))


def position_limit(model: Any) -> int | None:
    """How many tokens there are position embeddings for, or None where positions are made in another way.

    Architectures that count positions from the padding token's id on (roberta's relatives) say so by the embedding's own
    ``padding_idx``: its rows up to that one stand for no token.
    """
    kept = re.compile(r"(^|\.)(position_embeddings|embed_positions|wpe)$")
    modules = [module for name, module in model.named_modules() if kept.search(name) and hasattr(module, "padding_idx")]
    limits = [module.weight.shape[0] - (0 if module.padding_idx is None else module.padding_idx + 1) for module in modules]
    return min(limits, default=None)


def untrained_position_limit(checkpoint: Checkpoint) -> int | None:
    """`position_limit` of the checkpoint's architecture. No weights are loaded, nor memory taken for them."""
    import torch
    from transformers import AutoConfig, AutoModel

    try:
        config = AutoConfig.from_pretrained(str(checkpoint.folder), trust_remote_code=_runs_code(checkpoint))
        with torch.device("meta"):
            return position_limit(AutoModel.from_config(config, trust_remote_code=_runs_code(checkpoint)))
    except Exception as error:  # as with the weights below
        raise EncoderError(f"The config.json of {checkpoint.model_id!r} makes no model: {error!r}") from error


def _random_model(checkpoint: Checkpoint, seed: int) -> Any:
    import torch
    from transformers import AutoConfig, AutoModel

    config = AutoConfig.from_pretrained(str(checkpoint.folder), trust_remote_code=_runs_code(checkpoint))
    with torch.random.fork_rng(devices=[]):
        # Not the seed itself: a checkpoint that somebody made with manual_seed(0) must not be its own baseline.
        torch.manual_seed(int(hashlib.sha256(f"lit_probe {seed}".encode()).hexdigest()[:15], 16))
        return AutoModel.from_config(config, trust_remote_code=_runs_code(checkpoint)).float()


def _pretrained_model(checkpoint: Checkpoint) -> Any:
    from transformers import AutoModel, AutoModelForSequenceClassification

    names = checkpoint.head_label_names
    if names is None:
        return _pretrained(checkpoint, AutoModel)
    # What config.json says of the head may disagree with the weights.
    return _pretrained(
        checkpoint,
        AutoModelForSequenceClassification,
        id2label=dict(enumerate(names)),
        label2id={name: i for i, name in enumerate(names)},
    )


def load_masked_lm(checkpoint: Checkpoint, body: Any) -> Any:
    """The checkpoint with its masked-language-model head, on top of the body that is loaded already."""
    from transformers import AutoModelForMaskedLM

    model = _pretrained(checkpoint, AutoModelForMaskedLM).eval().requires_grad_(False)
    prefix = model.base_model_prefix
    if type(getattr(model, prefix, None)) is type(body):
        setattr(model, prefix, body)
    return model.to(body.device)


def _pretrained(checkpoint: Checkpoint, loader: Any, **options: Any) -> Any:
    import torch
    from transformers.utils import logging

    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    logging.disable_progress_bar()
    try:
        with _without_adapter(checkpoint.folder) as folder:
            model, info = loader.from_pretrained(
                str(folder),
                dtype=torch.float32,
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
    return model


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
